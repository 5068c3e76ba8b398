package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func tool(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(args, streams{out: &o, err: &e})
	return code, o.String(), e.String()
}

// A flag goes before the environment, the environment before the file, the file
// before the default; what is printed can be given back.
func TestConfigOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nudge.yaml")
	text := "partitions: 2\nretention: 2h\nhttp_listen: 127.0.0.1:1\nwrite_key: hidden-write-key-1\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NUDGE_RETENTION", "3h")
	t.Setenv("NUDGE_HTTP_LISTEN", "127.0.0.1:2")
	code, out, errs := tool("config", "--config-file", file, "--http-listen", "127.0.0.1:3")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{
		`partitions: "2"`, "retention: 3h0m0s", "http_listen: 127.0.0.1:3", "# write_key: (set)", "admin_listen: 127.0.0.1:8081",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "hidden") {
		t.Error("the write key is shown")
	}
	again := filepath.Join(t.TempDir(), "again.yaml")
	if err := os.WriteFile(again, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	same := func(text string) string {
		return strings.NewReplacer(again, "", file, "", "# write_key: (set)", `write_key: ""`).Replace(text)
	}
	if code, second, errs := tool("config", "--config-file", again, "--http-listen", "127.0.0.1:3"); code != 0 ||
		same(second) != same(out) {
		t.Errorf("exit %d %s: what was printed does not mean the same:\n%s\nwant\n%s", code, errs, second, out)
	}
}

func TestConfigErrors(t *testing.T) {
	dir := t.TempDir()
	f := func(want string, args ...string) {
		t.Helper()
		code, out, errs := tool(append([]string{"run", "--data-dir", filepath.Join(dir, "data")}, args...)...)
		if code == 0 || !strings.Contains(out+errs, want) {
			t.Errorf("%v: exit %d, %q; want a failure with %q", args, code, out+errs, want)
		}
	}
	f("partitions: 0; must be from 1 to 64", "--partitions", "0")
	f(`http_listen: "nowhere" is no address`, "--http-listen", "nowhere")
	f("admin_key: it has 5 bytes; 16 or more are needed", "--admin-key", "short")
	f("write_key: it has 15 bytes; 16 or more are needed", "--write-key", "fifteen-letters")
	f("clickhouse_password: it has 1 bytes; 16 or more are needed", "--clickhouse-password", "x")
	f("at least 16 MiB a partition", "--log-bytes", "1000")
	f(`log level "loud"`, "--log-level", "loud")
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("partitons: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(`there is no setting "partitons"`, "--config-file", bad)
	f("clickhoused is not at", "--admin-listen", "127.0.0.1:0", "--clickhoused", filepath.Join(dir, "none"))
	f("warehouse: url", "--admin-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--clickhouse-url", "://x",
		"--log-bytes", "134217728")
}

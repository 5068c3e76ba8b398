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
	f("at least 16MiB a partition", "--log-bytes", "1000")
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

// What is secret in a setting is in no output: not in that of config, not in an error.
func TestSecretsAreNotShown(t *testing.T) {
	f := func(args ...string) {
		t.Helper()
		for _, command := range []string{"config", "run"} {
			all := append([]string{command, "--data-dir", t.TempDir(), "--admin-listen", "127.0.0.1:0"}, args...)
			code, out, errs := tool(all...)
			if command == "run" && code == 0 {
				t.Errorf("%v: it runs", args)
			}
			if strings.Contains(out+errs, "hush") {
				t.Errorf("%s %v shows %s", command, args, out+errs)
			}
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	f("--clickhouse-url", "clickhouse://user:hush-hush@127.0.0.1:x/db", "--log-bytes", "128MiB")
	f("--clickhouse-url", "://hush-hush", "--log-bytes", "128MiB")
	f("--clickhouse-url", "clickhouse://h:1/db?password=hush-hush&dial_timeout=x", "--log-bytes", "128MiB")
	f("--nats-url", "nats://user:hush-hush@127.0.0.1:1")
	f("--nats-url", "nats://hush-hush@127.0.0.1:1,nats://hush-hush@127.0.0.1:2")
	f("--nats-url", "nats://user:hush hush@127.0.0.1:x")
	f("--nats-url", "user:hush-hush@127.0.0.1:1")
	f("--write-key", "hush", "--clickhoused", none)
	f("--admin-key", "hush", "--erase-key", "hush", "--clickhoused", none)
	f("--clickhouse-password", "hush-hush-hush-hush", "--clickhoused", none)
	f("--erase-key", "no-hexadecimal-hush-hush", "--clickhoused", none)
	file := filepath.Join(t.TempDir(), "nudge.yaml")
	if err := os.WriteFile(file, []byte("- write_key: hush-hush-hush-hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("--config-file", file)
	if err := os.WriteFile(file, []byte("hush-hush-hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("--config-file", file)
}

// The data are their owner's alone, whatever the umask, and no matter who made the directories.
func TestDataIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for _, made := range []string{dir, filepath.Join(dir, "state"), filepath.Join(dir, "log")} {
		if err := os.Mkdir(made, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, errs := tool("run", "--data-dir", dir, "--admin-listen", "127.0.0.1:0", "--clickhoused", "/none"); code == 0 ||
		!strings.Contains(errs, "clickhoused is not at") {
		t.Fatalf("exit %d, %s", code, errs)
	}
	for name, want := range map[string]os.FileMode{
		"": 0o700, "state": 0o700, "log": 0o700, "clickhouse": 0o700, "node.json": 0o600,
	} {
		stat, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if stat.Mode().Perm() != want {
			t.Errorf("%q has the mode %o; want %o", name, stat.Mode().Perm(), want)
		}
	}
}

func TestSizesAndDurations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nudge.yaml")
	if err := os.WriteFile(file, []byte("log_bytes: 40GiB\nretention: 7d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NUDGE_MIN_FREE", "500MB")
	t.Setenv("NUDGE_CHECKPOINT_EVERY", "1d")
	code, out, errs := tool("config", "--config-file", file, "--memory-limit", "1GiB", "--snapshot-every", "2s")
	for _, want := range []string{
		"log_bytes: 40GiB", "retention: 168h0m0s", `min_free: "500000000"`, "checkpoint_every: 24h0m0s", "memory_limit: 1GiB",
		"snapshot_every: 2s",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%q is missing, exit %d:\n%s%s", want, code, out, errs)
		}
	}
	code, _, errs = tool("config", "--memory-limit", "lots")
	if code == 0 || !strings.Contains(errs, "--memory-limit") || !strings.Contains(errs, `"lots" is no size; write`) {
		t.Errorf("exit %d, %s", code, errs)
	}
	code, _, errs = tool("config", "--retention", "long")
	if code == 0 || !strings.Contains(errs, "--retention") || !strings.Contains(errs, `"long" is no duration; write`) {
		t.Errorf("exit %d, %s", code, errs)
	}
}

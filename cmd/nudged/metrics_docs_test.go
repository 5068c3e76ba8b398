package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a running server exposes is what docs/operating.md lists, each with HELP and TYPE.
func TestMetricsAreDocumented(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, fmt.Sprintf(partsDefinitions, hook.URL), "NUDGE_PARTITIONS=1")
	s.start()
	s.ready()
	s.greet(1)
	s.eventually(30*time.Second, "sent", func() error {
		if hook.triggers() == 0 {
			return errNotYet
		}
		return nil
	})
	if status, err := s.post(http.DefaultClient, []map[string]any{{"type": "nonsense"}}); err != nil {
		t.Fatal(status, err)
	}
	var text string
	s.eventually(10*time.Second, "an attempt is counted", func() (err error) {
		if text, err = s.look("/metrics"); err == nil && !strings.Contains(text, "nudge_deliveries_total{") {
			err = errNotYet
		}
		return err
	})
	exposed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (counter|gauge|histogram)$`).FindAllStringSubmatch(text, -1) {
		exposed[m[1]] = true
		if !strings.Contains(text, "# HELP "+m[1]+" ") {
			t.Errorf("%s has no HELP", m[1])
		}
	}
	for line := range strings.Lines(text) {
		name := regexp.MustCompile(`^[a-z_]+`).FindString(line)
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base := strings.TrimSuffix(name, suffix); exposed[base] {
				name = base
			}
		}
		if name != "" && !exposed[name] {
			t.Errorf("%s has no TYPE", name)
		}
	}
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `((?:nudge|go|process)_[a-z_]+)[`{]").FindAllStringSubmatch(string(page), -1) {
		listed[m[1]] = true
	}
	for name := range exposed {
		if !listed[name] {
			t.Errorf("%s is not in the table of docs/operating.md", name)
		}
	}
	for name := range listed {
		elsewhere := runtime.GOOS != "linux" && !strings.HasPrefix(name, "nudge_") // less is known of the process
		if !exposed[name] && !elsewhere {
			t.Errorf("docs/operating.md lists %s, which is not exposed; there are %v", name, slices.Sorted(maps.Keys(exposed)))
		}
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		check := exec.Command(promtool, "check", "metrics")
		check.Stdin = strings.NewReader(text)
		if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	}
}

// Every variable of the environment that the programs read is in docs/operating.md.
func TestVariablesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("grep", "-rhoE", `"(NUDGE|CLICKHOUSED)_[A-Z_]+"|env:"[A-Z_,]+"`, "--include=*.go",
		"--exclude=*_test.go", "--exclude-dir=testdata", "--exclude-dir=plainenv", "../../cmd", "../../server", "../../ops", "../../internal", "../../ingest", "../../sink", "../../stream",
		"../../storage", "../../actors").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, name := range regexp.MustCompile(`(NUDGE|CLICKHOUSED)_[A-Z_]*[A-Z]`).FindAllString(string(out), -1) {
		names[name] = true
	}
	if len(names) < 25 {
		t.Fatalf("only %d variables were found", len(names))
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("%s is not in docs/operating.md", name)
		}
	}
}

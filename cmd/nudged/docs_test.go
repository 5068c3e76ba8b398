package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign"
)

// Every command and every definition in README and docs is run, against a server
// with the examples in force.
func TestDocs(t *testing.T) {
	// shows: 168
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, "")
	s.env = append(s.env, "NUDGE_CAMPAIGNS_DIR="+filepath.Join(root, "examples/shop"), "NUDGE_WRITE_KEY=nudge-demo-write-key",
		"PATH="+binaries+":"+os.Getenv("PATH"))
	s.start()
	s.ready()
	s.wantRows(time.Minute, 0, "SELECT count() FROM nudge.events")
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran, beside := 0, besideOf(t, root)
	for _, file := range append([]string{filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")}, files...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(text)) {
			switch b.language {
			case "sh":
				for line := range strings.Lines(b.text) {
					if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
						dir := root
						if strings.HasPrefix(line, "bin/nudge ") { // may write to campaigns
							dir = beside
						}
						s.runLine(t, dir, filepath.Base(file), line)
						ran++
					}
				}
			case "yaml":
				checkYAML(t, filepath.Base(file), b.text)
			case "sql":
				if _, err := s.query(b.text); err != nil {
					t.Errorf("%s: %v\n%s", filepath.Base(file), err, b.text)
				}
			case "":
			default:
				t.Errorf("%s: a block in %q is run by nobody", file, b.language)
			}
		}
	}
	if ran < 10 {
		t.Errorf("only %d commands were found", ran)
	}
}

// besideOf is a directory with all that a clone has, but for what its user makes there.
func besideOf(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "campaigns" || e.Name() == "data" {
			continue
		}
		if err := os.Symlink(filepath.Join(root, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type block struct{ language, text string }

func blocks(text string) []block {
	var all []block
	var in *block
	for line := range strings.Lines(text) {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && in == nil:
			in = &block{language: strings.TrimSpace(language)}
		case fence:
			all = append(all, *in)
			in = nil
		case in != nil:
			in.text += line
		}
	}
	return all
}

// runLine runs one command as it stands, with the test's addresses for the usual
// ones. What would run for long, or run this test again, is only planned: make -n.
func (s *server) runLine(t *testing.T, dir, file, line string) {
	t.Helper()
	command := strings.NewReplacer("127.0.0.1:8080", s.http, "127.0.0.1:8081", s.admin, "127.0.0.1:8123", s.clickhouse,
		"bin/", binaries+"/", "data/simulated", filepath.Join(t.TempDir(), "simulated")).Replace(line)
	if strings.HasPrefix(command, "make ") {
		command = "make -n " + strings.TrimPrefix(command, "make ")
	}
	if strings.Contains(command, "nudge-bench") {
		command, _, _ = strings.Cut(command, " #")
		command += " --help"
	}
	if strings.HasPrefix(command, "curl ") {
		command = "curl --fail-with-body -sS " + strings.TrimPrefix(command, "curl ")
	}
	run := exec.Command("bash", "-c", command)
	run.Dir, run.Env = dir, s.env
	out, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %s\n%v\n%s", file, line, err, out)
	}
}

func checkYAML(t *testing.T, file, text string) {
	t.Helper()
	lang, err := campaign.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := campaign.Parse(lang, file, []byte(text)); err != nil {
		t.Error(err)
	}
}

package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/internal/servertest"
)

// Every command and every definition in the pages of the repository is run, against a
// server with the examples in force, and prints what the page shows.
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
	for _, file := range pagesOf(t, root) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		if all := blocks(string(text)); len(all) > 0 {
			t.Run(name, func(t *testing.T) {
				p := &page{s: s, name: name, root: root, dir: besideOf(t, root)}
				for _, b := range all {
					p.try(t, b)
				}
			})
		}
	}
}

// pagesOf are all pages of the repository that tell people what to type.
func pagesOf(t *testing.T, root string) []string {
	t.Helper()
	files := []string{filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"), filepath.Join(root, "SECURITY.md")}
	for _, pattern := range []string{"docs/*.md", "docs/reference/*.md", "docs/adr/*.md", "bench/*/README.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no page is called %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	return files
}

// page is one page whose blocks are tried in their order, in a directory of its own.
type page struct {
	s         *server
	name      string
	root, dir string
	command   string // the last one
	output    string // of it
}

// saved is the line before a block that says in which file the reader keeps it.
var saved = regexp.MustCompile("^Save this as `([a-z0-9/._-]+)`")

// try runs a block, or checks it, by its language:
//
//	sh      each line is a command
//	output  what the last command prints; a line "..." stands for any lines
//	log     lines that the server prints, in any order
//	yaml    definitions; kept in a file where the line before says so
//	sql     a query for ClickHouse
func (p *page) try(t *testing.T, b block) {
	t.Helper()
	switch b.language {
	case "sh":
		for line := range strings.Lines(b.text) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				p.runLine(t, line)
			}
		}
	case "output":
		err := servertest.Poll(t.Context(), 30*time.Second, func() error {
			err := matches(b.text, p.usual(p.output))
			if err != nil && !changes.MatchString(p.command) {
				p.runLine(t, p.command)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %s: %v\nit prints\n%s", p.name, p.command, err, p.usual(p.output))
		}
	case "log":
		for line := range strings.Lines(b.text) { // messages to several customers come in any order
			err := servertest.Poll(t.Context(), time.Minute, func() error { return matches("...\n"+line+"...\n", p.s.log.String()) })
			if err != nil {
				t.Errorf("%s: the server does not print %v", p.name, err)
			}
		}
	case "yaml":
		checkYAML(t, p.name, b.text)
		if name := saved.FindStringSubmatch(b.lead); name != nil {
			file := filepath.Join(p.dir, name[1])
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, []byte(b.text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	case "sql":
		if _, err := p.s.query(b.text); err != nil {
			t.Errorf("%s: %v\n%s", p.name, err, b.text)
		}
	case "":
	default:
		t.Errorf("%s: a block in %q is run by nobody", p.name, b.language)
	}
}

// usual is what a command prints with the addresses that a page shows.
func (p *page) usual(output string) string {
	return strings.NewReplacer(p.s.http, "127.0.0.1:8080", p.s.admin, "127.0.0.1:8081", p.s.clickhouse, "127.0.0.1:8123").
		Replace(output)
}

// changes matches commands that must not be repeated, because they change something.
var changes = regexp.MustCompile(`--json|nudge (apply|erase|new|rollback)\b`)

// changing is what differs from run to run: times and numbers of a clock.
var changing = regexp.MustCompile(`(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(\.\d+)?Z?`)

// matches says where got is not what a page shows, up to blanks and times.
func matches(want, got string) error {
	lines := func(text string) (all []string) {
		for line := range strings.Lines(changing.ReplaceAllString(text, "TIME")) {
			if line = strings.Join(strings.Fields(line), " "); line != "" {
				all = append(all, line)
			}
		}
		return all
	}
	have, skip := lines(got), false
	for _, line := range lines(want) {
		if line == "..." {
			skip = true
			continue
		}
		at := slices.Index(have, line)
		if at < 0 || at > 0 && !skip {
			return fmt.Errorf("%w: %s", errNotYet, line)
		}
		have, skip = have[at+1:], false
	}
	if len(have) > 0 && !skip {
		return fmt.Errorf("%w: the page does not show %s", errNotYet, have[0])
	}
	return nil
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

// What a page shows must be all that is printed.
func TestMatches(t *testing.T) {
	const printed = "10:00:01.5  one\n2026-03-01T10:00:02Z  two   2\nthree\n"
	for _, shown := range []string{
		printed, "11:11:11 one\n12:12:12 two 2\nthree\n", "...\n12:12:12 two 2\n...\n", "11:11:11.1 one\n...\n", "...\nthree\n",
	} {
		if err := matches(shown, printed); err != nil {
			t.Errorf("%q: %v", shown, err)
		}
	}
	for _, shown := range []string{
		"", "11:11:11 one\n", "...\ntwo 2\n...\n", "...\nthree\nfour\n", "...\nthree\n...\n11:11:11 one\n",
	} {
		if matches(shown, printed) == nil {
			t.Errorf("%q is taken for what was printed", shown)
		}
	}
}

// block is a fenced part of a page; lead is the last line of text before it.
type block struct{ language, lead, text string }

func blocks(text string) []block {
	var all []block
	var in *block
	lead := ""
	for line := range strings.Lines(text) {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && in == nil:
			in = &block{language: strings.TrimSpace(language), lead: lead}
		case fence:
			all = append(all, *in)
			in, lead = nil, ""
		case in != nil:
			in.text += line
		case strings.TrimSpace(line) != "":
			lead = line
		}
	}
	return all
}

// runLine runs one command as it stands, with the test's addresses for the usual
// ones. What would run for long, or run this test again, is only planned: make -n.
func (p *page) runLine(t *testing.T, line string) {
	t.Helper()
	command := strings.NewReplacer("127.0.0.1:8080", p.s.http, "127.0.0.1:8081", p.s.admin, "127.0.0.1:8123", p.s.clickhouse,
		"bin/", binaries+"/", "data/simulated", filepath.Join(t.TempDir(), "simulated")).Replace(line)
	dir := p.dir
	switch {
	case strings.HasPrefix(line, "make "):
		command = "make -n " + strings.TrimPrefix(command, "make ")
		dir = p.root
	case strings.HasPrefix(line, "go "):
		dir = p.root
	case strings.Contains(line, "nudge-bench"):
		command, _, _ = strings.Cut(command, " #")
		command += " --help"
	case strings.HasPrefix(line, "curl "):
		command = "curl --fail-with-body -sS " + strings.TrimPrefix(command, "curl ")
	}
	run := exec.Command("bash", "-c", command)
	run.Dir, run.Env = dir, p.s.env
	out, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %s\n%v\n%s", p.name, line, err, out)
	}
	p.command, p.output = line, string(out)
}

func checkYAML(t *testing.T, file, text string) {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse.File(lang, file, []byte(text)); err != nil {
		t.Error(err)
	}
}

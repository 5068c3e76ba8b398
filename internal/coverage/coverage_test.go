package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// docs/coverage.md is up to date.
func TestPage(t *testing.T) {
	const root = "../.."
	want, err := page(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "docs", "coverage.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/coverage.md is out of date; make coverage writes it")
	}
}

// Each way in which markers and the list can part is told.
func TestJudge(t *testing.T) {
	f := func(list string, files map[string]string, want string) {
		t.Helper()
		root := t.TempDir()
		for name, text := range files {
			if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sections, err := readCapabilities(list)
		var text string
		if err == nil {
			var shown map[int][]string
			if shown, err = collect(root); err == nil {
				if err = judge(sections, shown); err == nil {
					text = render(sections, shown)
				}
			}
		}
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, want) {
			t.Errorf("got %s\nwant %s", text, want)
		}
	}
	const list = "## 1.1 a *\n1 one\n2 partly (x): two\n3 not yet (y): three\n## 2 b\n7 seven\n"
	test := func(lines string) map[string]string {
		return map[string]string{
			"p/x_test.go":       "package p\n\n" + lines,
			"p/testdata/a.txt":  "# shows: 7\nrun\n",
			"p/testdata/b.yaml": "a: 1 # no marker\n",
		}
	}
	f(list, test("// TestA is.\n// shows: 1-2\nfunc TestA() {}\n"), "**1 are shown, 1\npartly, 1 not yet**")
	f(list, test("func TestA() {\n\t// shows: 1, 2\n}\n"), "| 1 | one | `p` `TestA` |")
	f(list, test("// shows: 1, 2 in a\nfunc TestA() {}\n"), "| 2 | two | `p` `TestA/a`; **partly**: x |")
	f(list, test("// shows: 1, 2\nfunc TestA() {}\n"), "| 3 | three | **not yet**: y |")
	f(list, test("// shows: 1, 2\nfunc TestA() {}\n"), "| 7 | seven | `p/testdata/a.txt` |")
	f(list, test("// shows: 1\nfunc TestA() {}\n"), "capability 2 is shown by no test")
	f(list, test("// shows: 1, 2, 4\nfunc TestA() {}\n"), "`p` `TestA` shows capability 4")
	f(list, test("// shows: 1-3\nfunc TestA() {}\n"), "capability 3 is said to be not there yet")
	f(list, test("// shows: 1, 2 in c\nfunc TestA() {}\n"), "there is no case c")
	f(list, test("// shows: 1 2\nfunc TestA() {}\n"), "p/x_test.go:3: the marker 1 2 is not understood")
	f(list, test("// shows: 1, 2\nvar a = 1\n"), "the marker belongs to no test")
	f("## a *\n2 two\n1 one\n", nil, "number 1 does not follow 2")
	f("## a *\nsomething\n", nil, "not understood")
}

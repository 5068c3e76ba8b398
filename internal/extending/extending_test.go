package extending

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExtensions: each patch applies to the tree, an extension touches no more files than its
// limit, and docs/extending.md names each place under the heading of its extension.
func TestExtensions(t *testing.T) {
	page, err := os.ReadFile("../../docs/extending.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range extensions(t) {
		t.Run(e.name, func(t *testing.T) {
			if n := len(e.files()); n > e.most {
				t.Errorf("touches %d files, %s; want at most %d", n, strings.Join(e.files(), ", "), e.most)
			}
			section := sectionOf(string(page), e.name)
			for _, p := range e.places {
				if out, err := run(t.Context(), "../..", "git", "apply", "--check", p.path); err != nil {
					t.Errorf("%s: %v; make the patch again against the present code\n%s", p.name(), err, out)
				}
				for _, file := range p.files {
					// git reads it too, but go test keeps a result until a file that the test has read changes.
					if _, err := os.ReadFile(filepath.Join("..", "..", file)); err != nil && !os.IsNotExist(err) {
						t.Error(err)
					}
					if !strings.Contains(section, "`"+file+"`") {
						t.Errorf("docs/extending.md does not name %s under %q", file, "A "+e.name)
					}
				}
			}
		})
	}
}

// sectionOf is what a page says under the heading of an extension.
func sectionOf(page, name string) string {
	_, rest, _ := strings.Cut(page, "\n## A "+name+"\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	return section
}

// TestForgetting plants each extension in a copy of the tree, where the commands that its patches
// name pass, and then leaves out one place after the other, which the command of that place notices.
func TestForgetting(t *testing.T) {
	if os.Getenv("NUDGE_EXTENDING") == "" {
		t.Skip("builds the program some forty times; make extending runs it")
	}
	for _, e := range extensions(t) {
		t.Run(e.name, func(t *testing.T) {
			dir := copyTree(t, filepath.Join("..", ".."))
			for _, p := range e.places {
				apply(t, dir, p)
			}
			passed := map[string]bool{}
			for _, p := range e.places {
				command := strings.Join(p.caught, " ")
				if passed[command] {
					continue
				}
				passed[command] = true
				if out, err := run(t.Context(), dir, "go", p.caught...); err != nil {
					t.Fatalf("with all places: go %s: %v\n%s", command, err, out)
				}
			}
			for _, p := range e.places {
				apply(t, dir, p, "--reverse")
				out, err := run(t.Context(), dir, "go", p.caught...)
				if err == nil {
					t.Errorf("without %s (%s) go %s passes", p.name(), p.what, strings.Join(p.caught, " "))
				} else {
					t.Logf("without %s: %s", p.name(), firstFinding(out))
				}
				apply(t, dir, p)
			}
		})
	}
}

// firstFinding is the line of an output that says what is wrong.
func firstFinding(out string) string {
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "--- FAIL") {
			return line
		}
	}
	return out
}

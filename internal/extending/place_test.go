package extending

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// extension is one kind of extension.
type extension struct {
	name   string // of its folder in testdata
	most   int    // files that it may touch
	places []place
}

// place is a place that an extension touches: one patch.
type place struct {
	path   string   // of the patch, absolute
	what   string   // what the place is
	caught []string // arguments of the go command that fails when it is forgotten
	files  []string // that the patch changes or makes
}

// name is that of the patch.
func (p *place) name() string { return strings.TrimSuffix(filepath.Base(p.path), ".patch") }

// extensions reads testdata.
func extensions(t *testing.T) []extension {
	t.Helper()
	all := []extension{
		{name: "verb", most: 15},
		{name: "trigger", most: 15},
		{name: "channel", most: 5},
		{name: "reason", most: 4},
		{name: "column", most: 5},
	}
	for i := range all {
		paths, err := filepath.Glob(filepath.Join("testdata", all[i].name, "*.patch"))
		if err != nil {
			t.Fatal(err)
		}
		if len(paths) < 3 {
			t.Fatalf("%s: got %d patches; want one for each place", all[i].name, len(paths))
		}
		for _, path := range paths {
			all[i].places = append(all[i].places, readPlace(t, path))
		}
	}
	return all
}

func readPlace(t *testing.T, path string) place {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitN(string(data), "\n", 3)
	what, named := strings.CutPrefix(lines[0], "# ")
	caught, told := strings.CutPrefix(lines[1], "# caught by: go ")
	if !named || !told {
		t.Fatalf("%s: begins with %q; want two lines, what the place is and \"# caught by: go ...\"", path, lines[:2])
	}
	p := place{path: path, what: what, caught: strings.Fields(caught)}
	for _, m := range regexp.MustCompile(`(?m)^\+\+\+ b/(.*)$`).FindAllStringSubmatch(lines[2], -1) {
		p.files = append(p.files, m[1])
	}
	if len(p.files) == 0 {
		t.Fatalf("%s: changes no file", path)
	}
	return p
}

// files are those that the extension touches, each once.
func (e *extension) files() []string {
	var all []string
	for i := range e.places {
		all = append(all, e.places[i].files...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

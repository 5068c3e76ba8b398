package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// marker is a comment line that says what a test shows: numbers and ranges, and the name of
// one case of a test with many.
var marker = regexp.MustCompile(`^(?://|#) shows:(.*)$`)

// markerBody is what follows "shows:", as in " 3, 5-7 in bonus-expiry".
var markerBody = regexp.MustCompile(`^ (\d+(?:-\d+)?(?:, \d+(?:-\d+)?)*)(?: in (\S+))?$`)

// The capabilities 66 to 98 are events of the catalogue; each is shown by the sample of its
// event.
const catalogueFirst, catalogueLast = 66, 98

// found collects what tests show.
type found struct {
	root string
	// shown maps the number of a capability to the tests that show it, each once.
	shown map[int][]string
	// errs has the faults of markers; collecting goes on after one, so that all are
	// reported at once.
	errs []error
}

// add notes that a test shows capability n.
func (f *found) add(n int, test string) {
	if !slices.Contains(f.shown[n], test) {
		f.shown[n] = append(f.shown[n], test)
	}
}

// collect reads the markers of all tests below root. Those in comments of Go tests belong
// to their function, those of scripts and definition files to the file. Each event of the
// catalogue names the capabilities that its sample shows.
func collect(root string) (map[int][]string, error) {
	f := &found{root: root, shown: map[int][]string{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		// What is built, what git keeps, and this program's own examples of markers are
		// left out.
		case d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "bin" || name == "coverage"):
			return filepath.SkipDir
		case d.IsDir():
			return nil
		case strings.HasSuffix(name, "_test.go"):
			return f.goTests(path)
		case slices.Contains([]string{".txt", ".yaml", ".yml"}, filepath.Ext(name)):
			return f.script(path)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, tests := range f.shown { //nudge:unordered each list is sorted by itself
		sort.Strings(tests)
	}
	return f.shown, errors.Join(f.errs...)
}

// relative returns a path as the page writes it: from the root, with slashes.
func (f *found) relative(path string) string {
	r, err := filepath.Rel(f.root, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(r)
}

// goTests reads the markers of a Go test file. A marker with the name of a case is checked:
// the case must exist, or the marker would survive it.
func (f *found) goTests(path string) error {
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte(" shows:")) {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			m := marker.FindStringSubmatch(c.Text)
			if m == nil {
				continue
			}
			place := fmt.Sprintf("%s:%d", f.relative(path), set.Position(c.Pos()).Line)
			// A marker counts for the test around it; elsewhere no one would notice that
			// the test was deleted.
			test := testAt(file, c.Pos())
			if test == "" {
				f.errs = append(f.errs, fmt.Errorf("%s: the marker belongs to no test", place))
				continue
			}
			numbers, part := f.numbers(place, m[1])
			if part != "" {
				if !hasCase(filepath.Dir(path), text, part) {
					f.errs = append(f.errs, fmt.Errorf("%s: there is no case %s", place, part))
				}
				test += "/" + part
			}
			for _, n := range numbers {
				f.add(n, fmt.Sprintf("`%s` `%s`", f.relative(filepath.Dir(path)), test))
			}
		}
	}
	return nil
}

// testAt returns the name of the test in whose comment or body a position is; empty outside
// of tests, as in a helper function.
func testAt(file *ast.File, at token.Pos) string {
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		// The comment above a function belongs to it.
		begin := fn.Pos()
		if fn.Doc != nil {
			begin = fn.Doc.Pos()
		}
		name := fn.Name.Name
		if at >= begin && at < fn.End() && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")) {
			return name
		}
	}
	return ""
}

// hasCase reports whether a test has a case: its file has the name in quotes, or there is a
// file of that name beside it or in its testdata.
func hasCase(dir string, text []byte, name string) bool {
	if bytes.Contains(text, []byte(strconv.Quote(name))) {
		return true
	}
	here := false
	for _, pattern := range []string{name + ".yaml", "testdata/" + name + ".*", "testdata/*/" + name + ".*"} {
		matches, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		here = here || err == nil && len(matches) > 0
	}
	return here
}

// script reads the markers of a script or a definition file, which belong to the whole
// file, and the numbers that events of the catalogue have, which belong to the test of
// their samples.
func (f *found) script(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	name, number, event := f.relative(path), 0, ""
	catalogue := strings.HasPrefix(name, "presets/events/")
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		place := fmt.Sprintf("%s:%d", name, number)
		if m := marker.FindStringSubmatch(line); m != nil && strings.HasPrefix(line, "#") {
			numbers, part := f.numbers(place, m[1])
			if part != "" {
				f.errs = append(f.errs, fmt.Errorf("%s: a file has no cases", place))
			}
			for _, n := range numbers {
				f.add(n, "`"+name+"`")
			}
		}
		// The catalogue is YAML, but only two of its lines matter here: the name of an
		// event, and its capabilities.
		if rest, ok := strings.CutPrefix(line, "- event: "); ok && catalogue {
			event = rest
		}
		if rest, ok := strings.CutPrefix(line, "capabilities: ["); ok && catalogue {
			numbers, _ := f.numbers(place, " "+strings.TrimSuffix(rest, "]"))
			for _, n := range numbers {
				if n >= catalogueFirst && n <= catalogueLast { // the others name what the event is used for
					f.add(n, "`presets` `TestSamplesFire` ("+event+")")
				}
			}
		}
	}
	return nil
}

// numbers reads the body of a marker at a place: its numbers, with ranges written out, and
// the name of the case, which is empty for the whole test.
func (f *found) numbers(place, text string) (all []int, part string) {
	m := markerBody.FindStringSubmatch(text)
	if m == nil {
		f.errs = append(f.errs, fmt.Errorf("%s: the marker%s is not understood; write for example shows: 3, 5-7",
			place, text))
		return nil, ""
	}
	for _, item := range strings.Split(m[1], ", ") {
		low, high, isRange := strings.Cut(item, "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		// A longer range is a typing mistake.
		if err1 != nil || err2 != nil || to < from || to-from > 1000 {
			f.errs = append(f.errs, fmt.Errorf("%s: %s is no range", place, item))
			return nil, ""
		}
		for n := from; n <= to; n++ {
			all = append(all, n)
		}
	}
	return all, m[2]
}

// sortedKeys returns the keys of m in ascending order.
func sortedKeys(m map[int][]string) []int {
	keys := make([]int, 0, len(m))
	for n := range m { //nudge:unordered sorted below
		keys = append(keys, n)
	}
	sort.Ints(keys)
	return keys
}

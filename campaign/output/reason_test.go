package output_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the root of the repository, from this folder.
const root = "../.."

// TestEveryReason: each reason is given by the product, is explained in docs/reference/reasons.md,
// and is in what a test expects: a script, a file of what a command prints, or a test itself.
func TestEveryReason(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "reference", "reasons.md"))
	if err != nil {
		t.Fatal(err)
	}
	reasons := reasons(t)
	given, expected := map[string]bool{}, map[string]bool{}
	walk := func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return fs.SkipDir
		}
		test := strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/testdata/") && strings.HasSuffix(path, ".txt")
		if d.IsDir() || !test && !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "output/reason.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for name, value := range reasons {
			if strings.Contains(string(text), "output."+name) || test && strings.Contains(string(text), value) {
				given[name], expected[name] = given[name] || !test, expected[name] || test
			}
		}
		return nil
	}
	if err := filepath.WalkDir(root, walk); err != nil {
		t.Fatal(err)
	}
	for name, value := range reasons {
		if !given[name] {
			t.Errorf("%s is given by nothing; remove it", name)
		}
		if !expected[name] && !atLimits(name) {
			t.Errorf("no test expects %s; tell in a script when it is given", name)
		}
		if !strings.Contains(string(page), "`"+value+"`") {
			t.Errorf("docs/reference/reasons.md does not explain %s", value)
		}
	}
}

// atLimits says of a reason that it is given at a limit or a loss that no script reaches.
func atLimits(name string) bool {
	switch name {
	case "ReasonMerges", "ReasonState", "ReasonStates", "ReasonTraits", "ReasonBulkScans", "ReasonAttempts":
		return true // limits
	case "ReasonGap":
		return true // a record of the log is missing
	}
	return false
}

// reasons are the values of the constants of type Reason, by name.
func reasons(t *testing.T) map[string]string {
	t.Helper()
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	constant := regexp.MustCompile(`(?m)^\t(Reason\w+) +Reason += "(\w+)"`)
	for _, m := range constant.FindAllStringSubmatch(string(source), -1) {
		all[m[1]] = m[2]
	}
	if len(all) < 70 {
		t.Fatalf("got %d reasons; want those of reason.go", len(all))
	}
	return all
}

package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/internal/lint"
)

// planted is a tree in which a rule must find exactly the lines of want. A line
// that ends in "BAD" is one of them, so a case shows what is wrong where it is
// wrong; where a comment would change the case, want says it instead.
type planted struct {
	name  string
	rule  string
	files map[string]string
	want  []string
}

// TestRulesCanFail feeds each rule what it exists to refuse, beside look-alikes
// that it must let pass.
func TestRulesCanFail(t *testing.T) {
	cases := slices.Concat(plantedShapes(), plantedTexts(), plantedCore(), plantedVariables(), plantedImports(),
		plantedPackages(), plantedMethods(), plantedParts(), plantedComments())
	tried := map[string]bool{}
	for _, c := range cases {
		tried[c.rule] = true
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			want := append(badLines(c.files), c.want...)
			slices.Sort(want)
			var got []string
			for _, finding := range check(t, c.rule, c.files) {
				got = append(got, fmt.Sprintf("%s:%d", finding.Path, finding.Line))
				if finding.Wrong == "" || finding.Instead == "" {
					t.Errorf("finding without words; got %+v; want what is wrong and what to do", finding)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("unexpected findings; got %q; want %q", got, want)
			}
		})
	}
	for _, rule := range lint.Rules() {
		if !tried[rule.Name] {
			t.Errorf("rule %q was never seen to fail; plant a bad source for it", rule.Name)
		}
	}
}

// TestFindingReads pins the form of a message.
func TestFindingReads(t *testing.T) {
	got := lint.Finding{Path: "a/b.go", Line: 7, Wrong: "it is wrong", Instead: "do this"}.String()
	if want := "a/b.go:7: it is wrong; do this"; got != want {
		t.Errorf("unexpected message; got %q; want %q", got, want)
	}
}

func check(t *testing.T, name string, files map[string]string) []lint.Finding {
	t.Helper()
	for _, rule := range lint.Rules() {
		if rule.Name == name {
			return rule.Check(lint.Parse(files))
		}
	}
	t.Fatalf("no rule is named %q", name)
	return nil
}

func badLines(files map[string]string) []string {
	var lines []string
	for name, data := range files {
		for i, line := range strings.Split(data, "\n") {
			if strings.HasSuffix(line, "BAD") {
				lines = append(lines, fmt.Sprintf("%s:%d", name, i+1))
			}
		}
	}
	return lines
}

// source joins lines of Go under a package clause that needs no comment.
func source(lines ...string) string {
	return "package p\n" + strings.Join(lines, "\n") + "\n"
}

func repeat(line string, times int) string {
	return strings.TrimSuffix(strings.Repeat(line+"\n", times), "\n")
}

package lint_test

import (
	"path/filepath"
	"testing"

	"github.com/nudge-engine/nudge/internal/lint"
)

// TestTidy applies every rule to the repository that this test lies in.
func TestTidy(t *testing.T) {
	root, err := filepath.Abs("../..") // the go command runs a test in its own directory
	if err != nil {
		t.Fatal(err)
	}
	repo, err := lint.Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if len(repo.Go) == 0 {
		t.Fatalf("no Go files under %s", root)
	}
	for _, rule := range lint.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, finding := range rule.Check(repo) {
				t.Error(finding)
			}
		})
	}
}

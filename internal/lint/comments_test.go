package lint_test

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/nudge-engine/nudge/internal/lint"
)

var draw = flag.Uint64("draw", 0, "print 40 doc comments of the product, drawn by this seed")

// drawn is how many doc comments are drawn for a reader who has not seen the code.
const drawn = 40

// TestDrawnComments prints doc comments for somebody to read:
//
//	go test ./internal/lint -run TestDrawnComments -v -draw=7
func TestDrawnComments(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	repo, err := lint.Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	all := lint.DocComments(repo)
	if len(all) < drawn {
		t.Fatalf("%d doc comments", len(all))
	}
	t.Logf("%d doc comments; comment lines are %.3f of all", len(all), lint.CommentShare(repo))
	if *draw == 0 {
		return
	}
	rng := rand.New(rand.NewPCG(*draw, 0))
	for _, i := range rng.Perm(len(all))[:drawn] {
		c := all[i]
		t.Logf("%s:%d\n%s    %s", c.Path, c.Line, c.Text, c.Decl)
	}
}

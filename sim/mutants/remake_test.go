package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const shopBefore = `package shop

// Limit is how many.
func (s *Shop) limit(o *Order) int {
	if o.Count > s.most {
		return s.most
	}
	s.note(o, "in the limit")
	return o.Count
}

// free says whether an order costs nothing to send.
func (s *Shop) free(o *Order) bool {
	sum := 0
	for _, line := range o.Lines {
		sum += line.Price * line.Count
	}
	return sum > s.freeFrom
}

// old is rewritten later.
func (s *Shop) old(o *Order) int {
	for i := range o.Lines {
		o.Lines[i].Count++
	}
	return len(o.Lines)
}
`

// The same, in two files of another package and with other names; old is another.
const (
	limitAfter = `package till

import "shop/order"

// limit is how many may be ordered.
func (t *Till) limit(o *order.Order) int {
	if o.Count > t.Max {
		return t.Max
	}
	t.note(o, "in the limit")
	return o.Count
}

func (t *Till) old(o *order.Order) (sum int) {
	if o.Lines == nil {
		return 0
	}
	return o.Sum()
}
`
	freeAfter = `package till

import "shop/order"

// costsNothing says whether an order costs nothing to send.
func (t *Till) costsNothing(o *order.Order) bool {
	total := 0
	for _, line := range o.Lines {
		total += line.Price * line.Count
	}
	return total > t.FreeFrom
}
`
)

// TestRemake: patches go through a rename, a split and new names of identifiers, and one
// whose place was rewritten is named and left alone.
func TestRemake(t *testing.T) {
	root := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)
		if _, err := command(t.Context(), root, "git", args...); err != nil {
			t.Fatal(err)
		}
	}
	put := func(path, text string) {
		t.Helper()
		if err := write(filepath.Join(root, path), text); err != nil {
			t.Fatal(err)
		}
	}
	bug := func(name, old, planted string) {
		t.Helper()
		lines, err := unified(t.Context(), t.TempDir(), "shop.go", shopBefore, strings.ReplaceAll(shopBefore, old, planted))
		if err != nil {
			t.Fatal(err)
		}
		put("sim/mutants/"+name+".patch", "# "+name+" in words\n# and more\n"+lines)
	}
	git("init", "-q")
	put("shop.go", shopBefore)
	put("aside.go", "package shop\n\nfunc aside(s *Shop, o *Order) bool { return s.free(o) }\n")
	bug("renamed", "o.Count > s.most", "o.Count > s.most+1")
	bug("deleted", "sum += line.Price", "line.Count += sum; sum = line.Price")
	bug("rewritten", "o.Lines[i].Count++", "o.Lines[i].Count--")
	git("add", ".")
	git("commit", "-q", "-m", "before")
	if err := os.Remove(filepath.Join(root, "shop.go")); err != nil {
		t.Fatal(err)
	}
	put("till/limit.go", limitAfter)
	put("till/free.go", freeAfter)
	old, err := os.ReadFile(filepath.Join(root, "sim/mutants/rewritten.patch"))
	if err != nil {
		t.Fatal(err)
	}

	bugs, err := readBugs(root, bugFolder, "")
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	err = remake(t.Context(), root, "HEAD", bugs, false, &said)
	if err == nil || !strings.HasSuffix(err.Error(), "by hand: rewritten") {
		t.Errorf("got error %v; want one that names the patch rewritten alone\n%s", err, said.String())
	}
	if now, err := os.ReadFile(filepath.Join(root, "sim/mutants/rewritten.patch")); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the patch whose place was rewritten changed; got %s, %v", now, err)
	}
	for name, want := range map[string][]string{
		"renamed": {"# renamed in words\n# and more\n--- a/till/limit.go\n", "-\tif o.Count > t.Max {\n+\tif o.Count > t.Max+1 {\n"},
		"deleted": {"# deleted in words\n# and more\n--- a/till/free.go\n", "+\t\tline.Count += total\n+\t\ttotal = line.Price * line.Count\n"},
	} {
		got, err := os.ReadFile(filepath.Join(root, "sim/mutants", name+".patch"))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(got), w) {
				t.Errorf("%s: got\n%s\nwant in it\n%s", name, got, w)
			}
		}
		if _, err := command(t.Context(), root, "git", "apply", "--check", "sim/mutants/"+name+".patch"); err != nil {
			t.Error(err)
		}
	}
}

// TestTokens: what is cut can be put together again.
func TestTokens(t *testing.T) {
	src := "package p // why\n\nvar s = `a\n b` ; var r = 'x' /* two\nlines */\n\n"
	list, err := tokens(src)
	if err != nil || join(list) != src {
		t.Errorf("got %q, %v; want the source", list, err)
	}
	if _, err := tokens("package p\nvar s = \"open\n"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v; want an error in line 2", err)
	}
}

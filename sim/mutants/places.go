package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// places are the Go files of the working tree, and what is found in them.
type places struct {
	paths []string
	text  map[string]string
	grams map[string]map[string]bool // three tokens in a row, by path
}

func sources(ctx context.Context, root string) (*places, error) {
	list, err := command(ctx, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.go")
	if err != nil {
		return nil, err
	}
	p := &places{text: map[string]string{}, grams: map[string]map[string]bool{}}
	for path := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, path))
		if errors.Is(err, os.ErrNotExist) || strings.HasSuffix(path, "_test.go") {
			continue
		}
		if err != nil {
			return nil, err
		}
		toks, err := tokens(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		p.paths = append(p.paths, path)
		p.text[path] = string(text)
		p.grams[path] = map[string]bool{}
		for _, g := range grams(toks) {
			p.grams[path][g] = true
		}
	}
	return p, nil
}

// grams are the tokens of a text three by three, without white space and comments.
func grams(toks []string) []string {
	toks = slices.DeleteFunc(slices.Clone(toks), func(t string) bool { return isBlank(t) || isComment(t) })
	var list []string
	for i := 2; i < len(toks); i++ {
		list = append(list, toks[i-2]+" "+toks[i-1]+" "+toks[i])
	}
	return list
}

// tried is how many files are looked at for the place of an edit.
const tried = 4

// plant makes an edit in the file that has its place now.
func (p *places) plant(ctx context.Context, d differ, e edit, changed map[string]string) error {
	wanted := grams(e.around())
	share := func(path string) (n int) {
		for _, g := range wanted {
			if p.grams[path][g] {
				n += 2
			}
		}
		if path == e.path {
			n++ // of two that have as much of it
		}
		return n
	}
	likely := slices.Clone(p.paths)
	slices.SortStableFunc(likely, func(a, b string) int { return cmp.Compare(share(b), share(a)) })
	var (
		best     float64
		at, text string
		refused  []error
	)
	for _, path := range likely[:min(tried, len(likely))] {
		merged, kept, err := d.merge(ctx, e, cmp.Or(changed[path], p.text[path]))
		if err != nil {
			refused = append(refused, fmt.Errorf("now %s: %w", path, err))
		} else if kept > best {
			best, at, text = kept, path, merged
		}
	}
	if at == "" {
		return refused[0]
	}
	changed[at] = text
	return nil
}

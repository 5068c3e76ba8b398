package main

import (
	"context"
	"errors"
	"fmt"
	"go/format"
	"strings"
)

// edit is a part of a bug that lies in one place of one file: changes made theirs of base.
type edit struct {
	path         string // of the file, as it was
	base, theirs []string
	changes      []change
}

// apart is how many tokens lie between two edits at least.
const apart = 60

// edits says what a bug changes in a file.
func (d differ) edits(ctx context.Context, path, base, theirs string) ([]edit, error) {
	b, err := tokens(base)
	if err != nil {
		return nil, fmt.Errorf("%s as it was: %w", path, err)
	}
	t, err := tokens(theirs)
	if err != nil {
		return nil, fmt.Errorf("%s with the bug: %w", path, err)
	}
	changes, err := d.changes(ctx, b, t)
	if err != nil {
		return nil, err
	}
	var list []edit
	for i, c := range changes {
		if i == 0 || c.a0-changes[i-1].a1 >= apart {
			list = append(list, edit{path: path, base: b, theirs: t})
		}
		last := &list[len(list)-1]
		last.changes = append(last.changes, c)
	}
	return list, nil
}

// around is what base has around the edit.
func (e *edit) around() []string {
	from, to := e.changes[0].a0, e.changes[len(e.changes)-1].a1
	return e.base[max(0, from-2*near):min(len(e.base), to+2*near)]
}

// minKept is the share of the tokens around an edit that must have stayed for it to be
// made there.
const minKept = 0.5

// merge makes an edit in ours, which came from base, token by token: so names may have
// changed, and packages been added to them, around the edit and in it. kept says how much
// of what is around it stayed, from 0 to 1.
func (d differ) merge(ctx context.Context, e edit, ours string) (merged string, kept float64, err error) {
	o, err := tokens(ours)
	if err != nil {
		return "", 0, err
	}
	since, err := d.changes(ctx, e.base, o)
	if err != nil {
		return "", 0, err
	}
	var (
		a    = align(e.base, o, since)
		text strings.Builder
		end  int
	)
	kept = 1
	for _, c := range e.changes {
		from, to, ok := a.place(c.a0, c.a1)
		if !ok || from < end {
			return "", 0, errors.New("what the bug changes was rewritten")
		}
		kept = min(kept, a.kept(c.a0, c.a1, from))
		text.WriteString(join(o[end:from]))
		for i := c.b0; i < c.b1; i++ {
			text.WriteString(a.renamed(e.theirs, i, c.a0))
		}
		end = to
	}
	text.WriteString(join(o[end:]))
	if kept < minKept {
		return "", 0, fmt.Errorf("what is around the bug was rewritten; %.0f %% of it stayed", 100*kept)
	}
	if text.String() == ours {
		return "", 0, errors.New("it changes nothing")
	}
	merged, err = formatted(text.String(), ours)
	return merged, kept, err
}

// formatted lays out what was merged into ours as gofmt does, unless ours is not.
func formatted(merged, ours string) (string, error) {
	clean, err := format.Source([]byte(merged))
	if err != nil {
		return "", fmt.Errorf("merged: %w", err)
	}
	if before, err := format.Source([]byte(ours)); err != nil || string(before) != ours {
		return merged, nil //nolint:nilerr // the bug is all that the patch is to change
	}
	return string(clean), nil
}

func join(toks []string) string { return strings.Join(toks, "") }

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// remake carries bugs over a rearrangement of the tree: at the revision since their
// patches apply, and they are written anew against the working tree. A bug whose place
// was rewritten is named and its patch stays as it is.
func remake(ctx context.Context, root, since string, bugs []bug, compile bool, progress io.Writer) error {
	now, err := sources(ctx, root)
	if err != nil {
		return err
	}
	var failed []string
	for i, b := range bugs {
		said := "as it was"
		if (&tree{root: root}).apply(ctx, b, "--check") != nil {
			said, err = remakeOne(ctx, root, since, b, now)
		}
		if err == nil && compile {
			err = compiles(ctx, root, b)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed, said = append(failed, b.name), "by hand: "+err.Error()
		}
		fmt.Fprintf(progress, "%d/%d %s: %s\n", i+1, len(bugs), b.name, strings.TrimSpace(said))
		err = nil
	}
	if len(failed) > 0 {
		return fmt.Errorf("make these patches by hand: %s", strings.Join(failed, ", "))
	}
	return nil
}

// remakeOne writes one patch anew and says where its bug is now.
func remakeOne(ctx context.Context, root, since string, b bug, now *places) (string, error) {
	dir, err := os.MkdirTemp("", "nudge-remake-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	edits, err := planted(ctx, root, since, b, dir)
	if err != nil {
		return "", err
	}
	d := differ{dir: dir}
	changed := map[string]string{} // what files are with the bug, by path
	for _, e := range edits {
		if err := now.plant(ctx, d, e, changed); err != nil {
			return "", fmt.Errorf("%s: %w", e.path, err)
		}
	}
	text, err := heading(b.path)
	if err != nil {
		return "", err
	}
	var paths []string
	for path := range changed {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		lines, err := unified(ctx, dir, path, now.text[path], changed[path])
		if err != nil {
			return "", err
		}
		text += lines
	}
	return strings.Join(paths, ", "), os.WriteFile(b.path, []byte(text), 0o644)
}

// heading is the lines before the difference of a patch, which say what it is.
func heading(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := string(data)
	end := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		end += len(line)
	}
	return text[:end], nil
}

// planted says what a bug changed at the revision since; dir is empty.
func planted(ctx context.Context, root, since string, b bug, dir string) ([]edit, error) {
	patch, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	base := map[string]string{}
	var paths []string
	for _, m := range regexp.MustCompile(`(?m)^\+\+\+ b/(.*)$`).FindAllStringSubmatch(string(patch), -1) {
		text, err := command(ctx, root, "git", "show", since+":"+m[1])
		if err != nil {
			return nil, err
		}
		if err := write(filepath.Join(dir, m[1]), text); err != nil {
			return nil, err
		}
		base[m[1]] = text
		paths = append(paths, m[1])
	}
	if err := (&tree{root: dir}).apply(ctx, b); err != nil {
		return nil, fmt.Errorf("at %s: %w", since, err)
	}
	var list []edit
	for _, path := range paths {
		theirs, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return nil, err
		}
		edits, err := differ{dir: dir}.edits(ctx, path, base[path], string(theirs))
		if err != nil {
			return nil, err
		}
		list = append(list, edits...)
	}
	return list, nil
}

// unified is the difference between two texts of a file, as patches write it.
func unified(ctx context.Context, dir, path, before, after string) (string, error) {
	for side, text := range map[string]string{"a": before, "b": after} {
		dir := filepath.Join(dir, "sides", side)
		if err := write(filepath.Join(dir, path), text); err != nil {
			return "", err
		}
	}
	out, err := diff(ctx, filepath.Join(dir, "sides"), "--no-prefix", "a/"+path, "b/"+path)
	if err != nil {
		return "", err
	}
	_, lines, ok := strings.Cut(out, "\n--- ")
	if !ok {
		return "", errors.New("git diff shows no lines")
	}
	return "--- " + lines, nil
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

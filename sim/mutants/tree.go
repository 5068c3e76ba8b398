package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// bug is one patch.
type bug struct {
	name  string // of the file, without .patch
	words string // its first line
	path  string // absolute
}

// repository is the root of the working tree.
func repository(ctx context.Context) (string, error) {
	out, err := command(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return "", fmt.Errorf("%w; run this inside the repository", err)
	}
	return strings.TrimSpace(out), nil
}

// bugFolder is where the bugs are, from the root.
const bugFolder = "sim/mutants"

// readBugs reads the first lines of the patches of a folder; only names some of them, with commas
// between, or none for all.
func readBugs(root, folder, only string) ([]bug, error) {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.patch"))
	if err != nil {
		return nil, err
	}
	var bugs []bug
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".patch")
		if only != "" && !slices.Contains(strings.Split(only, ","), name) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(string(text), "\n")
		words, ok := strings.CutPrefix(first, "# ")
		if !ok {
			return nil, fmt.Errorf("%s does not begin with a line \"# what is broken, in words\"; add one", path)
		}
		bugs = append(bugs, bug{name: name, words: words, path: path})
	}
	if len(bugs) == 0 {
		return nil, fmt.Errorf("no patch %q in %s; look at the names of the .patch files there", only, folder)
	}
	return bugs, nil
}

// tree is a copy of the working tree in which bugs are planted.
type tree struct{ root string }

// copyTree copies what git tracks or would track, as it stands in the working tree.
func copyTree(ctx context.Context, root string) (*tree, error) {
	list, err := command(ctx, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	to, err := os.MkdirTemp("", "nudge-mutants-")
	if err != nil {
		return nil, err
	}
	t := &tree{root: to}
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		if err := copyFile(filepath.Join(root, name), filepath.Join(to, name)); err != nil {
			t.remove()
			return nil, err
		}
	}
	return t, nil
}

func (t *tree) remove() { _ = os.RemoveAll(t.root) } // what is left is in the temporary directory

// copyFile copies a file; one that was deleted and is still tracked is left out.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// plant plays the worlds with one bug and takes it out again.
func (t *tree) plant(ctx context.Context, b bug, c config) (r result, err error) {
	if err := t.apply(ctx, b); err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, t.apply(context.WithoutCancel(ctx), b, "--reverse")) }()
	r, err = t.play(ctx, min(c.few, c.seeds), c.limit)
	if err == nil && !r.found() && c.seeds > c.few {
		r, err = t.play(ctx, c.seeds, c.limit)
	}
	if err != nil {
		return result{}, fmt.Errorf("with %s: %w", b.name, err)
	}
	r.bug = b
	return r, nil
}

func (t *tree) apply(ctx context.Context, b bug, more ...string) error {
	if _, err := command(ctx, t.root, "git", append(append([]string{"apply"}, more...), b.path)...); err != nil {
		return fmt.Errorf("%w\n%s no longer applies; make it again against the present code", err, b.path)
	}
	return nil
}

// play plays the worlds of the first seeds.
func (t *tree) play(ctx context.Context, seeds int, limit time.Duration) (result, error) {
	test := filepath.Join(t.root, "world.test")
	build := []string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", test, "./sim"}
	if _, err := command(ctx, t.root, "go", build...); err != nil {
		return result{}, fmt.Errorf("%w\nthe simulator does not build; make the patch so that it does", err)
	}
	out, failure := command(ctx, filepath.Join(t.root, "sim"), test, "-test.run=^TestWorld$", "-test.v",
		"-test.timeout="+limit.String(), fmt.Sprintf("-seeds=%d", seeds), "-all")
	if ctx.Err() != nil {
		return result{}, ctx.Err()
	}
	r := read(out)
	r.played = seeds
	if failure != nil && !r.found() {
		return result{}, fmt.Errorf("%w\nthe test failed and named no seed; look at count in sim/sim_test.go", failure)
	}
	return r, nil
}

// read reads what TestWorld -all printed.
func read(out string) result {
	failures := regexp.MustCompile(`seed (\d+) failed: (.*)`).FindAllStringSubmatch(out, -1)
	r := result{failed: len(failures), first: "-"}
	if len(failures) > 0 {
		r.first, r.how = failures[0][1], failures[0][2]
	}
	switch {
	case regexp.MustCompile(`\d+ of \d+ seeds failed`).MatchString(out):
	case strings.Contains(out, "panic: test timed out"):
		r.broken = "hangs"
	default:
		r.broken = "crashes"
	}
	return r
}

// command runs a program in dir. Its output is part of the error.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir)) // the copy is in no repository
	out, err := c.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return string(out), nil
}

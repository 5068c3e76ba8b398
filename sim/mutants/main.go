// Program mutants says how good a judge the simulator is. Each patch beside it
// plants one bug; the program plants them one at a time in a copy of the tree and
// counts the worlds that fail:
//
//	go run ./sim/mutants -seeds=300        # print the table
//	go run ./sim/mutants -only=dedupe      # one bug; or more, with commas between
//	make mutants                           # rewrite the table of docs/testing.md
//	go run ./sim/mutants -remake=HEAD      # write the patches anew after code moved or was renamed
//	go run ./sim/mutants -remake=HEAD -in=internal/extending/testdata/verb # those of another folder
//
// The first line of a patch is the bug in words. The program fails when a patch no
// longer applies, when a bug is found by no world, and when a world fails without
// a bug.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// config is what the flags say.
type config struct {
	seeds int
	few   int
	only  string
	write bool
	limit time.Duration

	remake  string
	in      string
	compile bool
}

func main() {
	var c config
	flag.IntVar(&c.seeds, "seeds", 300, "how many worlds are played for each bug at most, from seed 0 on")
	flag.IntVar(&c.few, "few", 75, "how many of them are played first; the others where none of these fails")
	flag.StringVar(&c.only, "only", "", "plant these bugs alone: names of patches without .patch, with commas between")
	flag.BoolVar(&c.write, "write", false, "rewrite the table of docs/testing.md")
	flag.DurationVar(&c.limit, "limit", 5*time.Minute, "how long the worlds of one bug may take; then they hang")
	flag.StringVar(&c.remake, "remake", "", "plant nothing; write the patches, which apply to this revision, anew")
	flag.StringVar(&c.in, "in", bugFolder, "with -remake: the folder of the patches, from the root")
	flag.BoolVar(&c.compile, "compile", false, "with -remake: also build with each bug (minutes)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, c, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "mutants: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c config, out, progress io.Writer) error {
	if c.write && c.only != "" {
		return errors.New("-write makes the table of all bugs; leave out -only")
	}
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	if c.in != bugFolder && c.remake == "" {
		return errors.New("-in goes with -remake: only the patches of " + bugFolder + " are bugs")
	}
	bugs, err := readBugs(root, c.in, c.only)
	if err != nil {
		return err
	}
	if c.remake != "" {
		return remake(ctx, root, c.remake, bugs, c.compile, out)
	}
	results, err := plant(ctx, root, bugs, c, progress)
	if err != nil {
		return err
	}
	table := markdown(results)
	fmt.Fprint(out, table)
	if c.write {
		if err := rewrite(filepath.Join(root, "docs", "testing.md"), table); err != nil {
			return err
		}
	}
	return missed(results)
}

// workers is how many copies of the tree there are; each has one bug at a time.
const workers = 2

// plant plays the worlds without a bug, then with each.
func plant(ctx context.Context, root string, bugs []bug, c config, progress io.Writer) ([]result, error) {
	var trees [workers]*tree
	for i := range trees {
		t, err := copyTree(ctx, root)
		if err != nil {
			return nil, err
		}
		defer t.remove()
		trees[i] = t
	}
	clean, err := trees[0].play(ctx, c.seeds, c.limit)
	if err != nil {
		return nil, err
	}
	if clean.found() {
		return nil, fmt.Errorf("worlds fail without a planted bug: %s, first %s; make them pass first: make sim",
			clean.words(), clean.first)
	}
	var (
		results  = make([]result, len(bugs))
		failures [workers]error
		next     atomic.Int64
		wg       sync.WaitGroup
	)
	for w, t := range trees {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(bugs)); i = next.Add(1) - 1 {
				began := time.Now()
				r, err := t.plant(ctx, bugs[i], c)
				if err != nil {
					failures[w] = err
					next.Store(int64(len(bugs))) // the others stop too
					return
				}
				fmt.Fprintf(progress, "%d/%d %s: %s in %v; first seed %s: %s\n", i+1, len(bugs), r.bug.name, r.words(),
					time.Since(began).Round(100*time.Millisecond), r.first, r.how)
				results[i] = r
			}
		})
	}
	wg.Wait()
	return results, errors.Join(failures[:]...)
}

// missed is an error that names the bugs that no world found.
func missed(results []result) error {
	var names []string
	for i := range results {
		if !results[i].found() {
			names = append(names, results[i].bug.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("no world found %s; play more -seeds, or have sim/workload come to what the bug needs",
		strings.Join(names, ", "))
}

// markdown is the table, the bugs that are found most often first, and at the end those
// that few worlds find.
func markdown(results []result) string {
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.played, b.played), cmp.Compare(b.failed, a.failed))
	})
	var s strings.Builder
	s.WriteString("| planted bug | seeds that fail | of | first seed |\n|---|---|---|---|\n")
	for i := range sorted {
		r := &sorted[i]
		fmt.Fprintf(&s, "| %s | %s | %d | %s |\n", r.bug.words, r.words(), r.played, r.first)
	}
	return s.String()
}

// The table stands between these lines.
const (
	tableBegin = "<!-- mutants: begin; written by make mutants -->\n"
	tableEnd   = "<!-- mutants: end -->\n"
)

// rewrite puts the table between the markers of a document.
func rewrite(path, table string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, begun := strings.Cut(string(old), tableBegin)
	_, tail, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		return fmt.Errorf("%s has no place for the table; put these lines where it belongs:\n%s%s", path, tableBegin,
			tableEnd)
	}
	return os.WriteFile(path, []byte(head+tableBegin+"\n"+table+"\n"+tableEnd+tail), 0o644)
}

// result is what the worlds said about a bug.
type result struct {
	bug    bug
	played int    // worlds
	failed int    // of them
	broken string // how the worlds ended before their time: "hangs" or "crashes"
	first  string // the first seed that failed
	how    string // and what it said
}

func (r *result) found() bool { return r.failed > 0 || r.broken != "" }

// words are the figure, as far as there is one.
func (r *result) words() string {
	if r.broken == "" {
		return strconv.Itoa(r.failed)
	}
	return fmt.Sprintf("%s (%d before)", r.broken, r.failed)
}

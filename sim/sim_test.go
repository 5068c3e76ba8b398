package sim_test

import (
	"bufio"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/sim"
	"github.com/nudge-engine/nudge/sim/workload"
)

var (
	seeds     = flag.Int("seeds", 300, "how many worlds TestWorld plays")
	from      = flag.Uint64("from", 0, "the first seed that TestWorld plays")
	olderFlag = flag.Bool("older", false, "with -seed: leave out the profile Values, as for some regressions")
	plainFlag = flag.Bool("plain", false, "with -seed: leave out all profiles, as for the oldest regressions")
	seedFlag  = flag.String("seed", "", "play the world of this seed alone")
	all       = flag.Bool("all", false, "play every world, however many fail, and count them; see sim/mutants")
)

// determinism is how often a world is played twice.
const determinism = 50

// garbage is how much of it there may be before it is collected, in percent of what is in use.
const garbage = 1000

// maxFailed is how many worlds may fail before the rest is left out.
const maxFailed = 3

func language(t *testing.T) *expr.Language {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	return lang
}

// valuesIn reports whether a seed's world has the profile Values.
func valuesIn(seed uint64) bool { return seed%12 == 3 || seed%12 == 5 }

// exactEvery is how many seeds there are for one whose calls come at the very
// instants that campaigns look at, and are taken in at once.
const exactEvery = 5

// overloadEvery is how many seeds there are for one with more timers due at once than a
// step fires; it takes a second or two.
const overloadEvery = 150

// wholeEvery is how many seeds there are for one whose campaigns use the whole language.
const wholeEvery = 2

// mergeEvery is how many seeds there are for one whose customers merge and are erased.
const mergeEvery = 4

// edgesEvery is how many seeds there are for one with campaigns that are met at the very
// instants at which their rules turn; its calls are exact and it has the whole language.
const edgesEvery = 10

// edgesLeftOut is how many of those there are for one that stays as it was: one of them,
// 959, is a regression.
const edgesLeftOut = 3

// world is the world of a seed; plain leaves out all profiles, older the profile Values alone.
func world(t *testing.T, lang *expr.Language, seed uint64, plain, older bool) (*sim.World, sim.Options) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	o := sim.Draw(rng)
	if !plain {
		o = o.Operations(rand.New(rand.NewPCG(seed, 3)))
	}
	if !plain && seed%wholeEvery == wholeEvery-1 {
		o = o.WholeLanguage(rand.New(rand.NewPCG(seed, 4)))
		o = o.DatesAndStatuses(rand.New(rand.NewPCG(seed, 5)))
		o = o.Changes(rand.New(rand.NewPCG(seed, 7)))
		o = o.CallsAndExperiments(rand.New(rand.NewPCG(seed, 8)))
		o = o.RealSources(rand.New(rand.NewPCG(seed, 10)))
		if !older && valuesIn(seed) {
			o = o.Values(rand.New(rand.NewPCG(seed, 11)))
		}
	}
	exact := seed%exactEvery == exactEvery-1
	if exact {
		o.Latency, o.Clock = 0, 0
	}
	overload := !plain && seed%overloadEvery == overloadEvery-2
	if overload {
		o = o.Overload()
	}
	merges, people := !plain && !overload && seed%mergeEvery == mergeEvery-2, 0
	own := rand.New(rand.NewPCG(seed, 5))
	if merges {
		o, people = o.Merging(own), 2+own.IntN(7)
	}
	load := workload.Generate(rng, workload.Options{
		Calls: o.Calls, Customers: people, Exact: exact, Cooldowns: exact && !plain, Expires: o.Expires, Edits: o.Edits,
		Features: o.Language,
	})
	if overload {
		load = workload.Burst()
	}
	if merges {
		workload.Identify(own, &load, o.Identity)
	}
	if !plain && seed%edgesEvery == edgesEvery-1 && seed%edgesLeftOut != edgesLeftOut-1 {
		workload.Edges(rand.New(rand.NewPCG(seed, 9)), &load)
	}
	w, err := sim.New(lang, rng, o, load)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return w, o
}

func play(t *testing.T, lang *expr.Language, seed uint64, plain, older bool) (w *sim.World, ok bool) {
	t.Helper()
	w, o := world(t, lang, seed, plain, older)
	err := w.Run()
	if err != nil {
		t.Errorf("seed %d: %v\n\noptions: %s\n\n%s\n\nat commit %s: go test ./sim -run TestWorld -seed=%d -plain=%v -older=%v -v",
			seed, err, o, strings.Join(w.Trace(), "\n"), commit(), seed, plain, older)
	}
	return w, err == nil
}

// commit names the tree that failed: a seed is the same world only there. It ends in
// -dirty when something is not committed.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--exclude=*").Output()
	if err != nil {
		return "unknown" // a copy of the tree without its history
	}
	return strings.TrimSpace(string(out))
}

func TestWorld(t *testing.T) {
	// shows: 3, 16, 116, 118, 173
	lang := language(t)
	defer debug.SetGCPercent(debug.SetGCPercent(garbage)) // what a world makes is soon garbage
	if *seedFlag != "" {
		seed, err := strconv.ParseUint(*seedFlag, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := play(t, lang, seed, *plainFlag, *olderFlag)
		t.Logf("trace %016x, reached %v", w.Hash(), w.Reached())
		t.Log(strings.Join(w.Trace(), "\n"))
		return
	}
	if *all {
		count(t, lang)
		return
	}
	began := time.Now()
	var (
		mu      sync.Mutex
		reached = sim.Reach{}
		failed  atomic.Int64
	)
	one := func(r regression, twice bool) {
		w, ok := play(t, lang, r.seed, r.plain, r.older)
		mu.Lock()
		reached.Add(w.Reached())
		mu.Unlock()
		if !ok {
			failed.Add(1)
		}
		if twice {
			if again, _ := play(t, lang, r.seed, r.plain, r.older); again.Hash() != w.Hash() {
				t.Errorf("seed %d played twice: traces %016x and %016x", r.seed, w.Hash(), again.Hash())
			}
		}
	}
	worlds := regressions(t)
	for seed := *from; seed < *from+uint64(*seeds); seed++ {
		worlds = append(worlds, regression{seed: seed})
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) { // each world on one goroutine
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(worlds)) && failed.Load() < maxFailed; i = next.Add(1) - 1 {
				one(worlds[i], worlds[i].seed%determinism == 0 && !worlds[i].plain)
			}
		})
	}
	all.Wait()
	if failed.Load() >= maxFailed {
		t.Fatal("enough worlds failed")
	}
	for _, name := range sim.Rare() {
		if reached[name] == 0 && *seeds >= 300 {
			t.Errorf("never reached: %s", name)
		}
	}
	t.Logf("%d worlds in %v; reached %v", *seeds, time.Since(began), reached)
}

// count plays every world and says how many fail, in the words that sim/mutants reads.
func count(t *testing.T, lang *expr.Language) {
	t.Helper()
	failed := 0
	for seed := *from; seed < *from+uint64(*seeds); seed++ {
		w, _ := world(t, lang, seed, false, false)
		if err := w.Run(); err != nil {
			failed++
			what, _, _ := strings.Cut(err.Error(), "\n")
			t.Errorf("seed %d failed: %s", seed, what)
		}
	}
	t.Logf("%d of %d seeds failed", failed, *seeds)
}

// regression is a world that once failed.
type regression struct {
	seed  uint64
	plain bool
	older bool
}

// regressions are the worlds that once failed.
func regressions(t *testing.T) []regression {
	t.Helper()
	f, err := os.Open("testdata/regressions.txt")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []regression
	for s := bufio.NewScanner(f); s.Scan(); {
		text, _, _ := strings.Cut(s.Text(), "#")
		text, plain := strings.CutSuffix(strings.TrimSpace(text), "plain")
		text, older := strings.CutSuffix(text, "older")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		seed, err := strconv.ParseUint(text, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, regression{seed, plain, older})
	}
	return list
}

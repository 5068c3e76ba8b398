package winner

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/nudge-engine/nudge/campaign/program"
)

func rule() *program.WinnerRule {
	return &program.WinnerRule{MinPerVariant: 500, MinTime: 7, Confidence: 0.95, Deadline: 1_000_000}
}

// The quadrature against the closed form for two variants: the sum over the conversions
// of the second (whole parameters).
func TestBest(t *testing.T) {
	exact := func(a, b Arm) float64 {
		a1, b1 := posterior(a)
		a2, b2 := posterior(b)
		sum := 0.0
		for i := 0.0; i < a2; i++ {
			sum += math.Exp(logBeta(a1+i, b1+b2) - math.Log(b2+i) - logBeta(1+i, b2) - logBeta(a1, b1))
		}
		return sum // that b is better
	}
	for _, c := range [][4]int{
		{0, 0, 0, 0},
		{1, 0, 1, 1},
		{10, 1, 12, 3},
		{500, 50, 500, 65},
		{20_000, 400, 20_000, 440},
		{1000, 0, 1000, 3},
		{1000, 1000, 1000, 990},
		{5, 0, 100_000, 50},
	} {
		a := Arm{Exposures: c[0], Conversions: c[1], Weight: 1}
		b := Arm{Exposures: c[2], Conversions: c[3], Weight: 1}
		got := Best([]Arm{a, b})
		if want := exact(a, b); math.Abs(got[1]-want) > 1e-6 || math.Abs(got[0]+got[1]-1) > 1e-6 {
			t.Errorf("%v: %v; want %.9f for the second", c, got, want)
		}
	}
	three := Best([]Arm{{100, 10, 1}, {100, 10, 1}, {100, 10, 1}, {100, 99, 0}})
	for i, want := range []float64{1. / 3, 1. / 3, 1. / 3, 0} {
		if math.Abs(three[i]-want) > 1e-6 {
			t.Errorf("three equal ones and one without weight: %v", three)
		}
	}
}

// Chi-square against tables: 3.841 and 5.991 are the 5 % points of one and two degrees
// of freedom, 10.828 is the 0.1 % point of one.
func TestMismatch(t *testing.T) {
	for _, c := range []struct{ freedom, chi, want float64 }{
		{1, 3.841459, 0.05}, {2, 5.991465, 0.05}, {1, 10.827566, 0.001}, {9, 16.918978, 0.05}, {4, 0.1, 0.998790},
	} {
		if got := upperGamma(c.freedom/2, c.chi/2); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("chi-square %v of %v: %v; want %v", c.chi, c.freedom, got, c.want)
		}
	}
	if p := Mismatch([]Arm{{Exposures: 10_400, Weight: 50}, {Exposures: 9_600, Weight: 50}}); p >= blockBelow {
		t.Errorf("52 to 48 of 20,000: probability %v; want less than %v", p, blockBelow)
	}
	if p := Mismatch([]Arm{{Exposures: 10_100, Weight: 1}, {Exposures: 9_900, Weight: 1}}); p < 0.1 {
		t.Errorf("50.5 to 49.5 of 20,000: probability %v", p)
	}
	random := rand.New(rand.NewPCG(1, 2))
	const runs, n = 2000, 20_000
	fair, unfair := 0, 0
	for range runs {
		for share, count := range map[float64]*int{0.5: &fair, 0.52: &unfair} {
			a := int(math.Round(share*n + random.NormFloat64()*math.Sqrt(n*share*(1-share))))
			if Mismatch([]Arm{{Exposures: a, Weight: 1}, {Exposures: n - a, Weight: 1}}) < blockBelow {
				*count++
			}
		}
	}
	if fair > runs/200 || unfair < runs*95/100 {
		t.Errorf("of %d runs %d fair and %d unfair ones are blocked", runs, fair, unfair)
	}
}

// play runs one experiment of two or more variants with these rates and says who won, -1
// for nobody.
func play(random *rand.Rand, rates []float64, most int) int {
	arms := make([]Arm, len(rates))
	for i := range arms {
		arms[i].Weight = 1
	}
	var s State
	for n := range most {
		i := random.IntN(len(arms))
		arms[i].Exposures++
		if random.Float64() < rates[i] {
			arms[i].Conversions++
		}
		if n%50 != 0 {
			continue
		}
		var d Decision
		if d, s = Decide(rule(), 100, 0, arms, s); d.Verdict == Decided {
			return d.Winner
		}
	}
	return -1
}

// Where nothing differs a winner is found in at most twice (1 - confidence) of the runs;
// where one is better it is found.
func TestAA(t *testing.T) {
	// shows: 197
	const runs = 600
	for _, rates := range [][]float64{{0.1, 0.1}, {0.02, 0.02, 0.02}} {
		random := rand.New(rand.NewPCG(7, uint64(len(rates))))
		found := 0
		for range runs {
			if play(random, rates, 6_000) >= 0 {
				found++
			}
		}
		t.Logf("%d variants alike: a winner in %d of %d runs", len(rates), found, runs)
		if found > 2*runs*5/100 {
			t.Errorf("%d variants alike: a winner in %d of %d runs; want at most %d", len(rates), found, runs, 2*runs*5/100)
		}
		if found == 0 {
			t.Error("never a winner: the test shows nothing")
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	right, wrong := 0, 0
	for range 200 {
		switch play(random, []float64{0.10, 0.13}, 16_000) {
		case 1:
			right++
		case 0:
			wrong++
		}
	}
	if right < 190 || wrong > 4 {
		t.Errorf("10 %% against 13 %%: %d right, %d wrong of 200", right, wrong)
	}
}

// When it is looked, what a look costs, and what the deadline does.
func TestLooks(t *testing.T) {
	// shows: 197
	even := []Arm{{1000, 100, 1}, {1000, 100, 1}}
	better := []Arm{{1000, 100, 1}, {1000, 160, 1}}
	f := func(name string, change func(*program.WinnerRule), now int64, arms []Arm, s State, want Decision, then State) {
		t.Helper()
		r := rule()
		change(r)
		got, after := Decide(r, now, 0, arms, s)
		if got.Verdict != want.Verdict || got.Winner != want.Winner || after != then || got.Needed != want.Needed {
			t.Errorf("%s: %+v, state %+v", name, got, after)
		}
	}
	same := func(*program.WinnerRule) {}
	f("too early", same, 6, better, State{}, Decision{}, State{})
	f("too few", func(r *program.WinnerRule) { r.MinPerVariant = 1001 }, 7, better, State{}, Decision{}, State{})
	f("first look", same, 7, better, State{}, Decision{Verdict: Decided, Winner: 1, Needed: 0.975}, State{1, 2000, false})
	f("open", same, 7, even, State{}, Decision{Verdict: Open, Needed: 0.975}, State{1, 2000, false})
	f("not doubled", same, 9, better, State{1, 1001, false}, Decision{}, State{1, 1001, false})
	f("doubled", same, 9, better, State{1, 1000, false}, Decision{Verdict: Decided, Winner: 1, Needed: 0.9875}, State{2, 2000, false})
	uneven := []Arm{{1000, 100, 1}, {1300, 200, 1}}
	f("blocked", same, 9, uneven, State{}, Decision{Verdict: Blocked}, State{1, 2300, false})
	f("blocked before", same, 9, better, State{1, 1900, false}, Decision{}, State{1, 1900, false})
	f("doubled since", same, 9, better, State{1, 1000, false}, Decision{Verdict: Decided, Winner: 1, Needed: 0.9875},
		State{2, 2000, false})
	f("deadline, blocked", same, 1_000_000, uneven, State{1, 2000, false}, Decision{Verdict: Blocked}, State{1, 2300, true})
	f("deadline, not doubled since", same, 1_000_001, better, State{1, 1900, true}, Decision{}, State{1, 1900, true})
	f("deadline, doubled since", same, 1_000_001, better, State{1, 1000, true}, Decision{Verdict: Decided, Winner: 1},
		State{1, 1000, true})
	f("deadline", same, 1_000_000, better, State{1, 2000, false}, Decision{Verdict: Decided, Winner: 1}, State{1, 2000, false})
	f("deadline, too few", same, 1_000_000, []Arm{{9, 3, 1}, {9, 1, 1}}, State{}, Decision{Verdict: Decided}, State{})
	original := func(r *program.WinnerRule) { r.OnDeadline = program.DeadlineOriginal }
	f("original", original, 1_000_000, better, State{}, Decision{Verdict: Decided}, State{})
	keep := func(r *program.WinnerRule) { r.OnDeadline = program.DeadlineKeep }
	f("keep", keep, 1_000_000, better, State{}, Decision{}, State{})
}

// Package winner decides when an experiment is over and which variant wins. It is a pure function of
// counts. The decider calls it and writes its verdict to the log as a control record, so its
// floating-point arithmetic need not give the same last bit on every machine: a replay reads the
// verdict.
//
// The method is Bayesian with a stricter threshold at each look; ADR 14 has the reasons. winner.go has
// the rule, special.go the functions of statistics that it needs.
package winner

import (
	"math"
	"slices"

	"github.com/nudge-engine/nudge/campaign/program"
)

// blockBelow is the probability under which observed shares of the variants are not taken for chance
// but for a fault: of the assignment, of a channel, of the counting. 0.001 is usual for tests of the
// sample ratio: they run on every experiment, so a false alarm must be rare.
const blockBelow = 0.001

// Arm has the figures of one variant. Only matured exposures count, that is, those whose goal window
// has closed; otherwise a variant whose conversions take longer would look worse.
type Arm struct {
	Exposures int
	// Conversions is the number of those exposures that reached the goal, 0 to Exposures.
	Conversions int
	// Weight is the variant's weight in the definition. A variant with weight 0 gets no new customers
	// and cannot win.
	Weight int
}

// State is what the caller keeps between two calls of Decide for the same experiment. The zero value is
// that of an experiment that was never looked at.
type State struct {
	// Looks is the number of looks so far, without the one of the deadline.
	Looks int
	// Total is the number of exposures at the last look.
	Total int
	// Over is true when the last look was that of the deadline.
	Over bool
}

// Verdict is the result of a call of Decide.
type Verdict uint8

// What Decide can find.
const (
	// Wait means that it is not yet time for a look.
	Wait Verdict = iota
	// Open means that there was a look and no variant is clearly the best.
	Open
	// Blocked means that the shares of the variants are not those of the weights, so that the figures
	// prove nothing.
	Blocked
	// Decided means that the experiment has a winner.
	Decided
)

// Decision is a verdict with the figures on which it rests.
type Decision struct {
	Verdict Verdict
	// Winner is the index of the winning variant; meaningful only when Decided.
	Winner int
	// Best has for each variant the probability that it has the highest rate; nil without a look.
	Best []float64
	// Needed is the probability that the best variant must reach at this look.
	Needed float64
	// Mismatch is the probability of the observed shares under the weights; see the function Mismatch.
	Mismatch float64
}

// Decide evaluates an experiment at now and returns the decision and the new state, which the caller
// must pass to the next call. first is the time of the first exposure; both are in ms.
//
// The first look is made when every variant has its minimum of exposures and the minimum time has
// passed, the following ones at each doubling of the exposures, and one when the deadline has passed. A
// look that is blocked for its shares counts as a look: were it repeated each hour, the shares would
// pass by chance at some time.
//
// At look k the best variant needs the probability 1 - (1-confidence)/2^k. The permitted errors of all
// looks then add up to less than 1-confidence, so that many looks err no more often than one.
//
// A deadline decides for the best variant, or for the first one (the original), as the rule says; with
// "keep" nothing is ever decided at or after it.
func Decide(rule *program.WinnerRule, now, first int64, arms []Arm, s State) (Decision, State) {
	total := 0
	enough := now-first >= rule.MinTime
	for _, a := range arms {
		total += a.Exposures
		enough = enough && (a.Weight == 0 || a.Exposures >= rule.MinPerVariant)
	}
	over := rule.Deadline != 0 && now-first >= rule.Deadline
	if over && rule.OnDeadline == program.DeadlineKeep {
		return Decision{}, s
	}
	due := enough || s.Over
	if s.Looks > 0 || s.Over {
		due = due && total >= 2*s.Total
	}
	if !due && (!over || s.Over) {
		return Decision{}, s
	}
	d := Decision{Mismatch: Mismatch(arms)}
	if d.Mismatch < blockBelow {
		d.Verdict = Blocked
		s.Total, s.Over = total, over
		if !over {
			s.Looks++
		}
		return d, s
	}
	d.Best = Best(arms)
	for i, a := range arms {
		if a.Weight > 0 && (arms[d.Winner].Weight == 0 || d.Best[i] > d.Best[d.Winner]) {
			d.Winner = i
		}
	}
	if over {
		if d.Verdict = Decided; rule.OnDeadline == program.DeadlineOriginal {
			d.Winner = 0
		}
		return d, s
	}
	s.Looks, s.Total = s.Looks+1, total
	d.Needed = 1 - (1-rule.Confidence)/math.Pow(2, float64(s.Looks))
	if d.Verdict = Open; d.Best[d.Winner] >= d.Needed {
		d.Verdict = Decided
	}
	return d, s
}

// Mismatch returns the probability with which chance gives shares that are as far from the weights as
// those observed, or farther (Pearson's chi-square test). It is 1 where there is nothing to compare.
func Mismatch(arms []Arm) float64 {
	total, weights, kinds := 0, 0, 0
	for _, a := range arms {
		total += a.Exposures
		weights += a.Weight
		if a.Weight > 0 {
			kinds++
		}
	}
	if total == 0 || kinds < 2 {
		return 1
	}
	chi := 0.0
	for _, a := range arms {
		want := float64(total) * float64(a.Weight) / float64(weights)
		if want > 0 {
			chi += (float64(a.Exposures) - want) * (float64(a.Exposures) - want) / want
		}
	}
	return upperGamma(float64(kinds-1)/2, chi/2)
}

// Parameters of the numeric integration. With them the probabilities are right to far more digits
// than a decision needs.
const (
	// nodes is the number of intervals of Simpson's rule between two neighbouring points. It is even.
	nodes = 200
	// reach is half the number of standard deviations on each side of the mean within which a density
	// is integrated.
	reach = 10
)

// Best returns for each variant the probability that it has the highest conversion rate. Before the
// data each rate has the distribution Beta(1,1), that is, uniform, and the variants are independent.
// Variants without weight get 0.
func Best(arms []Arm) []float64 {
	best := make([]float64, len(arms))
	for i := range arms {
		if arms[i].Weight > 0 {
			best[i] = bestOf(arms, i)
		}
	}
	return best
}

// bestOf integrates the density of variant i times the probability that all others are below. It uses
// Simpson's rule between the points at which the density of some variant begins or ends, so that a
// narrow density is not missed between two nodes.
func bestOf(arms []Arm, i int) float64 {
	var points []float64
	for j := range arms {
		if arms[j].Weight > 0 {
			low, high := span(arms[j])
			points = append(points, low, high)
		}
	}
	slices.Sort(points)
	a, b := posterior(arms[i])
	low, high := span(arms[i])
	below := func(x float64) float64 {
		f := density(x, a, b)
		for j := range arms {
			if j != i && arms[j].Weight > 0 && f > 0 {
				c, d := posterior(arms[j])
				f *= lowerBeta(x, c, d)
			}
		}
		return f
	}
	sum := 0.0
	for n := range len(points) - 1 {
		from, to := points[n], points[n+1]
		if from >= low && to <= high && from < to {
			sum += simpson(below, from, to)
		}
	}
	return sum
}

// span returns the range outside of which the density of a variant is negligible.
func span(arm Arm) (low, high float64) {
	a, b := posterior(arm)
	mean := a / (a + b)
	sd := math.Sqrt(a * b / ((a + b) * (a + b) * (a + b + 1)))
	// A density that leans on an end has a long tail: that of an exponential.
	return math.Max(0, mean-2*reach*sd), math.Min(1, mean+2*reach*sd)
}

// simpson integrates f from "from" to "to" with the composite Simpson rule.
func simpson(f func(float64) float64, from, to float64) float64 {
	step := (to - from) / nodes
	sum := f(from) + f(to)
	for n := 1; n < nodes; n++ {
		sum += float64(2+2*(n%2)) * f(from+float64(n)*step)
	}
	return sum * step / 3
}

// posterior returns the parameters of the Beta distribution of a variant's rate after its figures, with
// a uniform prior.
func posterior(a Arm) (alpha, beta float64) {
	return 1 + float64(a.Conversions), 1 + float64(a.Exposures-a.Conversions)
}

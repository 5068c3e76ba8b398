// Package winner says when an experiment is decided, and for which variant. It is a pure
// function of counts; its verdict becomes a control record, so its arithmetic need not
// be the same to the last bit everywhere.
package winner

import (
	"math"
	"slices"

	"github.com/nudge-engine/nudge/campaign/program"
)

// blockBelow is the probability below which shares that chance would give are taken for
// a fault: of the assignment, of a channel, of the counting.
const blockBelow = 0.001

// Arm is what is known of one variant. Exposures are matured: their goal window is over.
type Arm struct {
	Exposures   int
	Conversions int // of those, the ones that reached the goal; at most Exposures
	Weight      int // as in the definition
}

// State is what must be kept between two calls: how often the figures were looked at,
// how many exposures there were at the last look, and whether one was that of the deadline.
type State struct {
	Looks int
	Total int
	Over  bool
}

// Verdict is the outcome of a call.
type Verdict uint8

// The verdicts.
const (
	Wait    Verdict = iota // not yet time for a look
	Open                   // looked; none is clearly the best
	Blocked                // the shares of the variants are not those of the weights
	Decided                // the experiment has a winner
)

// Decision is a verdict and what it rests on.
type Decision struct {
	Verdict  Verdict
	Winner   int       // index of the variant when decided
	Best     []float64 // the probability of each variant to be the best; nil without a look
	Needed   float64   // what the best needs at this look
	Mismatch float64   // the probability of the shares under the weights
}

// Decide looks at an experiment at now; first is the time of its first exposure (both
// ms). It looks first when every variant has its minimum and the minimum time has
// passed, then at each doubling of the exposures, and once when the deadline has come. A
// look that the shares block is a look: were it repeated each hour, the shares would pass
// once by chance. At look k the best variant needs 1 - (1-confidence)/2^k, so that all
// looks together err no more often than one.
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

// Mismatch is the probability that chance gives shares as far from the weights as these,
// or farther (chi-square).
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

// Nodes of the quadrature: so many between each two of the points where some variant's
// density begins or ends, so many standard deviations from its mean.
const (
	nodes = 200
	reach = 10
)

// Best is the probability of each variant to have the highest rate, when each rate is
// Beta(1,1) before and the variants are independent. Variants without weight have none.
func Best(arms []Arm) []float64 {
	best := make([]float64, len(arms))
	for i := range arms {
		if arms[i].Weight > 0 {
			best[i] = bestOf(arms, i)
		}
	}
	return best
}

// bestOf integrates the density of variant i times the probability that all others are
// below, by Simpson's rule on fixed nodes.
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

// span is where the density of a variant lies.
func span(arm Arm) (low, high float64) {
	a, b := posterior(arm)
	mean := a / (a + b)
	sd := math.Sqrt(a * b / ((a + b) * (a + b) * (a + b + 1)))
	// A density that leans on an end has a long tail: that of an exponential.
	return math.Max(0, mean-2*reach*sd), math.Min(1, mean+2*reach*sd)
}

func simpson(f func(float64) float64, from, to float64) float64 {
	step := (to - from) / nodes
	sum := f(from) + f(to)
	for n := 1; n < nodes; n++ {
		sum += float64(2+2*(n%2)) * f(from+float64(n)*step)
	}
	return sum * step / 3
}

func posterior(a Arm) (alpha, beta float64) {
	return 1 + float64(a.Conversions), 1 + float64(a.Exposures-a.Conversions)
}

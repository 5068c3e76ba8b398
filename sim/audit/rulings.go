package audit

import (
	"math"
	"time"
)

// What an experiment does that has no winner at its deadline (Rule.OnDeadline).
const (
	DeadlineBest     = "best"
	DeadlineKeep     = "keep"
	DeadlineOriginal = "original"
)

// Rule says when an experiment has a winner. Deadline 0 is none.
type Rule struct {
	MinPer     int
	MinTime    time.Duration
	Confidence float64
	Deadline   time.Duration
	OnDeadline string
}

// Ruling is what the rule says at an hour.
type Ruling struct {
	Hour         int64
	Variant      string // empty: blocked by the shares
	Look         int    // of the decision; 0: the deadline's
	Tie          bool   // neither variant is better
	Arms         []Matured
	SkippedHours bool // hours with new figures went by without a look
}

// Rulings goes through the hours from the first exposure on and returns the first block, if one
// comes before the decision, and the decision.
func (t ExperimentCounts) Rulings(through int64) (all []Ruling) {
	looks, before, passed, deadline := 0, 0, false, false
	until := min(through, (t.FirstExposure+10_000*hour)/hour)
	for h := t.FirstExposure/hour + 1; t.FirstExposure != 0 && h <= until; h++ {
		arms, total, enough := t.figures(h)
		age := time.Duration(h*hour-t.FirstExposure) * time.Millisecond
		over := t.Rule.Deadline != 0 && age >= t.Rule.Deadline
		look := age >= t.Rule.MinTime && enough && (looks == 0 || total >= 2*before) || over && !deadline
		deadline = deadline || over
		passed = passed || looks > 0 && total > before && !look
		if over && t.Rule.OnDeadline == DeadlineKeep || !look {
			continue
		}
		looks, before = looks+1, total // a blocked look is a look
		if t.shareProbability(arms, total) < 0.001 {
			if len(all) == 0 {
				all = append(all, Ruling{Hour: h, Arms: arms})
			}
			continue
		}
		second := probabilityBetter(arms[1], arms[0])
		best, tie := 0, math.Abs(second-0.5) < 1e-9
		if second > 0.5 && !tie {
			best = 1
		}
		if over {
			if t.Rule.OnDeadline == DeadlineOriginal {
				best, tie = 0, false
			}
			return append(all, Ruling{Hour: h, Variant: t.Variants[best].ID, Arms: arms, Tie: tie})
		}
		if max(second, 1-second) >= 1-(1-t.Rule.Confidence)/math.Pow(2, float64(looks)) {
			return append(all, Ruling{
				Hour: h, Variant: t.Variants[best].ID, Look: looks, Arms: arms, Tie: tie, SkippedHours: passed,
			})
		}
	}
	return all
}

// figures returns the counts matured by an hour, their total, and whether each variant has its
// minimum.
func (t ExperimentCounts) figures(h int64) (arms []Matured, total int, enough bool) {
	enough = true
	for _, v := range t.Variants {
		m := Matured{Variant: v.ID}
		for _, r := range t.Rows {
			if r.Variant == v.ID && r.Hour != 0 && r.Hour <= h {
				m.Exposures, m.Converted = m.Exposures+r.Exposures, m.Converted+r.Converted
			}
		}
		total += m.Exposures
		enough = enough && m.Exposures >= t.Rule.MinPer
		arms = append(arms, m)
	}
	return arms, total, enough
}

// shareProbability returns the probability of shares at least as far from the weights of two
// variants: the chi-square of one degree of freedom is the square of a normal deviate.
func (t ExperimentCounts) shareProbability(arms []Matured, total int) float64 {
	if total == 0 {
		return 1
	}
	share := float64(t.Variants[0].Weight) / float64(t.Variants[0].Weight+t.Variants[1].Weight)
	off := float64(arms[0].Exposures) - share*float64(total)
	return math.Erfc(math.Abs(off) / math.Sqrt(2*float64(total)*share*(1-share)))
}

// probabilityBetter returns the probability that x has a higher rate than y, with a prior Beta(1,1)
// for each, as a sum over the conversions of x.
func probabilityBetter(x, y Matured) float64 {
	beta := func(a, b float64) float64 {
		p, _ := math.Lgamma(a)
		q, _ := math.Lgamma(b)
		r, _ := math.Lgamma(a + b)
		return p + q - r
	}
	bx := float64(x.Exposures - x.Converted + 1)
	ay, by := float64(y.Converted+1), float64(y.Exposures-y.Converted+1)
	sum := 0.0
	for i := range x.Converted + 1 {
		k := float64(i)
		sum += math.Exp(beta(ay+k, bx+by) - math.Log(bx+k) - beta(1+k, bx) - beta(ay, by))
	}
	return sum
}

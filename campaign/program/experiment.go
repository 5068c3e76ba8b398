package program

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Experiment divides customers over several ways, always the same way for the same customer, until
// a winner is known.
type Experiment struct {
	instant
	inward

	Variants []Variant
	// Salt is what Bucket is salted with; empty: campaign/step. Two experiments with one salt
	// divide customers alike.
	Salt string
	Goal string // id of the goal that the variants are compared by
	// Winner is nil for an experiment that is only counted.
	Winner *WinnerRule
	print  uint64 // see Print
}

// Variant is one way of an experiment.
type Variant struct {
	ID string
	// Weight is relative to the sum of all; 0: nobody gets it.
	Weight int
	Goto   string // empty: the next step
}

// OnDeadline says what becomes of an experiment that found no winner in time.
type OnDeadline uint8

// What an experiment does that has no winner at its deadline (WinnerRule.OnDeadline).
const (
	// The variant that is most likely the best wins.
	DeadlineBest OnDeadline = iota
	// The experiment goes on.
	DeadlineKeep
	// The first variant wins.
	DeadlineOriginal
)

// WinnerRule says when a winner is declared: when each variant has enough exposures, enough time
// has passed, and one is the best with enough confidence. See package winner for the statistics.
type WinnerRule struct {
	// MinPerVariant is how many matured exposures each variant needs; an exposure is matured when
	// the window of the goal is over, so that late conversions do not bias the result.
	MinPerVariant int
	MinTime       int64 // ms from the first exposure
	// Confidence is the probability, 0.5 to 0.9999, that the winner must have.
	Confidence float64
	Deadline   int64 // ms from the first exposure; 0: none
	OnDeadline OnDeadline
}

// Word implements Verb.
func (*Experiment) Word() string { return "experiment" }

func (*Experiment) exprs(func(*expr.Expr)) {}

func (x *Experiment) targets(next string) (all []string) {
	for i := range x.Variants {
		all = append(all, cmp.Or(x.Variants[i].Goto, next))
	}
	return all
}

// silentTargets are all targets: the variant does not depend on reactions.
func (x *Experiment) silentTargets(next string) []string { return x.targets(next) }

func (*Experiment) onTimer(_ *customer.Chain, next string) string { return next }

func (*Experiment) afterFailure() string { return "" }

// Index returns the place of a variant, -1 when there is no such variant.
func (x *Experiment) Index(variant string) int {
	for i := range x.Variants {
		if variant != "" && x.Variants[i].ID == variant {
			return i
		}
	}
	return -1
}

// Assign returns the index of a customer's variant: variants take consecutive ranges of buckets in
// the order written, as wide as their weights. With weights 1 and 3, buckets 0 to 2,499 get the
// first. Changing weights moves customers between variants, which is why they are part of the
// print.
func (x *Experiment) Assign(campaign, step, customer string) int {
	salt := x.Salt
	if salt == "" {
		salt = campaign + "/" + step
	}
	total, sum := 0, 0
	for i := range x.Variants {
		total += x.Variants[i].Weight
	}
	bucket := Bucket(salt, customer)
	for i := range x.Variants {
		sum += x.Variants[i].Weight
		if bucket < sum*Buckets/total {
			return i
		}
	}
	return len(x.Variants) - 1 // not reached: the last range ends at the last bucket
}

// MaxExperiment is how long an experiment counts from its first exposure, ms: about 14 months.
// Counts are kept by the hour, so it bounds their size.
const MaxExperiment = 10_000 * unit.HourMillis

// Print returns a hash of what makes the counts of an experiment comparable: its variants and
// weights, its salt and its goal. A version with another print is counted from zero.
func (x *Experiment) Print() uint64 { return x.print }

// Compare takes the campaign's primary goal where the definition names none, and computes the
// print. It is called once, when the goals of p are known.
func (x *Experiment) Compare(p *Program) {
	if g := p.primary(); x.Goal == "" && g != nil {
		x.Goal = g.ID
	}
	x.print = x.fingerprint(p)
}

// fingerprint returns the first 8 bytes, big-endian, of SHA-256 over the parts.
func (x *Experiment) fingerprint(p *Program) uint64 {
	text := fmt.Appendf(nil, "%q", x.Salt)
	if g := p.Goal(x.Goal); g != nil {
		text = fmt.Appendf(text, "%q %q %q %q %d %t", g.ID, g.Match.Event, g.Match.Match, expr.SourceOf(g.Match.Where),
			g.Window, g.FromDelivery)
	}
	for i := range x.Variants {
		text = fmt.Appendf(text, " %q %d", x.Variants[i].ID, x.Variants[i].Weight)
	}
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint64(sum[:8])
}

// Experiments calls f with each experiment that looks for a winner, in the order of the
// steps.
func (p *Program) Experiments(f func(step string, x *Experiment)) {
	for i := range p.Steps {
		if x, ok := p.Steps[i].Verb.(*Experiment); ok && x.Winner != nil && p.Goal(x.Goal) != nil {
			f(p.Steps[i].ID, x)
		}
	}
}

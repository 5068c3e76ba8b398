package campaign

import (
	"github.com/nudge-engine/nudge/internal/wire"
)

// Experiment sends each customer one of several ways, always the same.
type Experiment struct {
	Variants []Variant
	Salt     string // empty: campaign/step
	Goal     string // id of the goal that the variants are compared by
	Winner   *WinnerRule
	print    uint64 // see Print
}

// Variant is one way of an experiment.
type Variant struct {
	ID     string
	Weight int
	Goto   string // empty: the next step
}

// OnDeadline says what becomes of an experiment that found no winner in time.
type OnDeadline uint8

// What the deadline does.
const (
	DeadlineBest     OnDeadline = iota // the variant that is most likely the best
	DeadlineKeep                       // the experiment goes on
	DeadlineOriginal                   // the first variant
)

// WinnerRule says when a winner is declared.
type WinnerRule struct {
	MinPerVariant int   // matured exposures
	MinTime       int64 // ms from the first exposure
	Confidence    float64
	Deadline      int64 // ms from the first exposure; 0: none
	OnDeadline    OnDeadline
}

// Passed is the variant with which a chain passed an experiment.
type Passed struct{ Step, Variant string }

// Winner is a decided experiment: chains that come to it take the variant.
type Winner struct {
	Campaign string `json:"campaign"`
	Step     string `json:"step"`
	Variant  string `json:"variant"`
}

func (*Experiment) verb() string { return "experiment" }

// experiment finds the chain's variant: the one that it had before, else the winner,
// else that of the customer's bucket. It returns where to go.
func (m *Machine) experiment(p *Program, s *Step, x *Experiment, ch *Chain, next string) string {
	if m.trace != nil {
		m.traceExperiment(p, s.ID, x, ch)
	}
	at := -1
	for i := range ch.Variants {
		if ch.Variants[i].Step == s.ID {
			at = x.Index(ch.Variants[i].Variant)
			ch.Variants = append(ch.Variants[:i], ch.Variants[i+1:]...)
			break
		}
	}
	if at < 0 {
		at = x.Index(m.set.winner(p.Name, s.ID))
	}
	if at < 0 {
		at = x.assign(p.Name, s.ID, m.c.ID)
		m.expose(p, ch, s.ID, x.Variants[at].ID)
	}
	v := &x.Variants[at]
	ch.Variants = append(ch.Variants, Passed{Step: s.ID, Variant: v.ID})
	m.decideChain(ch, Assigned, NoReason, s.ID, v.ID)
	m.out.Chains = append(m.out.Chains, m.row(ch))
	if v.Goto != "" {
		return v.Goto
	}
	return next
}

// Index is the place of a variant, -1 when there is no such variant.
func (x *Experiment) Index(variant string) int {
	for i := range x.Variants {
		if variant != "" && x.Variants[i].ID == variant {
			return i
		}
	}
	return -1
}

// assign is the index of a customer's variant: variants take consecutive ranges of
// buckets in the order written, as wide as their weights.
func (x *Experiment) assign(campaign, step, customer string) int {
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
		if bucket < sum*buckets/total {
			return i
		}
	}
	return len(x.Variants) - 1 // not reached: the last range ends at the last bucket
}

func (x *Experiment) targets(next string) (all []string) {
	for i := range x.Variants {
		if x.Variants[i].Goto != "" {
			all = append(all, x.Variants[i].Goto)
		} else {
			all = append(all, next)
		}
	}
	return all
}

// variant is that of the last experiment that the chain passed, empty before.
func (ch *Chain) variant() string {
	if n := len(ch.Variants); n > 0 {
		return ch.Variants[n-1].Variant
	}
	return ""
}

// winner is the decided variant of an experiment, empty before.
func (s *Set) winner(campaign, step string) string {
	for i := range s.winners {
		if s.winners[i].Campaign == campaign && s.winners[i].Step == step {
			return s.winners[i].Variant
		}
	}
	return ""
}

// Decide makes known which experiments are decided. It must be called before the set
// is used.
func (s *Set) Decide(winners []Winner) { s.winners = winners }

// variantSection keeps the variants of a chain.
//
//nudge:constant read only
var variantSection = section[*Chain]{
	tag: 30,
	has: func(ch *Chain) bool { return len(ch.Variants) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		return AppendVariants(b, ch.Variants)
	},
	decode: func(ch *Chain, d *wire.Decoder, names Names) {
		ch.Variants = decodeVariants(d, names)
	},
}

// AppendVariants appends the stored form of variants.
func AppendVariants(b []byte, variants []Passed) []byte {
	b = wire.AppendUint(b, uint64(len(variants)))
	for _, v := range variants {
		b = wire.AppendString(b, v.Step)
		b = wire.AppendString(b, v.Variant)
	}
	return b
}

// DecodeVariants reads what AppendVariants wrote, from the front of d.
func DecodeVariants(d *wire.Decoder) []Passed { return decodeVariants(d, nil) }

func decodeVariants(d *wire.Decoder, names Names) (all []Passed) {
	for range d.Count(2) {
		all = append(all, Passed{Step: names.of(d.Bytes()), Variant: names.of(d.Bytes())})
	}
	return all
}

// VariantsJSON is an object from step to variant in the order passed; nil when none.
func VariantsJSON(variants []Passed) []byte {
	if len(variants) == 0 {
		return nil
	}
	b := []byte{'{'}
	for i, v := range variants {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendJSONString(append(AppendJSONString(b, v.Step), ':'), v.Variant)
	}
	return append(b, '}')
}

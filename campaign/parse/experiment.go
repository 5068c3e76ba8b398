package parse

import (
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// The greatest number of variants, and what the rule of a winner is where the experiment does not
// say.
const (
	// maxVariants bounds the variants of one experiment.
	maxVariants = 100
	// minVariantDefault is how many exposures each variant needs before a look: with a conversion
	// of 5 % they bring about 25 conversions.
	minVariantDefault = 500
	// minTimeDefault is how long an experiment runs before a look, ms: a week, so that each
	// weekday counts once.
	minTimeDefault = 7 * unit.DayMillis
	// confidenceDefault is how sure it must be that a variant is the best: the usual 95 %.
	confidenceDefault = 0.95
)

// experiment reads {variants, salt, goal, winner}. What concerns the goals is checked when the
// campaign is read.
func (r *experimentReader) experiment(n *yaml.Node) *program.Experiment {
	x, before := new(program.Experiment), len(r.core.errs)
	r.core.object(n, "experiment",
		field{name: "variants", required: true, read: func(n *yaml.Node) {
			r.core.list(n, "experiment.variants", maxVariants, func(n *yaml.Node) {
				x.Variants = append(x.Variants, r.variant(n, x))
			})
		}},
		field{name: "salt", read: func(n *yaml.Node) {
			if r.core.text(n, "experiment.salt", &x.Salt); len(x.Salt) > maxNameBytes {
				r.core.fail(n, "experiment.salt has at most %d bytes", maxNameBytes)
			}
		}},
		field{name: "goal", read: func(n *yaml.Node) {
			r.core.name(n, "experiment.goal", &x.Goal)
			r.checks = append(r.checks, func(p *program.Program) {
				if p.Goal(x.Goal) == nil && !r.core.flawed["campaign"]["goals"] {
					r.core.fail(n, "experiment.goal %q is none of the campaign's goals%s", x.Goal, goalHint(x.Goal, p))
				}
			})
		}},
		field{name: "winner", read: func(n *yaml.Node) {
			x.Winner = r.winner(n)
			r.checks = append(r.checks, func(p *program.Program) {
				if x.Goal == "" && len(p.Goals) == 0 && !r.core.flawed["campaign"]["goals"] {
					r.core.fail(n, "experiment.winner needs a goal to compare the variants by%s", goalHint("bought", p))
				}
			})
		}})
	// All weights 0 would leave nobody a variant.
	total := 0
	for i := range x.Variants {
		total += x.Variants[i].Weight
	}
	if len(r.core.errs) == before && (len(x.Variants) < 2 || total == 0) {
		r.core.fail(n, "experiment: needs at least two variants, and a weight above zero")
	}
	r.checks = append(r.checks, func(p *program.Program) {
		x.Compare(p)
	})
	return x
}

// variant reads {id, weight, goto}; the weight is 1 by default.
func (r *experimentReader) variant(n *yaml.Node, x *program.Experiment) program.Variant {
	v := program.Variant{Weight: 1}
	r.core.object(n, "experiment.variants",
		field{name: "id", required: true, read: func(n *yaml.Node) {
			if r.core.name(n, "variant id", &v.ID); x.Index(v.ID) >= 0 {
				r.core.fail(n, "variant id %q is used twice", v.ID)
			}
		}},
		field{name: "weight", read: func(n *yaml.Node) {
			v.Weight = int(r.core.integer(n, "weight", 0, program.Buckets))
		}},
		field{name: "goto", read: func(n *yaml.Node) { r.core.name(n, "goto", &v.Goto) }})
	return v
}

// winner reads {min_per_variant, min_time, confidence, deadline, on_deadline}; each has a default.
func (r *experimentReader) winner(n *yaml.Node) *program.WinnerRule {
	w := &program.WinnerRule{MinPerVariant: minVariantDefault, MinTime: minTimeDefault, Confidence: confidenceDefault}
	r.core.object(n, "experiment.winner",
		field{name: "min_per_variant", read: func(n *yaml.Node) {
			w.MinPerVariant = int(r.core.integer(n, "winner.min_per_variant", 1, 1_000_000_000))
		}},
		field{name: "min_time", read: func(n *yaml.Node) { r.core.duration(n, "winner.min_time", &w.MinTime) }},
		field{name: "confidence", read: func(n *yaml.Node) {
			if r.core.drawn(Shape{Kind: ShapeNumber, Low: 0.5, High: 0.9999}) {
				return
			}
			v, err := strconv.ParseFloat(n.Value, 64)
			number := n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float")
			if !number || err != nil || !(v >= 0.5 && v <= 0.9999) {
				r.core.fail(n, "winner.confidence must be a number from 0.5 to 0.9999")
				return
			}
			w.Confidence = v
		}},
		field{name: "deadline", read: func(n *yaml.Node) { r.core.duration(n, "winner.deadline", &w.Deadline) }},
		field{name: "on_deadline", read: func(n *yaml.Node) {
			w.OnDeadline = program.OnDeadline(r.core.choice(n, "winner.on_deadline", "best", "keep", "original"))
		}})
	if w.Deadline != 0 && w.Deadline < w.MinTime {
		r.core.fail(n, "winner: the deadline comes before min_time")
	}
	if max(w.Deadline, w.MinTime) > program.MaxExperiment {
		r.core.fail(n, "winner: min_time and deadline are at most %d hours", program.MaxExperiment/unit.HourMillis)
	}
	return w
}

package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// experiments assigns variants to chains and counts exposures and conversions. It has no state of
// its own: a chain carries its variants and what was counted for it. The counts themselves are
// summed elsewhere, from the changes that are written here.
type experiments struct {
	*turn
}

// assign finds the chain's variant: the one that it had before (it came back in a loop), else the
// winner, else that of the customer's bucket. It returns the step to which the chain goes.
func (xs *experiments) assign(
	p *program.Program,
	s *program.Step,
	x *program.Experiment,
	ch *customer.Chain,
	next string,
) string {
	if xs.trace != nil {
		xs.explain(p, s.ID, x, ch)
	}
	// A variant that is gone in this version counts as none: Index gives -1.
	at := -1
	for i := range ch.Variants {
		if ch.Variants[i].Step == s.ID {
			at = x.Index(ch.Variants[i].Variant)
			ch.Variants = append(ch.Variants[:i], ch.Variants[i+1:]...)
			break
		}
	}
	if at < 0 {
		at = x.Index(xs.set.Winner(p.Name, s.ID))
	}
	if at < 0 {
		// Only a chain that took its variant by bucket is counted: others would bias the
		// comparison.
		at = x.Assign(p.Name, s.ID, xs.c.ID)
		xs.expose(p, ch, s.ID, x.Variants[at].ID)
	}
	v := &x.Variants[at]
	ch.Variants = append(ch.Variants, output.Passed{Step: s.ID, Variant: v.ID})
	xs.out.decideChain(ch, output.Assigned, output.NoReason, s.ID, v.ID)
	xs.out.chain(ch)
	if v.Goto != "" {
		return v.Goto
	}
	return next
}

// expose counts a chain that took its variant by bucket, once. Not counted are held-out chains, which
// are sent nothing, chains on another version than the one in force, whose variants may differ, and
// chains that have reached the goal already.
func (xs *experiments) expose(p *program.Program, ch *customer.Chain, step string, variant string) {
	x := xs.set.Counts(p.Name, step)
	if x == nil || ch.HeldOut || xs.set.ByName[p.Name] != p || ch.Reached(x.Goal) || ch.Exposure(step) != nil {
		return
	}
	ch.Exposed = append(ch.Exposed, customer.Exposed{
		Step: step, Variant: variant, Experiment: x.Print(), At: xs.now, Hour: xs.maturityHour(ch, p.Goal(x.Goal)),
	})
	xs.tally(ch, &ch.Exposed[len(ch.Exposed)-1], 1, 0)
}

// maturityHour returns the hour (since 1970) from which nothing about a goal of the chain is counted
// any more: the one after its window, or after the end of a chain whose goal has no window. 0 means
// that this is not known yet.
func (xs *experiments) maturityHour(ch *customer.Chain, g *program.Goal) int64 {
	end, bounded := windowEnd(ch, g)
	switch {
	// An hour that is over takes no more counts, so it is at least the next one.
	case bounded:
		return max(end, xs.now)/unit.HourMillis + 1
	case ch.Live():
		return 0
	default:
		return xs.now/unit.HourMillis + 1
	}
}

// tally writes a change of the counts: by how much exposures and conversions of a variant grow, or
// shrink where negative.
func (xs *experiments) tally(ch *customer.Chain, e *customer.Exposed, exposures, conversions int) {
	xs.out.exposure(output.Exposure{
		Workspace: xs.c.Workspace, Campaign: ch.Campaign, Step: e.Step, Variant: e.Variant, Experiment: e.Experiment,
		At: e.At, Hour: e.Hour, Exposed: exposures, Converted: conversions,
	})
}

// counted calls f with each exposure of a chain that has not matured, and with the goal that it waits
// for. Exposures to an experiment that has changed since (another print) are left as they are.
func (xs *experiments) counted(ch *customer.Chain, f func(e *customer.Exposed, g *program.Goal)) {
	if len(ch.Exposed) == 0 {
		return
	}
	p := xs.set.ProgramOf(ch)
	if p == nil {
		return
	}
	for i := range ch.Exposed {
		e := &ch.Exposed[i]
		// Matured counts are final: they may have decided the experiment.
		if e.Hour != 0 && e.Hour*unit.HourMillis <= xs.now || xs.set.Counts(ch.Campaign, e.Step) == nil {
			continue
		}
		s, _ := p.Step(e.Step)
		if s == nil {
			continue
		}
		if x, ok := s.Verb.(*program.Experiment); ok && x.Print() == e.Experiment && p.Goal(x.Goal) != nil {
			f(e, p.Goal(x.Goal))
		}
	}
}

// updateMaturity moves the exposures of a chain whose goal window moved, after a delivery or at
// the end of the chain: counts are kept by hour of maturity, so they leave one hour for another.
func (xs *experiments) updateMaturity(ch *customer.Chain) {
	xs.counted(ch, func(e *customer.Exposed, g *program.Goal) {
		hour := xs.maturityHour(ch, g)
		if hour == e.Hour {
			return
		}
		converted := 0
		if e.Converted {
			converted = 1
		}
		xs.tally(ch, e, -1, -converted)
		e.Hour = hour
		xs.tally(ch, e, 1, converted)
	})
}

// convert counts that the chain reached a goal (converted) or that this was taken back. A repetition
// changes nothing.
func (xs *experiments) convert(ch *customer.Chain, goal string, converted bool) {
	xs.counted(ch, func(e *customer.Exposed, g *program.Goal) {
		switch {
		case g.ID != goal || e.Converted == converted:
			return
		case converted:
			xs.tally(ch, e, 0, 1)
		default:
			xs.tally(ch, e, 0, -1)
		}
		e.Converted = converted
	})
}

// explain notes the customer's bucket, the ranges of the variants, and what overrides them.
func (xs *experiments) explain(p *program.Program, step string, x *program.Experiment, ch *customer.Chain) {
	salt := x.Salt
	if salt == "" {
		salt = p.Name + "/" + step
	}
	a := trace.Row(p, ch, trace.RuleExperiment, trace.Note, trace.NumberFact("bucket", program.Bucket(salt, xs.c.ID)))
	a.Step = step
	if winner := xs.set.Winner(p.Name, step); winner != "" {
		a.Facts = append(a.Facts, trace.TextFact("winner", winner))
	}
	for i := range ch.Variants {
		if ch.Variants[i].Step == step {
			a.Facts = append(a.Facts, trace.TextFact("had before", ch.Variants[i].Variant))
		}
	}
	total, sum := 0, 0
	for i := range x.Variants {
		total += x.Variants[i].Weight
	}
	for i := range x.Variants {
		sum += x.Variants[i].Weight
		a.Facts = append(a.Facts, trace.NumberFact(x.Variants[i].ID+" below", sum*program.Buckets/total))
	}
	xs.trace.Note(a)
}

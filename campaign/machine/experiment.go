package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// experiment finds the chain's variant: the one that it had before, else the winner,
// else that of the customer's bucket. It returns where to go.
func (m *Machine) experiment(
	p *program.Program,
	s *program.Step,
	x *program.Experiment,
	ch *customer.Chain,
	next string,
) string {
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
		at = x.Index(m.set.Winner(p.Name, s.ID))
	}
	if at < 0 {
		at = x.Assign(p.Name, s.ID, m.c.ID)
		m.expose(p, ch, s.ID, x.Variants[at].ID)
	}
	v := &x.Variants[at]
	ch.Variants = append(ch.Variants, output.Passed{Step: s.ID, Variant: v.ID})
	m.decideChain(ch, output.Assigned, output.NoReason, s.ID, v.ID)
	m.out.Chains = append(m.out.Chains, m.row(ch))
	if v.Goto != "" {
		return v.Goto
	}
	return next
}

// expose counts a chain that took its variant by bucket, once.
func (m *Machine) expose(p *program.Program, ch *customer.Chain, step string, variant string) {
	x := m.set.Counts(p.Name, step)
	if x == nil || ch.HeldOut || m.set.ByName[p.Name] != p || ch.Reached(x.Goal) || ch.Exposure(step) != nil {
		return
	}
	ch.Exposed = append(ch.Exposed, customer.Exposed{
		Step: step, Variant: variant, Experiment: x.Print(), At: m.now, Hour: m.maturityHour(ch, p.Goal(x.Goal)),
	})
	m.tally(ch, &ch.Exposed[len(ch.Exposed)-1], 1, 0)
}

// maturityHour is the hour from which nothing about a goal of the chain is counted any more.
func (m *Machine) maturityHour(ch *customer.Chain, g *program.Goal) int64 {
	end, bounded := windowEnd(ch, g)
	switch {
	case bounded:
		return max(end, m.now)/unit.HourMillis + 1
	case ch.Live():
		return 0
	default:
		return m.now/unit.HourMillis + 1
	}
}

// tally writes a change of the counts.
func (m *Machine) tally(ch *customer.Chain, e *customer.Exposed, exposures, conversions int) {
	m.out.Exposures = append(m.out.Exposures, output.Exposure{
		Workspace: m.c.Workspace, Campaign: ch.Campaign, Step: e.Step, Variant: e.Variant, Experiment: e.Experiment,
		At: e.At, Hour: e.Hour, Exposed: exposures, Converted: conversions,
	})
}

// counted calls f with the exposures of a chain that have not matured, and with the goal
// that they wait for.
func (m *Machine) counted(ch *customer.Chain, f func(e *customer.Exposed, g *program.Goal)) {
	if len(ch.Exposed) == 0 {
		return
	}
	p := m.set.ProgramOf(ch)
	if p == nil {
		return
	}
	for i := range ch.Exposed {
		e := &ch.Exposed[i]
		if e.Hour != 0 && e.Hour*unit.HourMillis <= m.now || m.set.Counts(ch.Campaign, e.Step) == nil {
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

// updateMaturity moves the exposures of a chain whose window moved: after a delivery, or at
// the end of the chain.
func (m *Machine) updateMaturity(ch *customer.Chain) {
	m.counted(ch, func(e *customer.Exposed, g *program.Goal) {
		hour := m.maturityHour(ch, g)
		if hour == e.Hour {
			return
		}
		converted := 0
		if e.Converted {
			converted = 1
		}
		m.tally(ch, e, -1, -converted)
		e.Hour = hour
		m.tally(ch, e, 1, converted)
	})
}

// convert counts that the chain reached a goal, or that this was taken back.
func (m *Machine) convert(ch *customer.Chain, goal string, converted bool) {
	m.counted(ch, func(e *customer.Exposed, g *program.Goal) {
		switch {
		case g.ID != goal || e.Converted == converted:
			return
		case converted:
			m.tally(ch, e, 0, 1)
		default:
			m.tally(ch, e, 0, -1)
		}
		e.Converted = converted
	})
}

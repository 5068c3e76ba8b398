package campaign

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

// expose counts a chain that took its variant by bucket, once.
func (m *Machine) expose(p *Program, ch *Chain, step string, variant string) {
	x := m.set.Counts(p.Name, step)
	if x == nil || ch.HeldOut || m.set.byName[p.Name] != p || ch.reached(x.Goal) || ch.exposure(step) != nil {
		return
	}
	ch.exposed = append(ch.exposed, exposed{
		step: step, variant: variant, experiment: x.Print(), at: m.now, hour: m.matures(ch, p.goal(x.Goal)),
	})
	m.tally(ch, &ch.exposed[len(ch.exposed)-1], 1, 0)
}

// matures is the hour from which nothing about a goal of the chain is counted any more.
func (m *Machine) matures(ch *Chain, g *Goal) int64 {
	end, bounded := windowEnd(ch, g)
	switch {
	case bounded:
		return max(end, m.now)/HourMillis + 1
	case ch.live():
		return 0
	default:
		return m.now/HourMillis + 1
	}
}

// tally writes a change of the counts.
func (m *Machine) tally(ch *Chain, e *exposed, exposures, conversions int) {
	m.out.Exposures = append(m.out.Exposures, Exposure{
		Workspace: m.c.Workspace, Campaign: ch.Campaign, Step: e.step, Variant: e.variant, Experiment: e.experiment,
		At: e.at, Hour: e.hour, Exposed: exposures, Converted: conversions,
	})
}

// counted calls f with the exposures of a chain that have not matured, and with the goal
// that they wait for.
func (m *Machine) counted(ch *Chain, f func(e *exposed, g *Goal)) {
	if len(ch.exposed) == 0 {
		return
	}
	p := m.set.of(ch)
	if p == nil {
		return
	}
	for i := range ch.exposed {
		e := &ch.exposed[i]
		if e.hour != 0 && e.hour*HourMillis <= m.now || m.set.Counts(ch.Campaign, e.step) == nil {
			continue
		}
		s, _ := p.step(e.step)
		if s == nil {
			continue
		}
		if x, ok := s.Verb.(*Experiment); ok && x.Print() == e.experiment && p.goal(x.Goal) != nil {
			f(e, p.goal(x.Goal))
		}
	}
}

// rematures moves the exposures of a chain whose window moved: after a delivery, or at
// the end of the chain.
func (m *Machine) rematures(ch *Chain) {
	m.counted(ch, func(e *exposed, g *Goal) {
		hour := m.matures(ch, g)
		if hour == e.hour {
			return
		}
		converted := 0
		if e.converted {
			converted = 1
		}
		m.tally(ch, e, -1, -converted)
		e.hour = hour
		m.tally(ch, e, 1, converted)
	})
}

// convert counts that the chain reached a goal, or that this was taken back.
func (m *Machine) convert(ch *Chain, goal string, converted bool) {
	m.counted(ch, func(e *exposed, g *Goal) {
		switch {
		case g.ID != goal || e.converted == converted:
			return
		case converted:
			m.tally(ch, e, 0, 1)
		default:
			m.tally(ch, e, 0, -1)
		}
		e.converted = converted
	})
}

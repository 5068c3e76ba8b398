package campaign

// reverseFor is how long after a conversion (event time, ms) it can be taken back where
// the goal's window does not end later.
const reverseFor = 30 * dayMillis

// reversibleUntil is the last event time at which a conversion can be taken back, ms.
func reversibleUntil(t *takeback, ch *Chain, g *Goal) int64 {
	last := t.at + reverseFor
	if end, bounded := windowEnd(ch, g); bounded {
		last = max(last, end)
	}
	return last
}

// reversals takes conversions back that e reverses, each once.
func (m *Machine) reversals(p *Program, ch *Chain, e *Event) {
	changed := false
	for i := range p.Goals {
		g := &p.Goals[i]
		t := ch.takeback(g.ID)
		if g.ReverseOn == nil || t == nil || t.done || !inReversal(t, ch, g, e) ||
			!ch.live() && m.now > reversibleUntil(t, ch, g)+measureGrace || !m.matches(g.ReverseOn, e, ch.Campaign) {
			continue
		}
		m.takeBack(p, ch, t, e)
		changed = true
	}
	if changed {
		m.out.Chains = append(m.out.Chains, m.row(ch))
	}
}

// inReversal says whether an event's time lets it take the conversion back.
func inReversal(t *takeback, ch *Chain, g *Goal, e *Event) bool {
	return e.Time >= t.at && e.Time <= reversibleUntil(t, ch, g)
}

// reverseBySeen takes back a goal that was reached just now where its reversal, which
// happened later, came first. Of one time the order of the log holds.
func (m *Machine) reverseBySeen(p *Program, ch *Chain, g *Goal) {
	t := ch.takeback(g.ID)
	if g.ReverseOn == nil || t == nil {
		return
	}
	later := func(_ *Remembered, e *Event) bool { return e.Time > t.at && inReversal(t, ch, g, e) }
	if e, _ := m.seen(g.ReverseOn, ch.Campaign, later); e != nil {
		m.takeBack(p, ch, t, e)
	}
}

// takeBack takes a conversion back because of an event.
func (m *Machine) takeBack(p *Program, ch *Chain, t *takeback, e *Event) {
	t.done = true
	m.convert(ch, t.goal, false)
	row := GoalRow{
		Workspace: m.c.Workspace, Campaign: p.Name, Version: ch.Version, Customer: m.c.ID, Key: ch.Key,
		Entry: ch.Entry, Goal: t.goal, Step: t.step, Currency: t.currency, EventID: e.ID, At: e.Time, Reversal: true,
	}
	for _, hit := range ch.Goals {
		if hit.ID == t.goal {
			row.Value, row.HasValue = -hit.Value, hit.HasValue
		}
	}
	m.out.Goals = append(m.out.Goals, row)
	m.decideChain(ch, Reversed, ReasonReversed, t.step, t.goal)
}

// measureGrace is how long after its goal windows an ended chain is still
// measured, in ms of log time: as long as duplicates are recognised.
const measureGrace = 24 * 3600 * 1000

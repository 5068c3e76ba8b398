package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// reverseFor is how long after a conversion (event time, ms) it can be taken back where
// the goal's window does not end later.
const reverseFor = 30 * dayMillis

// takeback is what is needed to take a conversion back.
type takeback struct {
	goal     string
	at       int64 // event time of the conversion, ms
	step     string
	currency string
	done     bool // it was taken back
}

func (ch *Chain) takeback(goal string) *takeback {
	for i := range ch.takebacks {
		if ch.takebacks[i].goal == goal {
			return &ch.takebacks[i]
		}
	}
	return nil
}

// reversed says whether a goal that the chain reached was taken back.
func (ch *Chain) reversed(goal string) bool {
	t := ch.takeback(goal)
	return t != nil && t.done
}

// until is the last event time at which a conversion can be taken back, ms.
func (t *takeback) until(ch *Chain, g *Goal) int64 {
	last := t.at + reverseFor
	if end, bounded := ch.windowEnd(g); bounded {
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
		if g.ReverseOn == nil || t == nil || t.done || !t.takes(ch, g, e) ||
			!ch.live() && m.now > t.until(ch, g)+measureGrace || !m.matches(g.ReverseOn, e, ch.Campaign) {
			continue
		}
		m.takeBack(p, ch, t, e)
		changed = true
	}
	if changed {
		m.out.Chains = append(m.out.Chains, m.row(ch))
	}
}

// takes says whether an event's time lets it take the conversion back.
func (t *takeback) takes(ch *Chain, g *Goal, e *Event) bool {
	return e.Time >= t.at && e.Time <= t.until(ch, g)
}

// reverseBySeen takes back a goal that was reached just now where its reversal, which
// happened later, came first. Of one time the order of the log holds.
func (m *Machine) reverseBySeen(p *Program, ch *Chain, g *Goal) {
	t := ch.takeback(g.ID)
	if g.ReverseOn == nil || t == nil {
		return
	}
	later := func(_ *Remembered, e *Event) bool { return e.Time > t.at && t.takes(ch, g, e) }
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

// row is a chain's row, with the goal that the campaign is measured by first where it
// says which.
func (m *Machine) row(ch *Chain) ChainRow {
	r := ch.row(m.c)
	p := m.set.of(ch)
	if p == nil {
		return r
	}
	for _, hit := range ch.Goals {
		if g := p.goal(hit.ID); g != nil && g.Primary && !ch.reversed(hit.ID) {
			r.Goal, r.Value, r.HasValue, r.Currency = hit.ID, hit.Value, hit.HasValue, hit.Currency
		}
	}
	return r
}

// takebackSection keeps the conversions that can be taken back, and those that were.
//
//nudge:constant read only
var takebackSection = section[*Chain]{
	tag: 32,
	has: func(ch *Chain) bool { return len(ch.takebacks) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(ch.takebacks)))
		for _, t := range ch.takebacks {
			b = wire.AppendString(b, t.goal)
			b = wire.AppendInt(b, t.at)
			b = wire.AppendString(b, t.step)
			b = wire.AppendString(b, t.currency)
			b = wire.AppendBool(b, t.done)
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names Names) {
		for range d.Count(5) {
			ch.takebacks = append(ch.takebacks, takeback{
				goal: names.of(d.Bytes()), at: d.Int(), step: names.of(d.Bytes()), currency: names.of(d.Bytes()),
				done: d.Bool(),
			})
		}
	},
}

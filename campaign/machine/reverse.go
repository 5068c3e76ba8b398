package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// reverseFor is how long after a conversion (event time, ms) it can be taken back: 30 days, or until
// the end of the goal's window where that is later.
const reverseFor = 30 * unit.DayMillis

// reversibleUntil returns the last event time (ms) at which a conversion can be taken back.
func reversibleUntil(t *customer.Reversal, ch *customer.Chain, g *program.Goal) int64 {
	last := t.At + reverseFor
	if end, bounded := windowEnd(ch, g); bounded {
		last = max(last, end)
	}
	return last
}

// reverse takes back each conversion of a chain that event e reverses, and writes the chain's row
// if it took back any. A goal that was taken back still counts as reached, so it cannot convert
// again.
func (gs *goals) reverse(p *program.Program, ch *customer.Chain, e *event.Event) {
	changed := false
	for i := range p.Goals {
		g := &p.Goals[i]
		t := ch.Reversal(g.ID)
		if g.ReverseOn == nil || t == nil || t.Done || !inReversal(t, ch, g, e) ||
			!ch.Live() && gs.now > reversibleUntil(t, ch, g)+measureGrace ||
			!gs.matching.matches(g.ReverseOn, e, ch.Campaign) {
			continue
		}
		gs.takeBack(p, ch, t, e)
		changed = true
	}
	if changed {
		gs.out.chain(ch)
	}
}

// inReversal reports whether an event's time lets it take the conversion back: not before the
// conversion, both ends inclusive.
func inReversal(t *customer.Reversal, ch *customer.Chain, g *program.Goal, e *event.Event) bool {
	return e.Time >= t.At && e.Time <= reversibleUntil(t, ch, g)
}

// reverseBySeen takes back a goal that was reached just now if its reversal, which happened later, is
// remembered already. Of two events of one time, the order of the log holds.
func (gs *goals) reverseBySeen(p *program.Program, ch *customer.Chain, g *program.Goal) {
	t := ch.Reversal(g.ID)
	if g.ReverseOn == nil || t == nil {
		return
	}
	later := func(_ *customer.RecentEvent, e *event.Event) bool { return e.Time > t.At && inReversal(t, ch, g, e) }
	if e, _ := gs.matching.seen(g.ReverseOn, ch.Campaign, later); e != nil {
		gs.takeBack(p, ch, t, e)
	}
}

// takeBack takes a conversion back because of an event: a goal row with the negative value cancels the
// first one in every sum.
func (gs *goals) takeBack(p *program.Program, ch *customer.Chain, t *customer.Reversal, e *event.Event) {
	t.Done = true
	gs.experiments.convert(ch, t.Goal, false)
	row := output.GoalRow{
		Workspace: gs.c.Workspace, Campaign: p.Name, Version: ch.Version, Customer: gs.c.ID, Key: ch.Key,
		Entry: ch.Entry, Goal: t.Goal, Step: t.Step, Currency: t.Currency, EventID: e.ID, At: e.Time, Reversal: true,
	}
	for _, hit := range ch.Goals {
		if hit.ID == t.Goal {
			row.Value, row.HasValue = -hit.Value, hit.HasValue
		}
	}
	gs.out.goal(row)
	gs.out.decideChain(ch, output.Reversed, output.ReasonReversed, t.Step, t.Goal)
}

package machine

import (
	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/clip"
)

// goals measures chains: which goals an event reaches, and which conversions it takes back. What
// was reached is kept with the chain.
type goals struct {
	*turn

	matching    *matching
	experiments *experiments
}

// windowEnd returns the last instant (ms, event time) of a goal's window; bounded is false while the
// chain has none: the goal has no window, or counts from a delivery and nothing was sent yet.
func windowEnd(ch *customer.Chain, g *program.Goal) (end int64, bounded bool) {
	if !g.FromDelivery {
		return ch.EnteredAt + g.Window, g.Window != 0
	}
	return ch.LastSend + g.Window, g.Window != 0 && ch.LastSend != 0
}

// inWindow reports whether a goal is measured at an event's time. A chain that has ended
// is measured for measureGrace after its window closed, so that late events count; without a window
// it is not measured any more.
func (gs *goals) inWindow(g *program.Goal, ch *customer.Chain, e *event.Event) bool {
	end, bounded := windowEnd(ch, g)
	if !ch.Live() && (!bounded || gs.now > end+measureGrace) {
		return false
	}
	return gs.inTime(g, ch, e)
}

// inTime reports whether an event's time lies in a goal's window, both ends inclusive. An event from
// before the chain's start reaches none of its goals.
func (gs *goals) inTime(g *program.Goal, ch *customer.Chain, e *event.Event) bool {
	end, bounded := windowEnd(ch, g)
	return !gs.matching.beforeStart(ch, e) && (!bounded || e.Time <= end)
}

// reach writes that an event reached a goal of the chain, with its value and currency, and keeps it
// with the chain. A value that fails or is no amount does not undo the conversion: the goal is
// reached without a value and the fault is recorded. A reversal that came first applies at once.
func (gs *goals) reach(p *program.Program, g *program.Goal, ch *customer.Chain, e *event.Event) {
	// The value is read before the goal is written: both are one row.
	hit := customer.GoalHit{ID: g.ID}
	currency := ""
	if g.Value != nil {
		switch v, missing, err := g.Value.Eval(gs.scope); {
		case err != nil:
			gs.out.decideChain(ch, output.Erred, output.ReasonEvaluation, ch.Step, clip.Text(err.Error(), 200))
		// A goal without a value is nothing unusual.
		case missing || v == types.NullValue:
		default:
			if hit.Value, hit.HasValue = expr.AmountFromValue(v); !hit.HasValue {
				gs.out.noteOnce(output.ReasonNumber, p.Name, "goal "+g.ID)
			}
		}
	}
	if g.Currency != nil {
		code, _ := gs.identifier(g.Currency)
		currency = unit.CurrencyCode(code)
	}
	hit.Currency = currency
	ch.Goals = append(ch.Goals, hit)
	// From here on an event can take the conversion back.
	if g.ReverseOn != nil {
		ch.Reversals = append(
			ch.Reversals,
			customer.Reversal{Goal: g.ID, At: e.Time, Step: ch.LastStep, Currency: currency},
		)
	}
	gs.out.goal(output.GoalRow{
		Workspace: gs.c.Workspace, Campaign: p.Name, Version: ch.Version, Customer: gs.c.ID, Key: ch.Key,
		Entry: ch.Entry, Goal: g.ID, Step: ch.LastStep, Value: hit.Value, HasValue: hit.HasValue,
		Currency: currency, EventID: e.ID, At: e.Time,
	})
	gs.out.decideChain(ch, output.Converted, output.ReasonGoal, ch.LastStep, g.ID)
	gs.experiments.convert(ch, g.ID, true)
	// The reversal may have come first: events arrive out of order.
	gs.reverseBySeen(p, ch, g)
}

// measure reaches the goals of a chain that an event is for, each at most once in its life. It
// reports whether there was one; stopping is the id of the first goal reached that ends the chain,
// empty when none does. All goals are looked at before the chain ends, so that one event can reach
// several.
func (gs *goals) measure(p *program.Program, ch *customer.Chain, e *event.Event) (reached bool, stopping string) {
	for i := range p.Goals {
		g := &p.Goals[i]
		if gs.trace != nil {
			gs.explain(p, g, ch, e)
		}
		if ch.Reached(g.ID) || !gs.inWindow(g, ch, e) || !gs.matching.matches(&g.Match, e, ch.Campaign) {
			continue
		}
		gs.reach(p, g, ch, e)
		reached = true
		if g.Stop && stopping == "" {
			stopping = g.ID
		}
	}
	return reached, stopping
}

// explain notes a goal's event that lies outside of the goal's window. What lies inside is noted by
// matching.
func (gs *goals) explain(p *program.Program, g *program.Goal, ch *customer.Chain, e *event.Event) {
	if g.Match.Event != e.Name || ch.Reached(g.ID) || gs.inWindow(g, ch, e) {
		return
	}
	a := trace.Row(
		p,
		ch,
		trace.RuleGoal,
		trace.No,
		trace.TimeFact("event time", e.Time),
		trace.TimeFact("entered at", ch.EnteredAt),
	)
	a.About = g.ID
	if end, bounded := windowEnd(ch, g); bounded {
		a.Facts = append(a.Facts, trace.TimeFact("window until", end))
	}
	gs.trace.Note(a)
}

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

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
	hit := customer.GoalHit{ID: g.ID}
	currency := ""
	if g.Value != nil {
		switch v, missing, err := g.Value.Eval(gs.scope); {
		case err != nil:
			gs.out.decideChain(ch, output.Erred, output.ReasonEvaluation, ch.Step, clip.Text(err.Error(), 200))
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
	gs.reverseBySeen(p, ch, g)
}

// measure reaches the goals of a chain that an event is for, each at most once in its life. It reports
// whether there was one; stopping is the id of the first that ends the chain, empty when none does.
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

package machine

import (
	"sort"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/clip"
)

// chains applies an event to the customer's chains: reversals, goals, stops, waits (L1).
// Ended chains are only measured.
func (m *Machine) chains(e *event.Event) {
	if !m.set.Ringed[e.Name] {
		return
	}
	for _, ch := range m.c.Chains {
		p := m.set.ProgramOf(ch)
		if p == nil || !p.HearsOf(e.Name) {
			continue
		}
		m.look(ch)
		m.reversals(p, ch, e)
		if m.beforeStart(ch, e) {
			if m.trace != nil {
				m.traceBefore(p, ch, e)
			}
			if ch.Live() && e.Time >= ch.EntryStart(m.scope.Trigger.Event) {
				m.waitSinceEntry(p, ch, e) // it is older than a trigger that the chain took since
			}
			continue
		}
		m.goals(p, ch, e)
		if ch.Live() {
			m.stops(p, ch, e)
		}
		if ch.Live() {
			m.waits(p, ch, e)
		} else {
			m.recallLate(p, ch, e)
		}
	}
}

// recallLate takes back what an ended chain handed off and has not left, when an
// event comes that would have stopped the chain.
func (m *Machine) recallLate(p *program.Program, ch *customer.Chain, e *event.Event) {
	if !m.c.HasPending(ch) {
		return
	}
	stopping := false
	for i := range p.Goals {
		g := &p.Goals[i]
		stopping = stopping || g.Stop && m.inTime(g, ch, e) && m.matches(&g.Match, e, ch.Campaign)
	}
	for i := range p.Stops {
		stopping = stopping || m.matches(&p.Stops[i], e, ch.Campaign)
	}
	if stopping {
		m.recall(ch)
	}
}

// look points the scope at a chain and its trigger.
func (m *Machine) look(ch *customer.Chain) {
	m.scope.Chain.Chain = ch
	m.scope.Trigger.Set(event.DecodeBody(ch.Trigger))
}

// matches says whether e, the scope's event, is what the matcher waits for.
func (m *Machine) matches(match *program.Matcher, e *event.Event, campaign string) bool {
	if match.Event != e.Name {
		return false
	}
	if m.trace != nil {
		m.traceMatch(match, e)
	}
	if match.Match != "" && !m.sameProperty(match.Match) {
		return false
	}
	return match.Where == nil || m.holds(match.Where, campaign)
}

// sameProperty compares a property of the event and of the trigger as identifiers; a
// missing one does not match.
func (m *Machine) sameProperty(name string) bool {
	return jsonvalue.SameIdentifier(m.scope.Event.Props.At(name), m.scope.Trigger.Props.At(name))
}

// goals measures the goals of a chain by an event; one that stops the chain ends it.
func (m *Machine) goals(p *program.Program, ch *customer.Chain, e *event.Event) {
	reached, stopping := m.measure(p, ch, e)
	switch {
	case stopping != "" && ch.Live():
		ch.EndedBy = stopping
		m.end(ch, output.ByGoal, output.ReasonGoal, stopping)
	case reached:
		m.out.Chains = append(m.out.Chains, m.row(ch))
	}
}

// measure reaches the goals of a chain that an event is for. stopping is the first of them that
// stops the chain.
func (m *Machine) measure(p *program.Program, ch *customer.Chain, e *event.Event) (reached bool, stopping string) {
	for i := range p.Goals {
		g := &p.Goals[i]
		if m.trace != nil {
			m.traceWindow(p, g, ch, e)
		}
		if ch.Reached(g.ID) || !m.inWindow(g, ch, e) || !m.matches(&g.Match, e, ch.Campaign) {
			continue
		}
		m.reach(p, g, ch, e)
		reached = true
		if g.Stop && stopping == "" {
			stopping = g.ID
		}
	}
	return reached, stopping
}

// inWindow says whether a goal is measured at an event's time. A chain that has ended
// is measured for measureGrace after its window closed, so that late events count.
func (m *Machine) inWindow(g *program.Goal, ch *customer.Chain, e *event.Event) bool {
	end, bounded := windowEnd(ch, g)
	if !ch.Live() && (!bounded || m.now > end+measureGrace) {
		return false
	}
	return m.inTime(g, ch, e)
}

// inTime checks a goal's window by event time, both ends inclusive; an event from
// before the trigger is none of its chain's goals.
func (m *Machine) inTime(g *program.Goal, ch *customer.Chain, e *event.Event) bool {
	end, bounded := windowEnd(ch, g)
	return !m.beforeStart(ch, e) && (!bounded || e.Time <= end)
}

// windowEnd is the last instant of a goal's window; bounded is false while it has none.
func windowEnd(ch *customer.Chain, g *program.Goal) (end int64, bounded bool) {
	if !g.FromDelivery {
		return ch.EnteredAt + g.Window, g.Window != 0
	}
	return ch.LastSend + g.Window, g.Window != 0 && ch.LastSend != 0
}

func (m *Machine) reach(p *program.Program, g *program.Goal, ch *customer.Chain, e *event.Event) {
	hit := customer.GoalHit{ID: g.ID}
	currency := ""
	if g.Value != nil {
		switch v, missing, err := g.Value.Eval(m.scope); {
		case err != nil:
			m.decideChain(ch, output.Erred, output.ReasonEvaluation, ch.Step, clip.Text(err.Error(), 200))
		case missing || v == types.NullValue:
		default:
			if hit.Value, hit.HasValue = expr.AmountFromValue(v); !hit.HasValue {
				m.noteOnce(output.ReasonNumber, p.Name, "goal "+g.ID)
			}
		}
	}
	if g.Currency != nil {
		code, _ := m.identifier(g.Currency)
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
	m.out.Goals = append(m.out.Goals, output.GoalRow{
		Workspace: m.c.Workspace, Campaign: p.Name, Version: ch.Version, Customer: m.c.ID, Key: ch.Key,
		Entry: ch.Entry, Goal: g.ID, Step: ch.LastStep, Value: hit.Value, HasValue: hit.HasValue,
		Currency: currency, EventID: e.ID, At: e.Time,
	})
	m.decideChain(ch, output.Converted, output.ReasonGoal, ch.LastStep, g.ID)
	m.convert(ch, g.ID, true)
	m.reverseBySeen(p, ch, g)
}

func (m *Machine) stops(p *program.Program, ch *customer.Chain, e *event.Event) {
	for i := range p.Stops {
		if m.matches(&p.Stops[i], e, ch.Campaign) {
			m.end(ch, output.Stopped, output.ReasonStop, e.Name)
			return
		}
	}
}

// waits answers or restarts the wait in which a chain rests. An event from before the
// system, marked historical, is what a wait "since: step" looks past.
func (m *Machine) waits(p *program.Program, ch *customer.Chain, e *event.Event) {
	w, at := p.OpenWait(ch)
	if w == nil || e.Historical && !w.FromEntry || m.answer(p, ch, w, at, e) {
		return
	}
	if w.RestartOn != nil && !e.Historical && ch.Restarts < w.MaxRestarts && m.matches(w.RestartOn, e, ch.Campaign) {
		ch.Restarts++
		ch.Opened, ch.Due, ch.Wake = m.now, m.now+w.Timeout, 0
		m.freeze(ch, 0)
		if m.trace != nil {
			m.traceRest(p, ch)
		}
	}
}

func (m *Machine) waitSinceEntry(p *program.Program, ch *customer.Chain, e *event.Event) {
	if w, at := p.OpenWait(ch); w != nil && w.FromEntry {
		m.answer(p, ch, w, at, e)
	}
}

// answer moves a chain on where its wait is for an event.
func (m *Machine) answer(p *program.Program, ch *customer.Chain, w *program.Wait, at int, e *event.Event) bool {
	for i := range w.For {
		if m.matches(&w.For[i], e, ch.Campaign) {
			m.moveOn(ch, m.jumpBack(p, ch, at, w.For[i].Target(p, at)))
			return true
		}
	}
	return false
}

// wake lets a chain run when the record is applied.
func (m *Machine) wake(ch *customer.Chain) { m.ready = append(m.ready, ch) }

// moveOn sends a resting chain to a step, to be run when the record is applied. One that a
// later version leaves behind ends where it is: a result comes before the customer's turn.
func (m *Machine) moveOn(ch *customer.Chain, step string) {
	if m.leftBehind(ch) {
		return
	}
	ch.Step, ch.Due, ch.Wake, ch.Restarts, ch.Held = step, 0, 0, 0, nil
	m.wake(ch)
}

// seen looks through the ring for the first event, by event time and then by arrival, that
// the matcher accepts among those that accept says to look at; nil when there is none. The
// scope's event is restored.
func (m *Machine) seen(
	match *program.Matcher,
	campaign string,
	accept func(*customer.RecentEvent, *event.Event) bool,
) (first *event.Event, place uint64) {
	r := m.c.Ring(match.Event)
	if r == nil {
		return nil, 0
	}
	current := m.scope.Event.Event
	for i := range r.Events {
		e := event.DecodeBody(r.Events[i].Event)
		if e == nil || !accept(&r.Events[i], e) || first != nil && e.Time >= first.Time {
			continue
		}
		m.scope.Event.Set(e)
		if m.matches(match, e, campaign) {
			first, place = e, r.Events[i].N
		}
	}
	m.scope.Event.Set(current)
	return first, place
}

// runReady runs the chains that the record entered or advanced, by campaign
// name and entry number, each until it rests.
func (m *Machine) runReady() {
	if len(m.ready) > 1 { // mostly there is one, and sorting none costs memory too
		sort.SliceStable(m.ready, func(i, j int) bool { return m.ready[i].Before(m.ready[j]) })
	}
	planned := m.planned
	for _, ch := range m.ready {
		if ch.Live() {
			m.planned = planned // a delay that is over already sets its own
			from := m.mark()
			m.run(ch)
			m.attribute(ch, from)
		}
	}
	m.ready = m.ready[:0]
}

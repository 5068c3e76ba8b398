package machine

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// triggers asks the campaigns that watch a record, by campaign name; those that would do
// nothing are not asked.
func (m *Machine) triggers(watch *active.TriggerIndex, e *event.Event) {
	for _, at := range m.concerned(watch, true) {
		m.trigger(watch.Programs[at], e)
	}
	m.notedProfile()
}

// trigger asks one campaign; e is nil when the profile was changed by a timer.
func (m *Machine) trigger(p *program.Program, e *event.Event) {
	m.scope.Chain.Chain = nil
	m.scope.Trigger.Set(e)
	if m.trace != nil {
		m.traceTrigger(p, e)
	}
	switch t := p.Trigger.(type) {
	case *program.EventTrigger:
		if t.Where == nil || m.holds(t.Where, p.Name) {
			m.tryEnter(p, e)
		}
	case *program.WebhookTrigger:
		m.tryEnter(p, e)
	case *program.CountTrigger:
		m.countTrigger(p, t, e)
	case *program.InactivityTrigger:
		m.rearm(p, t, e)
	case *program.StreakTrigger:
		m.streak(p, t, e)
	case *program.ThresholdTrigger, *program.SegmentTrigger:
		if m.crossed(p) {
			m.tryEnter(p, e)
		}
	case *program.ChangeTrigger:
		m.change(p, t, e)
	case *program.DateTrigger:
		m.planDates(p, t, true, m.keptDate(t, e))
	case *program.BroadcastTrigger, *program.ScheduleTrigger: // come as visits
	}
}

func (m *Machine) countTrigger(p *program.Program, t *program.CountTrigger, e *event.Event) {
	spec := m.set.CounterSpecFor(t.Event, t.Where)
	c := m.c.Counter(spec.ID)
	if c == nil || c.Count != t.Reaches {
		return
	}
	// The count stands at N also after a later event that does not match.
	if t.Where != nil && !m.holds(t.Where, p.Name) {
		return
	}
	if m.historyUnknown(spec) && !p.Existing {
		m.refuse(p, output.ReasonHistory)
		return
	}
	m.tryEnter(p, e)
}

// rearm moves the inactivity timer to the latest matching event. An event older
// than the campaign takes, whose instant is past already, arms nothing.
func (m *Machine) rearm(p *program.Program, t *program.InactivityTrigger, e *event.Event) {
	c := m.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where)))
	if c == nil || c.Last != e.Time || (t.Where != nil && !m.holds(t.Where, p.Name)) {
		return
	}
	m.arm(p, t, e)
}

func (m *Machine) arm(p *program.Program, t *program.InactivityTrigger, e *event.Event) {
	due := e.Time + t.For
	if due <= m.now && (e.Historical || m.now-e.Time > p.MaxEventAge) {
		m.c.DropWatch(p.Name)
		return
	}
	m.c.SetWatch(customer.InactivityTimer{Campaign: p.Name, Due: due, Trigger: e.AppendBody(nil)})
}

// watchProfiles arms the inactivity triggers that count from the first record
// of a customer who never did the event; that record is their trigger.
func (m *Machine) watchProfiles(e *event.Event) {
	for _, p := range m.newcomers() {
		if t, ok := p.Trigger.(*program.DateTrigger); ok {
			m.planDates(p, t, false, false)
		}
		t, ok := p.Trigger.(*program.InactivityTrigger)
		if !ok {
			continue
		}
		if c := m.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where))); c == nil || c.Count == 0 {
			m.arm(p, t, e)
		}
	}
}

// fireWatch enters a chain for a spell of inactivity.
func (m *Machine) fireWatch(campaign string) {
	i, found := m.c.Watch(campaign)
	if !found {
		return
	}
	trigger := event.DecodeBody(m.c.Watches[i].Trigger)
	m.c.DropWatch(campaign)
	p := m.set.ByName[campaign]
	if p == nil {
		return
	}
	if _, ok := p.Trigger.(*program.InactivityTrigger); !ok {
		return
	}
	m.enterByTime(p, trigger)
}

// enterByTime asks whether a timer or a bulk task may start a chain.
func (m *Machine) enterByTime(p *program.Program, trigger *event.Event) {
	m.scope.Chain.Chain = nil
	m.scope.Trigger.Set(trigger)
	m.enterIfAllowed(m.entry(p, trigger))
}

// tryEnter asks whether a record may start a chain; e is nil where a timer changed the profile.
func (m *Machine) tryEnter(p *program.Program, e *event.Event) {
	if m.trace != nil {
		m.trace.Fires(p.Name)
	}
	q := m.entry(p, e)
	if e != nil {
		q.aged, q.since, q.historical = true, e.Time, e.Historical
	}
	m.enterIfAllowed(q)
}

// inAudience asks the audience. When a timer or a visit starts the chain there is no
// current record: event is the trigger then, as it is when the audience is asked again.
func (m *Machine) inAudience(p *program.Program, audience *expr.Expr, trigger *event.Event) bool {
	if m.scope.Event.Event != nil || trigger == nil {
		return m.holds(audience, p.Name)
	}
	m.scope.Event.Set(trigger)
	holds := m.holds(audience, p.Name)
	m.scope.Event.Set(nil)
	return holds
}

// audienceFacts completes a row of a trace with what inAudience compared; audience may be nil.
func (m *Machine) audienceFacts(a trace.RuleResult, audience *expr.Expr, trigger *event.Event) trace.RuleResult {
	if m.scope.Event.Event == nil && trigger != nil {
		m.scope.Event.Set(trigger)
		defer m.scope.Event.Set(nil)
	}
	return m.exprFacts(a, audience)
}

// startChain starts a chain, in place of the newest one of its key where a restart says so.
func (m *Machine) startChain(p *program.Program, key string, trigger *event.Event) {
	live := m.liveOf(p, key)
	if len(live) > 0 && p.Reentry.OnActive == program.RestartLive {
		m.decideChain(live[len(live)-1], output.Restarted, output.ReasonRestarted, "", "")
		m.end(live[len(live)-1], output.Stopped, output.ReasonRestarted, "")
	}
	m.enter(p, key, trigger)
}

func (m *Machine) enter(p *program.Program, key string, trigger *event.Event) {
	all := m.c.EnsureEntry(p.Name, "", false)
	all.Number++
	all.LastIn = m.now
	number := all.Number
	if p.Reentry.Key != nil && p.Reentry.Mode != program.Always {
		keyed := m.c.EnsureEntry(p.Name, key, true)
		keyed.Number++
		keyed.LastIn = m.now
	}
	ch := &customer.Chain{
		Campaign: p.Name, Version: p.Version, Entry: number, Key: key, EnteredAt: m.now,
		Step: p.Steps[0].ID, Opened: m.now, Outcome: output.Active, HeldOut: p.HoldsOut(m.c.ID),
	}
	if trigger != nil {
		ch.Trigger = trigger.AppendBody(nil)
	}
	m.noteStart(p, ch, trigger)
	if p.LooksBack() {
		ch.Behind = m.ringedAtEntry()
	}
	m.c.AddChain(ch)
	m.decideChain(ch, output.Entered, output.NoReason, "", "")
	m.out.Chains = append(m.out.Chains, m.row(ch))
	m.wake(ch)
}

// refresh gives a live chain the new trigger event and restarts its timer.
func (m *Machine) refresh(p *program.Program, ch *customer.Chain, trigger *event.Event) {
	entered, after := ch.EntryStart(event.DecodeBody(ch.Trigger)), m.asksAfter(p, trigger)
	if trigger != nil {
		ch.Trigger = trigger.AppendBody(nil)
	}
	m.noteStart(p, ch, trigger)
	p = cmp.Or(m.set.ProgramOf(ch), p) // what it is pinned to
	if p.LooksBack() {
		ch.FirstStart = entered
	}
	if s, _ := p.Step(ch.Step); s != nil && ch.Due != 0 && !ch.Still {
		ch.Wake, ch.Opened = 0, m.now
		m.restartTimer(p, s.Verb.Timer(), ch)
	}
	m.decideChain(ch, output.Refreshed, output.NoReason, ch.Step, "")
	if m.trace != nil {
		m.traceRest(p, ch)
	}
	m.recheckLater(ch, after)
}

// restartTimer lets the timer of a resting chain run anew. One that counts from the entry, and
// that of a held send, stay as they are.
func (m *Machine) restartTimer(p *program.Program, t program.Timer, ch *customer.Chain) {
	switch t.Kind {
	case program.FromStep, program.ForReply:
		ch.Due = m.now + t.After
	case program.LocalTime: // another only where it is overdue
		ch.Due = m.nextLocal(p, t.Until, ch.UntilFrom(m.now))
	case program.FromEntry, program.NoTimer:
	}
}

// refuse writes that a trigger matched and no chain starts, for a reason that is no gate's: what the
// trigger counts is not known, or cannot be kept.
func (m *Machine) refuse(p *program.Program, reason output.Reason) {
	m.decide(output.Decision{Campaign: p.Name, Version: p.Version, Kind: output.Refused, Reason: reason})
}

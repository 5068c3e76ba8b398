package machine

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
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
		m.planDates(p, t, true)
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
		m.refuse(p, "", output.ReasonHistory)
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
			m.planDates(p, t, false)
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
	m.enterUnlessLate(p, trigger)
}

// enterUnlessLate enters a chain that no record asks for, unless that is too late.
func (m *Machine) enterUnlessLate(p *program.Program, trigger *event.Event) {
	m.scope.Chain.Chain = nil
	m.scope.Trigger.Set(trigger)
	if m.late && p.Late == program.LateExit {
		m.refuse(p, "", output.ReasonLate)
		return
	}
	m.enterIfAllowed(p, trigger)
}

// tryEnter asks whether an event may start a chain at all, then enters.
func (m *Machine) tryEnter(p *program.Program, e *event.Event) {
	if m.trace != nil {
		m.traceOffer(p, e)
	}
	switch {
	case m.late && p.Late == program.LateExit: // what changed the profile was late
		m.refuse(p, "", output.ReasonLate)
	case e == nil: // a timer changed the profile
		m.enterIfAllowed(p, nil)
	case e.Historical:
		m.refuse(p, "", output.ReasonHistorical)
	case m.now-e.Time > p.MaxEventAge:
		m.refuse(p, "", output.ReasonTooOld)
	default:
		m.enterIfAllowed(p, e)
	}
}

// enterIfAllowed asks re-entry, audience, already converted and already stopped, in this
// order.
func (m *Machine) enterIfAllowed(p *program.Program, trigger *event.Event) {
	if m.trace != nil {
		m.traceEntry(p, trigger)
	}
	if p.Status != program.StatusActive {
		m.inactive(p, trigger)
		return
	}
	if m.now < p.From || p.Until != 0 && m.now >= p.Until {
		m.refuse(p, "", output.ReasonPeriod)
		return
	}
	key, ok := m.key(p, trigger)
	if !ok {
		m.refuse(p, "", output.ReasonKey)
		return
	}
	if live := m.liveOf(p, key); len(live) > 0 && p.Reentry.OnActive.Replaces() {
		newest := live[len(live)-1]
		if m.beganLater(p, newest, trigger) {
			m.refuse(p, key, output.ReasonActive)
			return
		}
		if p.Reentry.OnActive == program.RefreshLive {
			m.refresh(p, newest, trigger) // no entry: neither mode nor cooldown count it
			return
		}
	}
	if reason := m.mayEnter(p, key); reason != output.NoReason {
		m.refuse(p, key, reason)
		return
	}
	if p.Audience != nil && !m.inAudience(p, p.Audience, trigger) {
		m.refuse(p, key, output.ReasonAudience)
		return
	}
	if m.alreadyConverted(p, trigger) {
		m.refuse(p, key, output.ReasonConverted)
		return
	}
	if m.alreadyStopped(p, trigger) {
		m.refuse(p, key, output.ReasonStopped)
		return
	}
	if p.Policy.Group != "" {
		m.candidates = append(m.candidates, candidate{p, key, trigger, m.planned, m.silence, m.late, m.cause})
		return
	}
	m.startChain(p, key, trigger)
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

// startChain starts a chain, in place of the newest one of its key where a restart says so.
func (m *Machine) startChain(p *program.Program, key string, trigger *event.Event) {
	live := m.liveOf(p, key)
	if len(live) > 0 && p.Reentry.OnActive == program.RestartLive {
		m.decideChain(live[len(live)-1], output.Restarted, output.ReasonRestarted, "", "")
		m.end(live[len(live)-1], output.Stopped, output.ReasonRestarted, "")
	}
	m.enter(p, key, trigger)
}

// mayEnter applies mode, cooldown and the limits on live chains.
func (m *Machine) mayEnter(p *program.Program, key string) output.Reason {
	keyed := p.Reentry.Key != nil
	if past := m.c.Entry(p.Name, key, keyed); past != nil && past.Number > 0 {
		switch p.Reentry.Mode {
		case program.Always:
		case program.Once:
			return output.ReasonOnce
		case program.Cooldown:
			if m.coolingDown(p, key, past) {
				return output.ReasonCooldown
			}
		}
	}
	if keyed && p.Reentry.Mode != program.Always && m.c.Entry(p.Name, key, true) == nil && !m.roomForKey(p) {
		return output.ReasonKeys
	}
	live := m.liveOf(p, key)
	if len(live) >= p.Reentry.MaxActive &&
		(p.Reentry.OnActive == program.IgnoreNew || p.Reentry.OnActive == program.Parallel) {
		return output.ReasonActive
	}
	all := 0
	for _, ch := range m.c.Chains {
		if ch.Live() {
			all++
		}
	}
	if all >= customer.MaxLiveChains &&
		(len(live) == 0 || p.Reentry.OnActive == program.Parallel || p.Reentry.OnActive == program.IgnoreNew) {
		return output.ReasonTooMany
	}
	return output.NoReason
}

// roomForKey forgets the keys of a campaign whose cooldown is over and says whether
// another one can be remembered.
func (m *Machine) roomForKey(p *program.Program) bool {
	kept, n := m.c.Entries[:0], 0
	for _, e := range m.c.Entries {
		if e.Campaign == p.Name && e.Keyed {
			over := p.Reentry.Mode == program.Cooldown && !m.coolingDown(p, e.Key, &e) && len(m.liveOf(p, e.Key)) == 0
			if over {
				continue
			}
			n++
		}
		kept = append(kept, e)
	}
	m.c.Entries = kept
	return n < customer.MaxKeys
}

// coolingDown says whether the cooldown is still running; exactly its length
// after is free again.
func (m *Machine) coolingDown(p *program.Program, key string, past *customer.Entry) bool {
	if !p.Reentry.FromExit {
		return m.now < past.LastIn+p.Reentry.Cooldown
	}
	if len(m.liveOf(p, key)) > 0 {
		return true
	}
	return m.now < past.LastOut+p.Reentry.Cooldown
}

// liveOf are the live chains of a campaign and key, by entry number.
func (m *Machine) liveOf(p *program.Program, key string) []*customer.Chain {
	var live []*customer.Chain
	for _, ch := range m.c.Chains {
		if ch.Campaign == p.Name && ch.Key == key && ch.Live() {
			live = append(live, ch)
		}
	}
	return live
}

// alreadyConverted says whether a goal event of a later event time was seen.
func (m *Machine) alreadyConverted(p *program.Program, trigger *event.Event) bool {
	for i := range p.Goals {
		if m.seenAfter(m.asksAfter(p, trigger), &p.Goals[i].Match, p.Name) != nil {
			return true
		}
	}
	return false
}

// alreadyStopped says whether a stop event of a later event time was seen.
func (m *Machine) alreadyStopped(p *program.Program, trigger *event.Event) bool {
	for i := range p.Stops {
		if m.seenAfter(m.asksAfter(p, trigger), &p.Stops[i], p.Name) != nil {
			return true
		}
	}
	return false
}

// asksAfter is the event time, ms, after which goals and stops that came already concern a
// chain that would begin now: that of its trigger or, where there is none, the planned instant.
func (m *Machine) asksAfter(p *program.Program, trigger *event.Event) int64 {
	if trigger != nil {
		return trigger.Time
	}
	at, _ := m.startOf(p, nil)
	return at
}

// seenAfter is the first event that a matcher accepts and that happened after an instant;
// nil when none was seen.
func (m *Machine) seenAfter(after int64, match *program.Matcher, campaign string) *event.Event {
	e, _ := m.seen(match, campaign, func(_ *customer.RecentEvent, e *event.Event) bool { return e.Time > after })
	return e
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
	m.ready = append(m.ready, ch)
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

func (m *Machine) refuse(p *program.Program, key string, reason output.Reason) {
	m.decide(output.Decision{Campaign: p.Name, Version: p.Version, Key: key, Kind: output.Refused, Reason: reason})
}

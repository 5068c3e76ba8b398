package campaign

import "cmp"

// triggers asks the campaigns that watch a record, by campaign name; those that would do
// nothing are not asked.
func (m *Machine) triggers(watch *watchers, e *Event) {
	for _, at := range m.concerned(watch, true) {
		m.trigger(watch.programs[at], e)
	}
	m.notedProfile()
}

// trigger asks one campaign; e is nil when the profile was changed by a timer.
func (m *Machine) trigger(p *Program, e *Event) {
	m.scope.chain.c = nil
	m.scope.trigger.set(e)
	if m.trace != nil {
		m.traceTrigger(p, e)
	}
	switch t := p.Trigger.(type) {
	case *EventTrigger:
		if t.Where == nil || m.holds(t.Where, p.Name) {
			m.offer(p, e)
		}
	case *WebhookTrigger:
		m.offer(p, e)
	case *CountTrigger:
		m.countTrigger(p, t, e)
	case *InactivityTrigger:
		m.rearm(p, t, e)
	case *StreakTrigger:
		m.streak(p, t, e)
	case *ThresholdTrigger, *SegmentTrigger:
		if m.crossed(p) {
			m.offer(p, e)
		}
	case *ChangeTrigger:
		m.change(p, t, e)
	case *DateTrigger:
		m.planDates(p, t, true)
	case *BroadcastTrigger, *ScheduleTrigger: // come as visits
	}
}

func (m *Machine) countTrigger(p *Program, t *CountTrigger, e *Event) {
	spec := m.set.counterSpecFor(t.Event, t.Where)
	c := m.c.counter(spec.id)
	if c == nil || c.Count != t.Reaches {
		return
	}
	// The count stands at N also after a later event that does not match.
	if t.Where != nil && !m.holds(t.Where, p.Name) {
		return
	}
	if m.historyUnknown(spec) && !p.Existing {
		m.refuse(p, "", ReasonHistory)
		return
	}
	m.offer(p, e)
}

// rearm moves the inactivity timer to the latest matching event. An event older
// than the campaign takes, whose instant is past already, arms nothing.
func (m *Machine) rearm(p *Program, t *InactivityTrigger, e *Event) {
	c := m.c.counter(counterID(t.Event, sourceOf(t.Where)))
	if c == nil || c.Last != e.Time || (t.Where != nil && !m.holds(t.Where, p.Name)) {
		return
	}
	m.arm(p, t, e)
}

func (m *Machine) arm(p *Program, t *InactivityTrigger, e *Event) {
	due := e.Time + t.For
	if due <= m.now && (e.Historical || m.now-e.Time > p.MaxEventAge) {
		m.c.dropWatch(p.Name)
		return
	}
	m.c.setWatch(Watch{Campaign: p.Name, Due: due, Trigger: e.appendBody(nil)})
}

// watchProfiles arms the inactivity triggers that count from the first record
// of a customer who never did the event; that record is their trigger.
func (m *Machine) watchProfiles(e *Event) {
	for _, p := range m.newcomers() {
		if t, ok := p.Trigger.(*DateTrigger); ok {
			m.planDates(p, t, false)
		}
		t, ok := p.Trigger.(*InactivityTrigger)
		if !ok {
			continue
		}
		if c := m.c.counter(counterID(t.Event, sourceOf(t.Where))); c == nil || c.Count == 0 {
			m.arm(p, t, e)
		}
	}
}

// fireWatch enters a chain for a spell of inactivity.
func (m *Machine) fireWatch(campaign string) {
	i, found := m.c.watch(campaign)
	if !found {
		return
	}
	trigger := decodeBody(m.c.Watches[i].Trigger)
	m.c.dropWatch(campaign)
	p := m.set.byName[campaign]
	if p == nil {
		return
	}
	if _, ok := p.Trigger.(*InactivityTrigger); !ok {
		return
	}
	m.enterUnlessLate(p, trigger)
}

// enterUnlessLate enters a chain that no record asks for, unless that is too late.
func (m *Machine) enterUnlessLate(p *Program, trigger *Event) {
	m.scope.chain.c = nil
	m.scope.trigger.set(trigger)
	if m.late && p.Late == LateExit {
		m.refuse(p, "", ReasonLate)
		return
	}
	m.enterIfAllowed(p, trigger)
}

// offer asks whether an event may start a chain at all, then enters.
func (m *Machine) offer(p *Program, e *Event) {
	if m.trace != nil {
		m.traceOffer(p, e)
	}
	switch {
	case e == nil: // a timer changed the profile
		m.enterIfAllowed(p, nil)
	case e.Historical:
		m.refuse(p, "", ReasonHistorical)
	case m.now-e.Time > p.MaxEventAge:
		m.refuse(p, "", ReasonTooOld)
	default:
		m.enterIfAllowed(p, e)
	}
}

// enterIfAllowed asks re-entry, audience, already converted and already stopped, in this
// order.
func (m *Machine) enterIfAllowed(p *Program, trigger *Event) {
	if m.trace != nil {
		m.traceEntry(p, trigger)
	}
	if p.Status != StatusActive {
		m.inactive(p, trigger)
		return
	}
	if m.now < p.From || p.Until != 0 && m.now >= p.Until {
		m.refuse(p, "", ReasonPeriod)
		return
	}
	key, ok := m.key(p, trigger)
	if !ok {
		m.refuse(p, "", ReasonKey)
		return
	}
	if live := m.liveOf(p, key); len(live) > 0 && p.Reentry.OnActive.replaces() {
		newest := live[len(live)-1]
		if m.beganLater(p, newest, trigger) {
			m.refuse(p, key, ReasonActive)
			return
		}
		if p.Reentry.OnActive == RefreshLive {
			m.refresh(p, newest, trigger) // no entry: neither mode nor cooldown count it
			return
		}
	}
	if reason := m.mayEnter(p, key); reason != NoReason {
		m.refuse(p, key, reason)
		return
	}
	if p.Audience != nil && !m.inAudience(p, p.Audience, trigger) {
		m.refuse(p, key, ReasonAudience)
		return
	}
	if trigger != nil && m.alreadyConverted(p, trigger) {
		m.refuse(p, key, ReasonConverted)
		return
	}
	if trigger != nil && m.alreadyStopped(p, trigger) {
		m.refuse(p, key, ReasonStopped)
		return
	}
	if p.Policy.Group != "" {
		m.candidates = append(m.candidates, candidate{p, key, trigger, m.planned, m.silence, m.late, m.cause})
		return
	}
	m.admit(p, key, trigger)
}

// inAudience asks the audience. When a timer or a visit starts the chain there is no
// record in hand: event is the trigger then, as it is when the audience is asked again.
func (m *Machine) inAudience(p *Program, audience *Expr, trigger *Event) bool {
	if m.scope.event.e != nil || trigger == nil {
		return m.holds(audience, p.Name)
	}
	m.scope.event.set(trigger)
	holds := m.holds(audience, p.Name)
	m.scope.event.set(nil)
	return holds
}

// admit starts a chain, in place of the newest one of its key where a restart says so.
func (m *Machine) admit(p *Program, key string, trigger *Event) {
	live := m.liveOf(p, key)
	if len(live) > 0 && p.Reentry.OnActive == RestartLive {
		m.decideChain(live[len(live)-1], Restarted, ReasonRestarted, "", "")
		m.end(live[len(live)-1], Stopped, ReasonRestarted, "")
	}
	m.enter(p, key, trigger)
}

// mayEnter applies mode, cooldown and the limits on live chains.
func (m *Machine) mayEnter(p *Program, key string) Reason {
	keyed := p.Reentry.Key != nil
	if past := m.c.entry(p.Name, key, keyed); past != nil && past.Number > 0 {
		switch p.Reentry.Mode {
		case Always:
		case Once:
			return ReasonOnce
		case Cooldown:
			if m.coolingDown(p, key, past) {
				return ReasonCooldown
			}
		}
	}
	if keyed && p.Reentry.Mode != Always && m.c.entry(p.Name, key, true) == nil && !m.roomForKey(p) {
		return ReasonKeys
	}
	live := m.liveOf(p, key)
	if len(live) >= p.Reentry.MaxActive && (p.Reentry.OnActive == IgnoreNew || p.Reentry.OnActive == Parallel) {
		return ReasonActive
	}
	all := 0
	for _, ch := range m.c.Chains {
		if ch.live() {
			all++
		}
	}
	if all >= MaxLiveChains && (len(live) == 0 || p.Reentry.OnActive == Parallel || p.Reentry.OnActive == IgnoreNew) {
		return ReasonTooMany
	}
	return NoReason
}

// roomForKey forgets the keys of a campaign whose cooldown is over and says whether
// another one can be remembered.
func (m *Machine) roomForKey(p *Program) bool {
	kept, n := m.c.Entries[:0], 0
	for _, e := range m.c.Entries {
		if e.Campaign == p.Name && e.Keyed {
			over := p.Reentry.Mode == Cooldown && !m.coolingDown(p, e.Key, &e) && len(m.liveOf(p, e.Key)) == 0
			if over {
				continue
			}
			n++
		}
		kept = append(kept, e)
	}
	m.c.Entries = kept
	return n < maxKeys
}

// coolingDown says whether the cooldown is still running; exactly its length
// after is free again.
func (m *Machine) coolingDown(p *Program, key string, past *Entry) bool {
	if !p.Reentry.FromExit {
		return m.now < past.LastIn+p.Reentry.Cooldown
	}
	if len(m.liveOf(p, key)) > 0 {
		return true
	}
	return m.now < past.LastOut+p.Reentry.Cooldown
}

// liveOf are the live chains of a campaign and key, by entry number.
func (m *Machine) liveOf(p *Program, key string) []*Chain {
	var live []*Chain
	for _, ch := range m.c.Chains {
		if ch.Campaign == p.Name && ch.Key == key && ch.live() {
			live = append(live, ch)
		}
	}
	return live
}

// alreadyConverted says whether a goal event of a later event time was seen.
func (m *Machine) alreadyConverted(p *Program, trigger *Event) bool {
	for i := range p.Goals {
		if m.seenAfter(trigger, &p.Goals[i].Match, p.Name) != nil {
			return true
		}
	}
	return false
}

// alreadyStopped says whether a stop event of a later event time was seen.
func (m *Machine) alreadyStopped(p *Program, trigger *Event) bool {
	for i := range p.Stops {
		if m.seenAfter(trigger, &p.Stops[i], p.Name) != nil {
			return true
		}
	}
	return false
}

// seenAfter is the first event that a matcher accepts and that happened after the trigger;
// nil when none was seen.
func (m *Machine) seenAfter(trigger *Event, match *Matcher, campaign string) *Event {
	e, _ := m.seen(match, campaign, func(_ *Remembered, e *Event) bool { return e.Time > trigger.Time })
	return e
}

func (m *Machine) enter(p *Program, key string, trigger *Event) {
	all := m.c.ensureEntry(p.Name, "", false)
	all.Number++
	all.LastIn = m.now
	number := all.Number
	if p.Reentry.Key != nil && p.Reentry.Mode != Always {
		keyed := m.c.ensureEntry(p.Name, key, true)
		keyed.Number++
		keyed.LastIn = m.now
	}
	ch := &Chain{
		Campaign: p.Name, Version: p.Version, Entry: number, Key: key, EnteredAt: m.now,
		Step: p.Steps[0].ID, Opened: m.now, Outcome: Active, HeldOut: p.holdsOut(m.c.ID),
	}
	if trigger != nil {
		ch.Trigger = trigger.appendBody(nil)
	}
	m.noteStart(p, ch, trigger)
	if p.looksBack() {
		ch.behind = m.ringedAtEntry()
	}
	m.c.addChain(ch)
	m.decideChain(ch, Entered, NoReason, "", "")
	m.out.Chains = append(m.out.Chains, m.row(ch))
	m.ready = append(m.ready, ch)
}

// refresh gives a live chain the new trigger event and restarts its timer.
func (m *Machine) refresh(p *Program, ch *Chain, trigger *Event) {
	entered := ch.entryStart(decodeBody(ch.Trigger))
	if trigger != nil {
		ch.Trigger = trigger.appendBody(nil)
	}
	m.noteStart(p, ch, trigger)
	p = cmp.Or(m.set.of(ch), p) // what it is pinned to
	if p.looksBack() {
		ch.firstStart = entered
	}
	if s, _ := p.step(ch.Step); s != nil && ch.Due != 0 && !ch.still {
		ch.Wake, ch.Opened = 0, m.now
		switch v := s.Verb.(type) {
		case *Delay:
			if !v.FromEntry {
				ch.Due = m.now + v.For
			}
		case *Wait:
			ch.Due = m.now + v.Timeout
		case *Until: // another only where it is overdue
			ch.Due = m.nextLocal(p, v, ch.untilFrom(m.now))
		case *Call: // Due is not 0: it waits for the reply
			ch.Due = m.now + v.Timeout
		case *Send: // held: it is decided again when what holds it is over
		case *Branch, *Exit, *SetProfile, *Emit, *Start, *Experiment: // a chain does not rest in these
		}
	}
	m.decideChain(ch, Refreshed, NoReason, ch.Step, "")
	if m.trace != nil {
		m.traceRest(p, ch)
	}
	if trigger != nil {
		m.recheckLater(ch, trigger)
	}
}

func (m *Machine) refuse(p *Program, key string, reason Reason) {
	m.decide(Decision{Campaign: p.Name, Version: p.Version, Key: key, Kind: Refused, Reason: reason})
}

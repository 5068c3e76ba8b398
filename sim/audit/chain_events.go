package audit

// observe has a chain see one record: reversals, goals, stops and its wait. A chain that has ended
// is only measured.
func (ch *chain) observe(a *Auditor, e *Event) {
	if ch.forgotten {
		return
	}
	ch.reverseGoals(a, e)
	stopper := -1
	for _, g := range ch.def.Goals {
		if ch.hasReached(g.ID) || !ch.measures(a, g, e) || !g.Match.holds(e, ch.trigger, ch.customer) {
			continue
		}
		value, currency := ch.goalValue(a, g, e)
		ch.hits = append(ch.hits, Hit{
			Goal: g.ID, At: a.now, Value: value, Currency: currency, time: e.Time, step: ch.lastStep,
		})
		a.writeConversion(ch, &ch.hits[len(ch.hits)-1], e, false)
		ch.reverseByEarlier(a)
		if g.Stop && stopper < 0 {
			stopper = len(ch.hits) - 1
		}
	}
	if !ch.live() {
		ch.recallLate(a, e)
		return
	}
	if stopper >= 0 {
		ch.endingHit = stopper
		ch.end(a, Converted)
		return
	}
	old := e.Time < ch.relevantFrom
	for _, m := range ch.def.Stops {
		if !m.holds(e, ch.trigger, ch.customer) {
			continue
		}
		if old {
			a.note(NoteOldStop)
			continue
		}
		ch.end(a, Stopped)
		return
	}
	s, ok := ch.step()
	if !ok || !ch.resting || s.Wait == nil || a.skipWaits {
		return
	}
	if s.Wait.FromEntry && e.Time < ch.entryRelevantFrom || !s.Wait.FromEntry && (old || e.Historical) {
		if _, would := ch.waitTarget(e); would {
			a.note(NoteOldAnswer)
		}
		return
	}
	if target, ok := ch.waitTarget(e); ok {
		ch.planned, ch.depth = a.now, ch.customer.depth
		ch.advance(target)
		return
	}
	ch.restartWait(a, e)
}

// restartWait begins the wait's timer anew if the event is the one of restart_on.
func (ch *chain) restartWait(a *Auditor, e *Event) {
	s, _ := ch.step()
	w := s.Wait
	if w.RestartOn == nil || w.Timeout == 0 || e.Historical || e.Time < ch.relevantFrom ||
		!w.RestartOn.holds(e, ch.trigger, ch.customer) || w.MaxRestarts != 0 && ch.restarts >= w.MaxRestarts {
		return
	}
	ch.restarts++
	a.note(NoteRestarted)
	ch.timerFrom, ch.due, ch.notBefore = a.now, a.now+w.Timeout.Milliseconds(), 0
}

// waitTarget returns where the open wait leads on the event; ok is false if it does not answer the
// wait.
func (ch *chain) waitTarget(e *Event) (target string, ok bool) {
	s, _ := ch.step()
	for _, w := range s.Wait.For {
		if w.Match.holds(e, ch.trigger, ch.customer) {
			return w.Goto, true
		}
	}
	return "", false
}

// lookBack returns where a wait `since: entry` leads when it opens: by the earliest recent event,
// by event time, that it would have taken, whether that came before the trigger or after. A refresh
// is no entry.
func (ch *chain) lookBack() (target string, ok bool) {
	if s, _ := ch.step(); !s.Wait.FromEntry {
		return "", false
	}
	for _, e := range byTime(ch.customer.recentEvents()) {
		before := e.position <= ch.entryPosition
		if e.Time < ch.entryRelevantFrom || before && e.Time == ch.entryRelevantFrom {
			continue
		}
		if target, ok = ch.waitTarget(e); ok {
			if before {
				ch.customer.a.note(NoteAnsweredBefore)
			}
			return target, true
		}
	}
	return "", false
}

// refresh gives the chain the new trigger at the place where it is, and restarts the timer of its
// step. A chain that this very record moved on has no timer to restart. An event that came before
// the trigger but happened after it can end the chain.
func (ch *chain) refresh(a *Auditor, t *candidate) {
	ch.trigger, ch.relevantFrom = t.trigger, t.relevantFrom()
	ch.restartTimer(a)
	a.skipWaits = true
	for _, e := range byTime(ch.customer.recentEvents()) {
		if e.Time > ch.relevantFrom && ch.live() {
			ch.observe(a, e)
			if !ch.live() {
				a.note(NoteEndedBefore)
			}
		}
	}
	a.skipWaits = false
}

// restartTimer begins the timer of the step anew.
func (ch *chain) restartTimer(a *Auditor) {
	s, ok := ch.step()
	if !ok || !ch.resting || !ch.armed {
		return
	}
	ch.notBefore, ch.timerFrom = 0, a.now
	switch {
	case s.Wait != nil:
		ch.due = a.now + s.Wait.Timeout.Milliseconds()
	case s.Delay != nil && !s.Delay.FromEntry:
		ch.due = a.now + s.Delay.For.Milliseconds()
	case s.Until != nil:
		ch.due = a.nextLocal(ch, s.Until, a.now)
	case s.Call != nil: // the request itself keeps its expiry
		ch.due = a.now + s.Call.timeout()
	}
}

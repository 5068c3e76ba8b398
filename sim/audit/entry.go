package audit

// candidate is a chain that would start, by a record, a timer or a bulk scan.
type candidate struct {
	campaign   int
	trigger    *Event
	planned    int64 // when the entry was due: now, or the instant of a timer
	silenceEnd int64 // the end of the silence that starts it; 0: its trigger does
	late       bool
	depth      int         // of the record
	noEvent    bool        // no event of the log started it, so a pause has nothing to queue
	rivals     []candidate // of its group, due by the same time
}

// relevantFrom returns the event time from which on events concern the chain: that of its trigger
// or, where time starts it, the planned instant.
func (t *candidate) relevantFrom() int64 {
	if t.silenceEnd != 0 {
		return t.silenceEnd
	}
	return t.trigger.Time
}

// admit lets the candidates enter, by campaign name. Of a group that one record would start, the
// highest priority wins, then the first name.
func (a *Auditor) admit(c *customer, all []candidate) {
	lost := make([]bool, len(all))
	for k := range all {
		for _, other := range append(all[k].rivals, all...) {
			lost[k] = lost[k] || a.loses(c, &all[k], &other)
		}
	}
	for k := range all {
		a.enter(c, &all[k], lost[k])
	}
}

// checkEntry makes the checks that come before the group: late, period, re-entry, audience, already
// converted. It returns the live chains of the key, or why the candidate may not enter.
func (a *Auditor) checkEntry(c *customer, t *candidate) (live []*chain, reason string) {
	def := a.campaigns[t.campaign]
	if t.late && def.Late == LateExit { // before the pause, which would queue it
		return nil, "late"
	}
	if reason = def.inactiveReason(); reason != "" {
		return nil, reason
	}
	if def.From != 0 && a.now < def.From || def.Until != 0 && a.now >= def.Until {
		return nil, "outside_period"
	}
	key, ok := keyOf(def.Reentry, t.trigger)
	if !ok {
		return nil, "missing_key"
	}
	live, reason = a.reentry(c, t.campaign, key)
	if reason != "" {
		return nil, reason
	}
	newest := len(live) - 1
	replaces := def.Reentry.OnActive == ActiveRefresh || def.Reentry.OnActive == ActiveRestart
	if newest >= 0 && replaces && t.relevantFrom() < live[newest].relevantFrom {
		a.note(NoteOlderTrigger)
		return nil, "max_active" // an older trigger does not replace a newer one
	}
	if newest >= 0 && def.Reentry.OnActive == ActiveRefresh {
		return live, ""
	}
	restarts := newest >= 0 && def.Reentry.OnActive == ActiveRestart
	switch {
	case !def.Audience.holds(scene{event: t.trigger, trigger: t.trigger, customer: c}):
		return nil, "audience"
	case c.hasConverted(def, t.trigger):
		return nil, "already_converted"
	case c.hasStopped(def, t.trigger):
		a.note(NoteStoppedBefore)
		return nil, "already_stopped"
	case !restarts && c.liveChains() >= maxLiveChains:
		return nil, "customer_limit"
	}
	return live, ""
}

// enter starts a chain or refuses the candidate; lost says that another of its group wins.
func (a *Auditor) enter(c *customer, t *candidate, lost bool) {
	i, def := t.campaign, a.campaigns[t.campaign]
	live, reason := a.checkEntry(c, t)
	switch reason {
	case "outside_period":
		a.note(NotePeriod)
	case Paused:
		a.note(NotePaused)
	}
	if reason == Paused && def.Queue {
		a.queueEntry(c, t)
		return
	}
	if reason != "" {
		a.refuse(i, reason)
		return
	}
	newest := len(live) - 1
	if newest >= 0 && def.Reentry.OnActive == ActiveRefresh {
		live[newest].refresh(a, t)
		return
	}
	loser, free := a.findGroupRoom(c, t, live)
	if !free || lost {
		a.note(map[bool]string{true: NoteGroupLost, false: NoteGroup}[free])
		a.refuse(i, "group")
		return
	}
	if newest >= 0 && def.Reentry.OnActive == ActiveRestart {
		live[newest].end(a, Stopped)
	}
	if loser != nil {
		a.note(NotePreempt)
		loser.end(a, Preempted)
	}
	key, _ := keyOf(def.Reentry, t.trigger)
	c.states[i].entries++
	c.chains = append(c.chains, &chain{
		campaign: i, def: def, version: def.Version, customer: c, key: key, entry: c.states[i].entries,
		heldOut:   Bucket(def.Name, c.id) < def.Policy.Holdout,
		enteredAt: a.now, outcome: Active,
		trigger: t.trigger, relevantFrom: t.relevantFrom(), entryRelevantFrom: t.relevantFrom(),
		entryPosition: a.position,
		stepID:        def.Steps[0].ID, planned: t.planned, late: t.late, depth: t.depth,
		backJumps:       map[string]int{},
		entryRemembered: def.Reentry.remembersEntries(),
		unwritten:       []int{def.Version},
	})
}

// hasConverted reports whether a goal event came before the trigger in the log, but happened after
// it.
func (c *customer) hasConverted(def *Campaign, trigger *Event) bool {
	for _, g := range def.Goals {
		for _, e := range c.recentEvents() {
			if e.Time > trigger.Time && g.Match.holds(e, trigger, c) {
				return true
			}
		}
	}
	return false
}

// hasStopped reports the same of a stop event.
func (c *customer) hasStopped(def *Campaign, trigger *Event) bool {
	for _, m := range def.Stops {
		for _, e := range c.recentEvents() {
			if e.Time > trigger.Time && m.holds(e, trigger, c) {
				return true
			}
		}
	}
	return false
}

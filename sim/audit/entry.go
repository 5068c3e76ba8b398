package audit

import "math"

// candidate is a chain that would start: by a record, a watch or a bulk scan. planned is the
// instant its entry was due: now, or that of a watch. silence is the end of the time without
// an event that starts it; 0: its trigger does.
type candidate struct {
	campaign int
	trigger  *Event
	planned  int64
	silence  int64
	late     bool
	depth    int
	bare     bool        // there is no trigger event that could be kept
	rivals   []candidate // of its group, due at the same instant
}

// begins is the event time from which on events concern the chain: that of its trigger or,
// where time starts it, the planned instant.
func (t *candidate) begins() int64 {
	if t.silence != 0 {
		return t.silence
	}
	return t.trigger.Time
}

// admit lets in who may enter, by campaign name. Of a group that one record would start
// the highest priority wins, then the name.
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

// loses says whether another candidate of the group goes first.
func (a *Auditor) loses(c *customer, t, other *candidate) bool {
	mine, theirs := a.campaigns[t.campaign], a.campaigns[other.campaign]
	if t.campaign == other.campaign || mine.Policy.Group == "" || mine.Policy.Group != theirs.Policy.Group {
		return false
	}
	if theirs.Policy.Priority < mine.Policy.Priority ||
		theirs.Policy.Priority == mine.Policy.Priority && theirs.Name > mine.Name {
		return false
	}
	live, reason := a.may(c, other)
	if reason != "" || len(live) > 0 && theirs.Reentry.OnActive == ActiveRefresh {
		return false
	}
	_, free := a.grouped(c, other, live)
	return free
}

// may asks what is asked before the group: late, period, re-entry, audience, already
// converted. It gives the live chains of the key.
func (a *Auditor) may(c *customer, t *candidate) (live []*chain, reason string) {
	def := a.campaigns[t.campaign]
	if t.late && def.Late == LateExit { // a pause keeps nothing of it
		return nil, "late"
	}
	if reason = def.idle(); reason != "" {
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
	if newest >= 0 && replaces && t.begins() < live[newest].begins {
		a.note(NoteOlderTrigger)
		return nil, "max_active" // it takes the place of no newer one
	}
	if newest >= 0 && def.Reentry.OnActive == ActiveRefresh {
		return live, ""
	}
	restarts := newest >= 0 && def.Reentry.OnActive == ActiveRestart
	switch {
	case !def.Audience.holds(scene{event: t.trigger, trigger: t.trigger, customer: c}):
		return nil, "audience"
	case c.converted(def, t.trigger):
		return nil, "already_converted"
	case c.stopped(def, t.trigger):
		a.note(NoteStoppedBefore)
		return nil, "already_stopped"
	case !restarts && c.alive() >= customerLimit:
		return nil, "customer_limit"
	}
	return live, ""
}

// grouped says whether the group has room, and the chain that has to go for it.
func (a *Auditor) grouped(c *customer, t *candidate, live []*chain) (loser *chain, free bool) {
	def := a.campaigns[t.campaign]
	if def.Policy.Group == "" {
		return nil, true
	}
	for _, ch := range c.chains {
		if !ch.live() || ch.def.Policy.Group != def.Policy.Group {
			continue
		}
		if n := len(live); n > 0 && ch == live[n-1] && def.Reentry.OnActive == ActiveRestart {
			continue // it is replaced
		}
		if !def.Policy.Preempt || ch.def.Policy.Priority >= def.Policy.Priority {
			return nil, false
		}
		loser = ch
	}
	return loser, true
}

// enter starts a chain, or says why not.
func (a *Auditor) enter(c *customer, t *candidate, lost bool) {
	i, def := t.campaign, a.campaigns[t.campaign]
	live, reason := a.may(c, t)
	switch reason {
	case "outside_period":
		a.note(NotePeriod)
	case Paused:
		a.note(NotePaused)
	}
	if reason == Paused && def.Queue {
		a.keep(c, t)
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
	loser, free := a.grouped(c, t, live)
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
	c.per[i].entries++
	c.chains = append(c.chains, &chain{
		campaign: i, def: def, customer: c, key: key, entry: c.per[i].entries,
		trigger: t.trigger, begins: t.begins(), entered: t.begins(), place: a.place, enteredAt: a.now,
		planned: t.planned, outcome: Active,
		at: def.Steps[0].ID, version: def.Version, late: t.late, depth: t.depth,
		heldOut: Bucket(def.Name, c.id) < def.Policy.Holdout,
		back:    map[string]int{},
		known:   def.Reentry.remembers(),
	})
}

// keyOf is the key of the chain that the event would start, as text.
func keyOf(r Reentry, e *Event) (key string, ok bool) {
	if r.KeyProperty == "" {
		return "", true
	}
	return textOf(e.Properties[r.KeyProperty])
}

// reentry gives the live chains of the key, oldest first, or why none may enter.
// The mode is asked first, then what lives.
func (a *Auditor) reentry(c *customer, i int, key string) (live []*chain, reason string) {
	r := a.campaigns[i].Reentry
	if r.KeyProperty != "" && r.Mode == ModeCooldown {
		a.letGo(c, i, key)
	}
	var last *chain // the last to enter
	var lastEnd, lastIn int64
	for _, ch := range c.chains {
		if ch.campaign == i && r.KeyProperty == "" { // of whatever key it was
			last = ch
			lastIn, lastEnd = max(lastIn, ch.enteredAt), max(lastEnd, ch.endedAt)
		}
		if ch.campaign != i || ch.key != key {
			continue
		}
		if ch.live() {
			live = append(live, ch)
		}
		if r.KeyProperty == "" {
			continue
		}
		if !ch.known && (r.Mode == ModeOnce || r.Mode == ModeCooldown) {
			a.note(NoteUnknown)
		}
		if ch.known {
			last = ch
			lastIn = max(lastIn, ch.enteredAt)
		}
		if ch.knownEnd {
			lastEnd = max(lastEnd, ch.endedAt)
		}
	}
	if last != nil && (len(live) == 0 || r.OnActive != ActiveRefresh) { // a refresh is no entry
		cooldown := r.Cooldown.Milliseconds()
		switch {
		case r.Mode == ModeOnce:
			return nil, "once"
		case r.Mode == ModeCooldown && r.FromExit && (len(live) > 0 || a.now < lastEnd+cooldown):
			return nil, "cooldown"
		case r.Mode == ModeCooldown && !r.FromExit && a.now < lastIn+cooldown:
			return nil, "cooldown"
		}
	}
	limit := 0 // restart and refresh replace: nothing to count
	switch r.OnActive {
	case "", ActiveIgnore:
		limit = max(1, r.MaxActive)
	case ActiveParallel:
		limit = customerLimit
		if r.MaxActive != 0 {
			limit = r.MaxActive
		}
	}
	if limit != 0 && len(live) >= limit {
		return nil, "max_active"
	}
	return live, ""
}

// letGo forgets, when a key comes that is not remembered, the others whose cooldown is over.
func (a *Auditor) letGo(c *customer, i int, key string) {
	r := a.campaigns[i].Reentry
	of := func(key string) (known bool, all []*chain, until int64) { // until when the key is remembered
		for _, ch := range c.chains {
			if ch.campaign != i || ch.key != key {
				continue
			}
			all, known = append(all, ch), known || ch.known
			switch {
			case ch.live():
				until = math.MaxInt64
			case r.FromExit && ch.knownEnd:
				until = max(until, ch.endedAt+r.Cooldown.Milliseconds())
			case !r.FromExit && ch.known:
				until = max(until, ch.enteredAt+r.Cooldown.Milliseconds())
			}
		}
		return known, all, until
	}
	if known, _, _ := of(key); known {
		return
	}
	for _, ch := range c.chains {
		if known, all, until := of(ch.key); known && ch.campaign == i && a.now >= until {
			for _, other := range all {
				other.known, other.knownEnd = false, false
			}
		}
	}
}

// converted: a goal event that came before the trigger in the log, but happened
// after it.
func (c *customer) converted(def *Campaign, trigger *Event) bool {
	for _, g := range def.Goals {
		for _, e := range c.memory() {
			if e.Time > trigger.Time && g.Match.holds(e, trigger, c) {
				return true
			}
		}
	}
	return false
}

// stopped: a stop event that came before the trigger in the log, but happened after it.
func (c *customer) stopped(def *Campaign, trigger *Event) bool {
	for _, m := range def.Stops {
		for _, e := range c.memory() {
			if e.Time > trigger.Time && m.holds(e, trigger, c) {
				return true
			}
		}
	}
	return false
}

func (c *customer) alive() int {
	n := 0
	for _, ch := range c.chains {
		if ch.live() {
			n++
		}
	}
	return n
}

// remembers says whether entries of a key are remembered: without a key they always are,
// with one only where the mode asks for them.
func (r Reentry) remembers() bool {
	return r.KeyProperty == "" || r.Mode == ModeOnce || r.Mode == ModeCooldown
}

package audit

import "strconv"

// enter asks re-entry, audience and already converted, then enters. planned is
// the instant the entry was due: now, or that of an inactivity timer.
func (a *Auditor) enter(c *customer, i int, trigger *Event, planned int64) {
	def := a.campaigns[i]
	key, ok := keyOf(def.Reentry, trigger)
	if !ok {
		a.refuse(i, "missing_key")
		return
	}
	live, reason := a.reentry(c, i, key)
	if reason != "" {
		a.refuse(i, reason)
		return
	}
	newest := len(live) - 1
	if newest >= 0 && def.Reentry.OnActive == ActiveRefresh {
		live[newest].refresh(a, trigger)
		return
	}
	restarts := newest >= 0 && def.Reentry.OnActive == ActiveRestart
	switch {
	case !def.Audience.holds(scene{event: trigger, trigger: trigger, customer: c}):
		a.refuse(i, "audience")
		return
	case c.converted(def, trigger):
		a.refuse(i, "already_converted")
		return
	case !restarts && c.alive() >= customerLimit:
		a.refuse(i, "customer_limit")
		return
	}
	if restarts {
		live[newest].end(a, Stopped)
	}
	c.per[i].entries++
	c.chains = append(c.chains, &chain{
		campaign: i, def: def, customer: c, key: key, entry: c.per[i].entries,
		trigger: trigger, place: a.lookBackFrom(def), enteredAt: a.now, planned: planned, outcome: Active,
		at: def.Steps[0].ID, version: def.Version,
	})
}

// keyOf is the key of the chain that the event would start, as text.
func keyOf(r Reentry, e *Event) (key string, ok bool) {
	if r.KeyProperty == "" {
		return "", true
	}
	switch v := e.Properties[r.KeyProperty].(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	default:
		n, isNumber := number(v)
		return strconv.FormatFloat(n, 'f', -1, 64), isNumber
	}
}

// reentry gives the live chains of the key, oldest first, or why none may enter.
// The mode is asked first, then what lives.
func (a *Auditor) reentry(c *customer, i int, key string) (live []*chain, reason string) {
	r := a.campaigns[i].Reentry
	var last *chain // the last to enter
	var lastEnd int64
	for _, ch := range c.chains {
		if ch.campaign != i || ch.key != key {
			continue
		}
		last = ch
		lastEnd = max(lastEnd, ch.endedAt)
		if ch.live() {
			live = append(live, ch)
		}
	}
	if last != nil && (len(live) == 0 || r.OnActive != ActiveRefresh) { // a refresh is no entry
		cooldown := r.Cooldown.Milliseconds()
		switch {
		case r.Mode == ModeOnce:
			return nil, "once"
		case r.Mode == ModeCooldown && r.FromExit && (len(live) > 0 || a.now < lastEnd+cooldown):
			return nil, "cooldown"
		case r.Mode == ModeCooldown && !r.FromExit && a.now < last.enteredAt+cooldown:
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

func (c *customer) alive() int {
	n := 0
	for _, ch := range c.chains {
		if ch.live() {
			n++
		}
	}
	return n
}

// lookBackFrom is the place of the log behind which a wait since entry looks, -1 when
// the campaign has none.
func (a *Auditor) lookBackFrom(def *Campaign) int {
	for _, s := range def.Steps {
		if s.Wait != nil && s.Wait.FromEntry {
			return a.place
		}
	}
	return -1
}

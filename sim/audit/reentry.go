package audit

import "math"

// maxLiveChains bounds the live chains of one customer.
const maxLiveChains = 100

// keyOf returns the key of the chain that the event would start, as text.
func keyOf(r Reentry, e *Event) (key string, ok bool) {
	if r.KeyProperty == "" {
		return "", true
	}
	return textOf(e.Properties[r.KeyProperty])
}

// reentry returns the live chains of the key, oldest first, or why the customer may not enter
// again. The mode is checked first, then the live chains.
func (a *Auditor) reentry(c *customer, i int, key string) (live []*chain, reason string) {
	r := a.campaigns[i].Reentry
	if r.KeyProperty != "" && r.Mode == ModeCooldown {
		a.forgetKeys(c, i, key)
	}
	var last *chain // the last to enter
	var lastEnd, lastIn int64
	for _, ch := range c.chains {
		if ch.campaign == i && r.KeyProperty == "" { // without a key all chains count
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
		if !ch.entryRemembered && (r.Mode == ModeOnce || r.Mode == ModeCooldown) {
			a.note(NoteForgottenKey)
		}
		if ch.entryRemembered {
			last = ch
			lastIn = max(lastIn, ch.enteredAt)
		}
		if ch.endRemembered {
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
	limit := 0 // none for restart and refresh, which replace the live chain
	switch r.OnActive {
	case "", ActiveIgnore:
		limit = max(1, r.MaxActive)
	case ActiveParallel:
		limit = maxLiveChains
		if r.MaxActive != 0 {
			limit = r.MaxActive
		}
	}
	if limit != 0 && len(live) >= limit {
		return nil, "max_active"
	}
	return live, ""
}

// forgetKeys drops the keys whose cooldown is over when a key comes that is not known.
func (a *Auditor) forgetKeys(c *customer, i int, key string) {
	r := a.campaigns[i].Reentry
	of := func(key string) (known bool, all []*chain, until int64) { // until when the key is remembered
		for _, ch := range c.chains {
			if ch.campaign != i || ch.key != key {
				continue
			}
			all, known = append(all, ch), known || ch.entryRemembered
			switch {
			case ch.live():
				until = math.MaxInt64
			case r.FromExit && ch.endRemembered:
				until = max(until, ch.endedAt+r.Cooldown.Milliseconds())
			case !r.FromExit && ch.entryRemembered:
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
				other.entryRemembered, other.endRemembered = false, false
			}
		}
	}
}

// remembersEntries reports whether entries are remembered by key: without a key they always are,
// with one only where the mode asks for them.
func (r Reentry) remembersEntries() bool {
	return r.KeyProperty == "" || r.Mode == ModeOnce || r.Mode == ModeCooldown
}

// maxLive returns how many chains of a key may live.
func (r Reentry) maxLive() int {
	if r.OnActive == ActiveParallel && r.MaxActive == 0 {
		return maxLiveChains
	}
	if r.OnActive == ActiveRestart || r.OnActive == ActiveRefresh {
		return 1
	}
	return max(1, r.MaxActive)
}

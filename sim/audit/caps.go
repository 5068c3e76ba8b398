package audit

import "slices"

// capUse is one place under a cap that a message took.
type capUse struct {
	cap      string
	at       int64
	delivery *pending
}

// capUsed returns how often the customer took a place under the cap.
func (c *customer) capUsed(limit string) int {
	n := 0
	for _, u := range c.capUses {
		if u.cap == limit {
			n++
		}
	}
	return n
}

// capsOf returns the caps under which a message of the chain counts.
func (a *Auditor) capsOf(ch *chain, s Step, channel string) []string {
	category := ch.def.category(s.Send)
	if category == Transactional {
		return nil
	}
	var names []string
	for _, name := range ch.def.Policy.Caps {
		c, ok := a.capNamed(name)
		if ok && (c.Channel == "" || c.Channel == channel) && (c.Category == "" || c.Category == category) {
			names = append(names, name)
		}
	}
	return names
}

// checkCaps reports whether a cap is full, and what becomes of the message then: it is dropped,
// waits for the first instant at which each cap has room, or ends the chain.
func (a *Auditor) checkCaps(ch *chain, s Step, channel string) (v verdict, full bool) {
	var until int64
	var names []string
	for _, name := range a.capsOf(ch, s, channel) {
		c, _ := a.capNamed(name)
		if free := a.capFreeAt(ch.customer, c); free > a.now {
			names = append(names, name)
			until = max(until, free)
		}
	}
	if len(names) == 0 {
		return verdict{}, false
	}
	a.note(NoteCap)
	v = verdict{reason: "cap"}
	switch s.Send.OnCap {
	case CapDefer:
		v.until, v.caps = until, names
		a.note(NoteCapDefer)
	case CapExit:
		v.exit = true
	}
	return v, true
}

// capFreeAt returns the first instant from now on at which the cap has room.
func (a *Auditor) capFreeAt(c *customer, limit Cap) int64 {
	zone := c.zone(nil)
	var in []int64 // the uses that count now, oldest first
	ended := 0     // uses that are exactly as old as the window
	for _, u := range c.capUses {
		if u.cap != limit.Name {
			continue
		}
		if limit.Per != "" && periodName(u.at, limit.Per, zone) == periodName(a.now, limit.Per, zone) ||
			limit.Per == "" && a.now-u.at < limit.Window.Milliseconds() {
			in = append(in, u.at)
		}
		if limit.Per == "" && a.now-u.at == limit.Window.Milliseconds() {
			ended++
		}
	}
	switch {
	case len(in) < limit.Limit:
		if len(in)+ended >= limit.Limit {
			a.note(NoteCapEnd)
		}
		return a.now
	case limit.Per != "":
		return nextPeriod(a.now, limit.Per, zone)
	}
	slices.Sort(in)
	return in[len(in)-limit.Limit] + limit.Window.Milliseconds()
}

// refund gives back the places that a message took, and has those messages be decided again that
// wait for a cap. It does so for all caps: a policy may have given them room meanwhile.
func (p *pending) refund(a *Auditor, planned int64) {
	c := p.chain.customer
	took := func(u capUse) bool { return u.delivery == p }
	if !slices.ContainsFunc(c.capUses, took) {
		return
	}
	a.note(NoteRefund)
	for _, ch := range c.chains {
		if ch.isHeld() && len(ch.send.waitsForCaps) > 0 && !ch.endIfExiting(a) {
			a.note(NoteRefundWaited)
			ch.depth, ch.planned, ch.late = 0, planned, a.now-planned > lateAfter
			ch.retrySend()
		}
	}
	c.capUses = slices.DeleteFunc(c.capUses, took)
}

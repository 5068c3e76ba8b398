package audit

import (
	"slices"
	"time"
)

// verdict is what the gates say of a message: it may leave, or is dropped for a reason,
// or is held until an instant for one.
type verdict struct {
	reason string
	until  int64
	caps   []string // that it waits for
	exit   bool     // the chain ends
}

// verdict asks the gates in the order of the text.
func (a *Auditor) verdict(ch *chain, s Step, channel string) verdict {
	c, def := ch.customer, ch.def
	category := def.category(s.Send)
	transactional := category == Transactional
	switch {
	case ch.late && def.Late == LateSkip:
		a.note(NoteLateSkip)
		return verdict{reason: "late"}
	case def.Recheck && !def.Audience.holds(scene{event: ch.trigger, trigger: ch.trigger, customer: c}):
		a.note(NoteRecheck)
		return verdict{reason: "audience"}
	case a.house.OffAll || slices.Contains(a.house.OffChannels, channel) ||
		slices.Contains(a.house.OffCampaigns, def.Name):
		a.note(NoteOff)
		return verdict{reason: "sends_off"}
	case c.disturbed(channel):
		a.note(NoteDisturb)
		return verdict{reason: "do_not_disturb"}
	case !transactional && !c.agreed(category, !slices.Contains(a.house.Consent, category)):
		a.note(NoteConsent)
		return verdict{reason: "consent"}
	case !c.wants(channel):
		a.note(NotePreference)
		return verdict{reason: "preference"}
	}
	if !transactional {
		if v, ok := a.quiet(ch); ok {
			return v
		}
		if v, ok := a.capped(ch, s, channel); ok {
			return v
		}
	}
	if key, ok := ch.dedupeKey(); ok {
		if h, taken := c.keys[key]; taken && h.chain != ch {
			if a.now < h.until {
				a.note(NoteDedupe)
				return verdict{reason: "dedupe"}
			}
			if a.now == h.until {
				a.note(NoteDedupeEnd)
			}
		}
	}
	if s.Send.Needs != "" && ch.trigger.Properties[s.Send.Needs] == nil {
		a.note(NoteVariable)
		return verdict{reason: "missing_variable"}
	}
	return verdict{}
}

// use is a place under a cap that a message took.
type use struct {
	cap string
	at  int64
	of  *pending
}

// holder is the chain that holds a dedupe key.
type holder struct {
	chain *chain
	until int64
}

func (ch *chain) dedupeKey() (string, bool) {
	property := ch.def.Policy.DedupeProperty
	if property == "" {
		return "", false
	}
	key, ok := keyOf(Reentry{KeyProperty: property}, ch.trigger)
	return key, ok && key != ""
}

// capsOf are the caps that a message of the chain counts under.
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

// capped says what the caps say: drop, wait for the first instant that has room under
// each, or end.
func (a *Auditor) capped(ch *chain, s Step, channel string) (v verdict, full bool) {
	var until int64
	var names []string
	for _, name := range a.capsOf(ch, s, channel) {
		c, _ := a.capNamed(name)
		if free := a.free(ch.customer, c); free > a.now {
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

// free is the first instant from now on at which the cap has room.
func (a *Auditor) free(c *customer, limit Cap) int64 {
	zone := c.zone(nil)
	var in []int64 // the uses that count now, oldest first
	ended := 0     // and those that did until now
	for _, u := range c.uses {
		if u.cap != limit.Name {
			continue
		}
		if limit.Per != "" && period(u.at, limit.Per, zone) == period(a.now, limit.Per, zone) ||
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

// refund gives back what a message took, and has those ask again who wait for a cap,
// whichever it is: a policy may have given them room meanwhile.
func (p *pending) refund(a *Auditor, planned int64) {
	c := p.chain.customer
	took := func(u use) bool { return u.of == p }
	if !slices.ContainsFunc(c.uses, took) {
		return
	}
	a.note(NoteRefund)
	for _, ch := range c.chains {
		if ch.holds() && len(ch.asks.caps) > 0 && !ch.dismissed(a) {
			a.note(NoteRefundWaited)
			ch.depth, ch.planned, ch.late = 0, planned, a.now-planned > lateAfter
			ch.again()
		}
	}
	c.uses = slices.DeleteFunc(c.uses, took)
}

// quiet says whether it is too early or too late in the day.
func (a *Auditor) quiet(ch *chain) (v verdict, quiet bool) {
	q := ch.def.Policy.Quiet
	if q == nil {
		q = a.house.Quiet
	}
	if q == nil {
		return verdict{}, false
	}
	zone := a.zones.named(q.Zone)
	if zone == nil {
		zone = ch.customer.zone(ch.def)
	}
	local := time.UnixMilli(a.now).In(zone)
	minute := local.Hour()*60 + local.Minute()
	in := minute >= q.From && minute < q.To
	if q.From > q.To {
		in = minute >= q.From || minute < q.To
	}
	if !in {
		if minute == q.To && local.Second() == 0 {
			a.note(NoteQuietEnd)
		}
		return verdict{}, false
	}
	v = verdict{reason: "quiet_hours"}
	if q.Drop {
		a.note(NoteQuietDrop)
		return v, true
	}
	a.note(NoteQuietHold)
	v.until = clock(local.Year(), local.Month(), local.Day(), q.To, zone)
	if v.until <= a.now {
		v.until = clock(local.Year(), local.Month(), local.Day()+1, q.To, zone)
	}
	return v, true
}

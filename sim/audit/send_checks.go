package audit

import (
	"slices"
	"time"
)

// verdict is the result of the checks of a message: no reason means that it may leave, until that
// it is held, and a reason alone that it is dropped.
type verdict struct {
	reason string
	until  int64
	caps   []string // for which it waits
	exit   bool     // the chain ends
}

// checkSend makes the checks of a message in the order of the text.
func (a *Auditor) checkSend(ch *chain, s Step, channel string) verdict {
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
	case a.policy.OffAll || slices.Contains(a.policy.OffChannels, channel) ||
		slices.Contains(a.policy.OffCampaigns, def.Name):
		a.note(NoteOff)
		return verdict{reason: "sends_off"}
	case c.isDisturbed(channel):
		a.note(NoteDisturb)
		return verdict{reason: "do_not_disturb"}
	case !transactional && !c.hasConsent(category, !slices.Contains(a.policy.Consent, category)):
		a.note(NoteConsent)
		return verdict{reason: "consent"}
	case !c.acceptsChannel(channel):
		a.note(NotePreference)
		return verdict{reason: "preference"}
	}
	if !transactional {
		if v, ok := a.checkQuietHours(ch); ok {
			return v
		}
		if v, ok := a.checkCaps(ch, s, channel); ok {
			return v
		}
	}
	if key, ok := ch.dedupeKey(); ok {
		if h, taken := c.dedupeLocks[key]; taken && h.chain != ch {
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

// dedupeLock is a dedupe key that a chain holds until an instant.
type dedupeLock struct {
	chain *chain
	until int64
}

// dedupeKey returns the chain's dedupe key, if it has one.
func (ch *chain) dedupeKey() (string, bool) {
	property := ch.def.Policy.DedupeProperty
	if property == "" {
		return "", false
	}
	key, ok := keyOf(Reentry{KeyProperty: property}, ch.trigger)
	return key, ok && key != ""
}

// checkQuietHours reports whether it is quiet hours, and what becomes of the message then.
func (a *Auditor) checkQuietHours(ch *chain) (v verdict, quiet bool) {
	q := ch.def.Policy.Quiet
	if q == nil {
		q = a.policy.Quiet
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
	v.until = localInstant(local.Year(), local.Month(), local.Day(), q.To, zone)
	if v.until <= a.now {
		v.until = localInstant(local.Year(), local.Month(), local.Day()+1, q.To, zone)
	}
	return v, true
}

package audit

import "time"

// device is the time zone of the customer's newest event that carries one, by event time. It counts
// where no trait says a zone.
type device struct {
	zone *time.Location
	at   int64
}

// updateDevice keeps the time zone of the device, and moves what follows the customer's clock.
func (a *Auditor) updateDevice(c *customer, e *Event) {
	text, _ := e.Context["timezone"].(string)
	zone := a.zones.of(text)
	if zone == nil || e.Historical || c.device.zone != nil && e.Time < c.device.at {
		return
	}
	before := c.zone(nil).String()
	was := map[*chain]string{}
	for _, ch := range c.chains {
		was[ch] = c.zone(ch.def).String()
	}
	c.device = device{zone, e.Time}
	if c.zone(nil).String() == before {
		return
	}
	a.note(NoteDevice)
	for _, ch := range c.chains {
		s, ok := ch.step()
		if ok && ch.live() && ch.resting && s.Until != nil && a.zones.named(s.Until.Zone) == nil &&
			c.zone(ch.def).String() != was[ch] {
			ch.due = a.nextLocal(ch, s.Until, a.now)
		}
	}
	a.retryHeld(c)
	for i, def := range a.campaigns {
		if def.Trigger.Kind == KindDate && def.observes() {
			a.redate(c, i)
		}
	}
}

// moveLocalTimers moves the timers that follow the customer's clock, because their time zone
// changed.
func (a *Auditor) moveLocalTimers(c *customer) {
	for _, ch := range c.chains {
		s, ok := ch.step()
		if ok && ch.live() && ch.resting && s.Until != nil && a.zones.named(s.Until.Zone) == nil {
			a.note(NoteMovedTimer)
			ch.due = a.nextLocal(ch, s.Until, a.now)
		}
	}
}

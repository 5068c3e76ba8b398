package audit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// seconds is a duration as CEL takes it.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) + "s" }

// special is the value of a comparison that is no property, trait or count; known is false
// where it is missing, said where it is none of these.
func (c Comparison) special(s scene) (value any, known, said bool) {
	switch {
	case c.Zone:
		name := s.customer.shownZone()
		return name, name != "", true
	case c.Text:
		properties := s.event
		if c.Subject == SubjectTrigger {
			properties = s.trigger
		}
		text, ok := textOf(properties.Properties[c.Path])
		if n, isNumber := number(properties.Properties[c.Path]); isNumber && n >= 1e6 {
			s.customer.a.note(NoteLongText)
		}
		return text, ok, true
	case c.Last != "":
		last, ok := s.customer.last(c)
		return float64(s.customer.a.instant() - last), ok, true
	case c.Past:
		ends, ok := s.customer.ends(c)
		return float64(s.customer.a.instant() - ends), ok, true
	}
	return nil, false, false
}

// want is what a comparison compares with.
func (c Comparison) want() any {
	if c.Last != "" || c.Past {
		return float64(c.Window.Milliseconds()) // Past has none: 0
	}
	return c.Value
}

// last is when the customer did something last.
func (c *customer) last(q Comparison) (at int64, ok bool) {
	for _, e := range c.since(c.a.sinceIn(c.a.asked, counter{event: q.Last}), q.Last, nil) {
		if !ok || e.Time > at {
			at, ok = e.Time, true
		}
	}
	return at, ok
}

// ends is the instant that a trait names.
func (c *customer) ends(q Comparison) (at int64, ok bool) {
	text, _ := c.traits[q.Path].(string)
	t, err := time.Parse(time.RFC3339, text)
	return t.UnixMilli(), err == nil
}

// passes is the instant at which now passes what the comparison compares it with.
func (c Comparison) passes(of *customer) (at int64, ok bool) {
	switch {
	case c.Last != "":
		at, ok = of.last(c)
		return at + c.Window.Milliseconds(), ok
	case c.Past:
		return of.ends(c)
	}
	return 0, false
}

// at is the member that a path leads to: one of that very name first.
func (a *Auditor) at(members map[string]any, path string) any {
	if v, ok := members[path]; ok {
		return v
	}
	name, rest, inside := strings.Cut(path, ".")
	inner, _ := members[name].(map[string]any)
	if !inside || inner == nil {
		return nil
	}
	a.note(NoteInside)
	return a.at(inner, rest)
}

// device is the time zone that the newest event with one said, by event time; the zone of
// nobody's trait.
type device struct {
	zone *time.Location
	at   int64
}

// carries notes the time zone of the device, and moves what follows the customer's clock.
func (a *Auditor) carries(c *customer, e *Event) {
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
			ch.due = a.next(ch, s.Until, a.now)
		}
	}
	a.unhold(c)
	for i, def := range a.campaigns {
		if def.Trigger.Kind == KindDate && def.looks() {
			a.redate(c, i)
		}
	}
}

// ownZone is the zone of the customer or their device; nil is none.
func (c *customer) ownZone() *time.Location {
	own, _ := c.traits["timezone"].(string)
	if zone := c.a.zones.of(own); zone != nil {
		return zone
	}
	return c.device.zone
}

// shownZone is ownZone as expressions see it: a name, or an offset like +02:00.
func (c *customer) shownZone() string {
	zone := c.ownZone()
	if zone == nil {
		return ""
	}
	c.a.note(NoteShownZone)
	if c.a.zones.named(zone.String()) != nil {
		return zone.String()
	}
	_, seconds := time.Unix(0, 0).In(zone).Zone()
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("%c%02d:%02d", sign, seconds/3600, seconds/60%60)
}

// Fault is an expression of a chain that cannot be computed.
type Fault struct {
	Campaign string
	Customer string
	Entry    int
	At       int64
}

// Faults are all so far.
func (a *Auditor) Faults() []Fault { return a.faults }

// worth is the value and the currency of a goal.
func (ch *chain) worth(a *Auditor, g Goal, e *Event) (value float64, currency string) {
	text, _ := e.Properties[g.Currency].(string)
	currency = strings.TrimSpace(text)
	if len(currency) == 3 && strings.Trim(strings.ToLower(currency), letters) == "" {
		if currency != strings.ToUpper(currency) {
			a.note(NoteCurrency)
		}
		currency = strings.ToUpper(currency)
	}
	if g.PlusProperty == "" {
		return a.amount(e.Properties[g.ValueProperty]), currency
	}
	first, second := e.Properties[g.ValueProperty], e.Properties[g.PlusProperty]
	if first == nil || second == nil {
		return 0, currency
	}
	x, isNumber := number(first)
	y, isNumberToo := number(second)
	if !isNumber || !isNumberToo {
		a.note(NoteFault)
		a.faults = append(a.faults, Fault{ch.def.Name, ch.customer.id, ch.entry, a.now})
		return 0, currency
	}
	return x + y, currency
}

const letters = "abcdefghijklmnopqrstuvwxyz"

// Notes of what expressions learned last.
const (
	NoteLongText  = "long number written by string()"
	NoteInside    = "sum inside of a property"
	NoteDevice    = "time zone of a device"
	NoteShownZone = "time zone seen by an expression"
	NoteFault     = "value of a goal that cannot be computed"
	NoteCurrency  = "currency in small letters"
	NoteSlidValue = "threshold crossed when a window slid"
	NotePassed    = "segment changed when now passed an instant"
)

func recentNotes() []string {
	return []string{
		NoteLongText, NoteInside, NoteDevice, NoteShownZone, NoteFault, NoteCurrency, NoteSlidValue, NotePassed,
	}
}

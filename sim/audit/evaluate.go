package audit

import (
	"strings"
	"time"
)

// scene is what a predicate can look at.
type scene struct {
	event    *Event
	trigger  *Event
	customer *customer
	reply    map[string]any // to the chain's last call
}

// holds reports whether all comparisons hold; a missing predicate always holds.
func (p *Pred) holds(s scene) bool {
	if p == nil {
		return true
	}
	for _, c := range p.All {
		if !c.holds(s) {
			return false
		}
	}
	return true
}

func (c Comparison) holds(s scene) bool {
	if c.Tag != "" {
		return s.customer.tags[c.Tag]
	}
	if c.Count != "" {
		return compare(s.customer.countOrSum(c), c.Op, c.Value)
	}
	if value, known, special := c.specialValue(s); special {
		return known && compare(value, c.Op, c.want())
	}
	members := s.customer.traits
	switch c.Subject {
	case SubjectEvent:
		members = s.event.Properties
	case SubjectTrigger:
		members = s.trigger.Properties
	case SubjectReply:
		members = s.reply
	}
	value, ok := members[c.Path]
	if !ok || value == nil {
		return false
	}
	return compare(value, c.Op, c.Value)
}

// compare follows CEL: equality between kinds is false (and inequality true), an order between
// kinds is an error, hence false.
func compare(got any, op string, want any) bool {
	var less, equal, ordered bool
	a, isNumber := number(got)
	b, wantsNumber := number(want)
	s, isText := got.(string)
	t, wantsText := want.(string)
	if isNumber && wantsNumber {
		less, equal, ordered = a < b, a == b, true
	}
	if isText && wantsText {
		less, equal, ordered = s < t, s == t, true
	}
	switch op {
	case "==":
		return equal
	case "!=":
		return !equal
	case ">=":
		return ordered && !less
	case "<":
		return ordered && less
	}
	panic("BUG: unknown operator " + op)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	}
	return 0, false
}

// specialValue returns the value of a comparison with a zone, a text, or now. known is false where the
// value is missing, special for other comparisons.
func (c Comparison) specialValue(s scene) (value any, known, special bool) {
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
		last, ok := s.customer.lastEventAt(c)
		return float64(s.customer.a.instant() - last), ok, true
	case c.Past:
		ends, ok := s.customer.traitInstant(c)
		return float64(s.customer.a.instant() - ends), ok, true
	}
	return nil, false, false
}

// want returns what the comparison compares with.
func (c Comparison) want() any {
	if c.Last != "" || c.Past {
		return float64(c.Window.Milliseconds()) // 0 for Past
	}
	return c.Value
}

// lastEventAt returns the latest event time of the customer's events of a name.
func (c *customer) lastEventAt(q Comparison) (at int64, ok bool) {
	for _, e := range c.eventsFrom(c.a.counterStart(c.a.counters, counter{event: q.Last}), q.Last, nil) {
		if !ok || e.Time > at {
			at, ok = e.Time, true
		}
	}
	return at, ok
}

// traitInstant returns the instant that a trait names.
func (c *customer) traitInstant(q Comparison) (at int64, ok bool) {
	text, _ := c.traits[q.Path].(string)
	t, err := time.Parse(time.RFC3339, text)
	return t.UnixMilli(), err == nil
}

// passesAt returns the instant at which the comparison with now changes its answer.
func (c Comparison) passesAt(of *customer) (at int64, ok bool) {
	switch {
	case c.Last != "":
		at, ok = of.lastEventAt(c)
		return at + c.Window.Milliseconds(), ok
	case c.Past:
		return of.traitInstant(c)
	}
	return 0, false
}

// memberAt returns the member that a path with dots leads to. A member whose name is the whole path
// goes first.
func (a *Auditor) memberAt(members map[string]any, path string) any {
	if v, ok := members[path]; ok {
		return v
	}
	name, rest, inside := strings.Cut(path, ".")
	inner, _ := members[name].(map[string]any)
	if !inside || inner == nil {
		return nil
	}
	a.note(NoteInside)
	return a.memberAt(inner, rest)
}

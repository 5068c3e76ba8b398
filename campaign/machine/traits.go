package machine

import (
	"bytes"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
)

// profile applies an identify call to the traits, but for those that a newer one set.
func (m *Machine) profile(e *event.Event) {
	if e.Type == event.Identify && len(e.Traits) > 0 {
		update := m.notOlder(e.Traits, e.Time)
		if m.changeTraits(update) {
			m.stampTraits(update, e.Time)
		}
	}
}

// traitSlack is by how much an identify call may be older than what set a trait and
// still overwrite it, ms: clients' clocks differ.
const traitSlack = 60 * 1000

// stampTraits notes that the members of update were set at an event time. Beyond the
// limit nothing more is noted: then what arrives last holds.
func (m *Machine) stampTraits(update []byte, at int64) {
	c := m.c
	c.DropStamps(m.now)
	for _, name := range traitNames(update) {
		c.SetStamp(customer.TraitStamp{Trait: customer.TraitID(name), At: at, Seen: m.now})
	}
}

// notOlder is update without the members that something newer has set: those whose stamp is
// more than slack after at.
func (m *Machine) notOlder(update []byte, at int64) []byte {
	if len(m.c.Stamps) == 0 {
		return update
	}
	return without(update, func(name string) bool {
		s := m.c.Stamp(customer.TraitID(name), m.now)
		return s != nil && at < s.At-traitSlack
	})
}

// mergeStamps joins when the traits of two customers who merge were set, and gives the
// traits of the other that the known one does not have: neither those of their own, nor
// what they removed since.
func (m *Machine) mergeStamps(other *customer.Customer) (theirs []byte) {
	c := m.c
	own := map[uint32]bool{}
	for _, name := range traitNames(c.Traits) {
		own[customer.TraitID(name)] = true
	}
	theirs = without(other.Traits, func(name string) bool {
		id := customer.TraitID(name)
		mine, its := c.Stamp(id, m.now), other.Stamp(id, m.now)
		return !own[id] && mine != nil && (its == nil || its.At <= mine.At)
	})
	for _, s := range other.Stamps {
		mine := c.Stamp(s.Trait, m.now)
		if own[s.Trait] || mine != nil && mine.At >= s.At {
			continue
		}
		c.SetStamp(s)
	}
	return theirs
}

// setTraits lays traits over the customer's; those that would be too large change
// nothing (false).
func (m *Machine) setTraits(update []byte) bool {
	merged := jsonvalue.Merge(m.c.Traits, update)
	if len(merged) > customer.MaxTraits {
		m.decide(
			output.Decision{
				Kind:   output.Erred,
				Reason: output.ReasonTraits,
				Detail: "the traits would be over 65536 bytes",
			},
		)
		return false
	}
	m.c.Traits = merged
	m.scope.Customer.Set(m.c)
	if bytes.Contains(update, []byte(`"`+customer.TraitTimezone+`"`)) {
		m.zoneName(m.scope.Customer.Traits.Get(customer.TraitTimezone))
	}
	return true
}

// traitNames are the members of a JSON object, sorted; none of what is no object.
func traitNames(object []byte) []string {
	v, err := fastjson.ParseBytes(object)
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil
	}
	return jsonvalue.SortedKeys(v.GetObject())
}

// without is a JSON object without some of its members.
func without(object []byte, dropped func(name string) bool) []byte {
	v, err := fastjson.ParseBytes(object)
	if err != nil || v.Type() != fastjson.TypeObject {
		return object
	}
	o, some := v.GetObject(), false
	b := []byte{'{'}
	for _, name := range jsonvalue.SortedKeys(o) {
		if dropped(name) {
			some = true
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = jsonvalue.AppendCanonical(append(jsonvalue.AppendString(b, name), ':'), o.Get(name))
	}
	if !some {
		return object
	}
	return append(b, '}')
}

package campaign

import (
	"bytes"

	"github.com/valyala/fastjson"
)

// profile applies an identify call to the traits, but for those that a newer one set.
func (m *Machine) profile(e *Event) {
	if e.Type == Identify && len(e.Traits) > 0 {
		update := m.notOlder(e.Traits, e.Time)
		if m.setTraits(update) {
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
	c.dropStamps(m.now)
	for _, name := range traitNames(update) {
		c.setStamp(traitStamp{trait: traitID(name), at: at, seen: m.now})
	}
}

// notOlder is update without the members that something newer has set: those whose stamp is
// more than slack after at.
func (m *Machine) notOlder(update []byte, at int64) []byte {
	if len(m.c.stamps) == 0 {
		return update
	}
	return without(update, func(name string) bool {
		s := m.c.stamp(traitID(name), m.now)
		return s != nil && at < s.at-traitSlack
	})
}

// absorbStamps joins when the traits of two customers who merge were set, and gives the
// traits of the other that the known one does not have: neither those of their own, nor
// what they removed since.
func (m *Machine) absorbStamps(other *Customer) (theirs []byte) {
	c := m.c
	own := map[uint32]bool{}
	for _, name := range traitNames(c.Traits) {
		own[traitID(name)] = true
	}
	theirs = without(other.Traits, func(name string) bool {
		id := traitID(name)
		mine, its := c.stamp(id, m.now), other.stamp(id, m.now)
		return !own[id] && mine != nil && (its == nil || its.at <= mine.at)
	})
	for _, s := range other.stamps {
		mine := c.stamp(s.trait, m.now)
		if own[s.trait] || mine != nil && mine.at >= s.at {
			continue
		}
		c.setStamp(s)
	}
	return theirs
}

// setTraits lays traits over the customer's; those that would be too large change
// nothing (false). A new time zone moves the timers that go by it.
func (m *Machine) setTraits(update []byte) bool {
	merged := mergeTraits(m.c.Traits, update)
	if len(merged) > maxTraits {
		m.decide(Decision{Kind: Erred, Reason: ReasonTraits, Detail: "the traits would be over 65536 bytes"})
		return false
	}
	local := m.localTimers(m.c.Chains)
	m.c.Traits = merged
	m.scope.customer.set(m.c)
	if bytes.Contains(update, []byte(`"`+traitZone+`"`)) {
		m.zoneName(m.scope.customer.traits.get(traitZone))
	}
	for _, t := range local {
		if m.zone(t.program) != t.zone {
			t.chain.Due = m.nextLocal(t.program, t.until, m.now)
		}
	}
	return true
}

// traitNames are the members of a JSON object, sorted; none of what is no object.
func traitNames(object []byte) []string {
	v, err := fastjson.ParseBytes(object)
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil
	}
	return sortedKeys(v.GetObject())
}

// without is a JSON object without some of its members.
func without(object []byte, dropped func(name string) bool) []byte {
	v, err := fastjson.ParseBytes(object)
	if err != nil || v.Type() != fastjson.TypeObject {
		return object
	}
	o, some := v.GetObject(), false
	b := []byte{'{'}
	for _, name := range sortedKeys(o) {
		if dropped(name) {
			some = true
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = appendCanonical(append(AppendJSONString(b, name), ':'), o.Get(name))
	}
	if !some {
		return object
	}
	return append(b, '}')
}

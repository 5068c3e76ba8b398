package machine

import (
	"bytes"
	"time"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// saysZone reports whether an event tells the time zone of the customer's device. It may be wrong, as
// it only looks for the name; noteZone reads the value. Imported history tells nothing about today.
func saysZone(e *event.Event) bool {
	return !e.Historical && bytes.Contains(e.Context, []byte(`"`+customer.TraitTimezone+`"`))
}

// localTimer is a timer that goes by the customer's zone, and the zone by which it was planned.
type localTimer struct {
	chain   *customer.Chain
	program *program.Program
	until   *program.Until
	zone    *time.Location
}

// noteZone takes up the time zone of the device that an event comes from, unless the one known was seen
// later. A name that is no zone is recorded once. A new zone moves what goes by the customer's clock:
// rests until a time of day, holds by quiet hours and caps, and planned dates.
func (m *Machine) noteZone(e *event.Event) {
	if !saysZone(e) || e.Time < m.c.Device.At {
		return
	}
	name, ok := m.profile.zoneName(m.scope.Event.Context.Get(customer.TraitTimezone))
	switch {
	case !ok:
		return
	case name == m.c.Device.Name:
		m.c.Device.At = e.Time
		return
	}
	before := m.zones.zone(nil)
	local := m.chains.localTimers(m.c.Chains)
	m.c.Device = customer.ContextZone{Name: name, At: e.Time}
	if after := m.zones.zone(nil); after.String() == before.String() {
		return
	}
	m.chains.followZone(local)
	m.chains.resumeHeld(output.ReasonQuiet, output.ReasonCap)
	for _, p := range m.triggers.newcomers() {
		if t, is := p.Trigger.(*program.DateTrigger); is && t.Zone == "" {
			m.triggers.planDates(p, t, false, true)
		}
	}
}

// rezone lets held sends ask again when an identify call may have told another zone.
func (m *Machine) rezone(e *event.Event) {
	if e.Type == event.Identify && bytes.Contains(e.Traits, []byte(`"timezone"`)) {
		m.chains.resumeHeld(output.ReasonQuiet, output.ReasonCap)
	}
}

// changeTraits lays traits over the customer's as setTraits does, and reports whether it did. A new time
// zone moves the timers that go by it.
func (cs *chains) changeTraits(update []byte) bool {
	local := cs.localTimers(cs.c.Chains)
	if !cs.profile.setTraits(update) {
		return false
	}
	cs.followZone(local)
	return true
}

// followZone plans those of the timers anew that would now go by another zone than before.
func (cs *chains) followZone(before []localTimer) {
	for _, t := range before {
		if cs.zones.zone(t.program) != t.zone {
			t.chain.Due = cs.zones.nextLocal(t.program, t.until, cs.now)
		}
	}
}

// localTimers returns the timers of live chains that wait until a time of day by the customer's clock.
func (cs *chains) localTimers(chains []*customer.Chain) (all []localTimer) {
	for _, ch := range chains {
		p := cs.set.ProgramOf(ch)
		if p == nil || !ch.Live() || ch.Due == 0 {
			continue
		}
		if s, _ := p.Step(ch.Step); s != nil {
			if u, ok := s.Verb.(*program.Until); ok && u.Zone == "" {
				all = append(all, localTimer{ch, p, u, cs.zones.zone(p)})
			}
		}
	}
	return all
}

// replanLocal plans all such timers of the chains anew.
func (cs *chains) replanLocal(chains []*customer.Chain) {
	for _, t := range cs.localTimers(chains) {
		t.chain.Due = cs.zones.nextLocal(t.program, t.until, cs.now)
	}
}

package machine

import (
	"bytes"
	"time"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// saysZone says whether an event says in which time zone the customer's device is.
func saysZone(e *event.Event) bool {
	return !e.Historical && bytes.Contains(e.Context, []byte(`"`+customer.TraitTimezone+`"`))
}

// localTimer is a timer that goes by the customer's zone, and that zone.
type localTimer struct {
	chain   *customer.Chain
	program *program.Program
	until   *program.Until
	zone    *time.Location
}

// noteZone takes up the time zone of the device that an event comes from; one that is none
// is recorded once. A new one moves what goes by the customer's zone.
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

// rezone lets held sends ask again when the current record says where the customer is.
func (m *Machine) rezone(e *event.Event) {
	if e.Type == event.Identify && bytes.Contains(e.Traits, []byte(`"timezone"`)) {
		m.chains.resumeHeld(output.ReasonQuiet, output.ReasonCap)
	}
}

// changeTraits lays traits over the customer's as setTraits does; a new time zone moves the
// timers that go by it.
func (cs *chains) changeTraits(update []byte) bool {
	local := cs.localTimers(cs.c.Chains)
	if !cs.profile.setTraits(update) {
		return false
	}
	cs.followZone(local)
	return true
}

// followZone plans timers anew whose zone is another one than before.
func (cs *chains) followZone(before []localTimer) {
	for _, t := range before {
		if cs.zones.zone(t.program) != t.zone {
			t.chain.Due = cs.zones.nextLocal(t.program, t.until, cs.now)
		}
	}
}

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

// replanLocal plans the rests of chains anew that go by the customer's time zone.
func (cs *chains) replanLocal(chains []*customer.Chain) {
	for _, t := range cs.localTimers(chains) {
		t.chain.Due = cs.zones.nextLocal(t.program, t.until, cs.now)
	}
}

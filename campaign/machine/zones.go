package machine

import (
	"bytes"
	"time"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// maxZones bounds the zones that a machine remembers; there are about 600.
const maxZones = 1000

// zone is the zone for a customer and a campaign (nil: none): that of the customer's
// trait timezone, else of their device, else of the campaign, else of the workspace, else
// UTC. A name that is no zone counts as missing.
func (m *Machine) zone(p *program.Program) *time.Location {
	if o := m.scope.Customer.Traits.Object(); o != nil {
		if v := o.Get("timezone"); v != nil && v.Type() == fastjson.TypeString {
			if loc := m.loadZone(string(v.GetStringBytes())); loc != nil {
				return loc
			}
		}
	}
	if device := m.scope.Customer.Customer.Device.Name; device != "" {
		if loc := m.loadZone(device); loc != nil {
			return loc
		}
	}
	if p != nil && p.Zone != "" {
		if loc := m.loadZone(p.Zone); loc != nil {
			return loc
		}
	}
	if m.set.Zone != "" {
		if loc := m.loadZone(m.set.Zone); loc != nil {
			return loc
		}
	}
	return time.UTC
}

// loadZone is nil for a name that is no zone.
func (m *Machine) loadZone(name string) *time.Location {
	if loc, known := m.zones[name]; known {
		return loc
	}
	loc, err := zone.Load(name)
	if err != nil {
		loc = nil
	}
	if len(m.zones) < maxZones {
		m.zones[name] = loc
	}
	return loc
}

// noteZone takes up the time zone of the device that an event comes from; one that is none
// is recorded once. A new one moves what goes by the customer's zone.
func (m *Machine) noteZone(e *event.Event) {
	if !saysZone(e) || e.Time < m.c.Device.At {
		return
	}
	name, ok := m.zoneName(m.scope.Event.Context.Get(customer.TraitTimezone))
	switch {
	case !ok:
		return
	case name == m.c.Device.Name:
		m.c.Device.At = e.Time
		return
	}
	before := m.zone(nil)
	local := m.localTimers(m.c.Chains)
	m.c.Device = customer.ContextZone{Name: name, At: e.Time}
	if after := m.zone(nil); after.String() == before.String() {
		return
	}
	m.followZone(local)
	m.resumeHeld(output.ReasonQuiet, output.ReasonCap)
	for _, p := range m.newcomers() {
		if t, is := p.Trigger.(*program.DateTrigger); is && t.Zone == "" {
			m.planDates(p, t, false, true)
		}
	}
}

// saysZone says whether an event says in which time zone the customer's device is.
func saysZone(e *event.Event) bool {
	return !e.Historical && bytes.Contains(e.Context, []byte(`"`+customer.TraitTimezone+`"`))
}

// zoneName reads the name of a zone; what is there and is none is recorded, once a value.
func (m *Machine) zoneName(v *fastjson.Value) (name string, ok bool) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return "", false
	}
	if v.Type() == fastjson.TypeString {
		if name = string(v.GetStringBytes()); name == "" {
			return "", false
		}
		if m.loadZone(name) != nil {
			return name, true
		}
	} else {
		name = string(v.MarshalTo(nil))
	}
	m.noteOnce(output.ReasonZone, "", name)
	return "", false
}

// rezone lets held sends ask again when the current record says where the customer is.
func (m *Machine) rezone(e *event.Event) {
	if e.Type == event.Identify && bytes.Contains(e.Traits, []byte(`"timezone"`)) {
		m.resumeHeld(output.ReasonQuiet, output.ReasonCap)
	}
}

// dateZone is the zone in which a date trigger looks at dates.
func (m *Machine) dateZone(p *program.Program, t *program.DateTrigger) *time.Location {
	if t.Zone == "" {
		return m.zone(p)
	}
	for _, name := range [...]string{t.Zone, p.Zone, m.set.Zone} {
		if name == "" || name == program.ZoneDefault {
			continue
		}
		if loc := m.loadZone(name); loc != nil {
			return loc
		}
	}
	return time.UTC
}

// until arms the timer for the next allowed local instant, at or after now. A chain
// that goes back to the step at the instant at which it rested there waits for the next.
func (m *Machine) until(p *program.Program, u *program.Until, ch *customer.Chain) (rests bool) {
	if ch.Due = m.nextLocal(p, u, ch.UntilFrom(m.now)); ch.Due > m.now {
		return true
	}
	m.planned, ch.Due = ch.Due, 0
	return false
}

func (m *Machine) nextLocal(p *program.Program, u *program.Until, from int64) int64 {
	var loc *time.Location
	if u.Zone != "" {
		loc = m.loadZone(u.Zone)
	}
	if loc == nil {
		loc = m.zone(p)
	}
	return zone.Next(loc, from, u.Minute, u.Days)
}

// replanLocal plans the rests of chains anew that go by the customer's time zone.
func (m *Machine) replanLocal(chains []*customer.Chain) {
	for _, t := range m.localTimers(chains) {
		t.chain.Due = m.nextLocal(t.program, t.until, m.now)
	}
}

// changeTraits lays traits over the customer's as setTraits does; a new time zone moves the
// timers that go by it.
func (m *Machine) changeTraits(update []byte) bool {
	local := m.localTimers(m.c.Chains)
	if !m.setTraits(update) {
		return false
	}
	m.followZone(local)
	return true
}

// followZone plans timers anew whose zone is another one than before.
func (m *Machine) followZone(before []localTimer) {
	for _, t := range before {
		if m.zone(t.program) != t.zone {
			t.chain.Due = m.nextLocal(t.program, t.until, m.now)
		}
	}
}

// localTimer is a timer that goes by the customer's zone, and that zone.
type localTimer struct {
	chain   *customer.Chain
	program *program.Program
	until   *program.Until
	zone    *time.Location
}

func (m *Machine) localTimers(chains []*customer.Chain) (all []localTimer) {
	for _, ch := range chains {
		p := m.set.ProgramOf(ch)
		if p == nil || !ch.Live() || ch.Due == 0 {
			continue
		}
		if s, _ := p.Step(ch.Step); s != nil {
			if u, ok := s.Verb.(*program.Until); ok && u.Zone == "" {
				all = append(all, localTimer{ch, p, u, m.zone(p)})
			}
		}
	}
	return all
}

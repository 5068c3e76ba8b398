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

// zones tells in which time zone things are for the customer. Loading a zone is slow, so it remembers
// the zones that it loaded, at most maxZones.
type zones struct {
	*turn

	// byName has nil for a name that is no zone, so that a wrong name is looked up once.
	byName map[string]*time.Location
}

// maxZones bounds the names that a machine remembers; there are about 600 zones.
const maxZones = 1000

// zone returns the zone for the scope's customer and a campaign (nil: none): that of the customer's
// trait timezone, else of their device, else of the campaign, else of the workspace, else
// UTC. A name that is no zone counts as missing.
func (z *zones) zone(p *program.Program) *time.Location {
	// The order is that of docs/reference/time.md: who knows it best goes first.
	if o := z.scope.Customer.Traits.Object(); o != nil {
		if v := o.Get("timezone"); v != nil && v.Type() == fastjson.TypeString {
			if loc := z.loadZone(string(v.GetStringBytes())); loc != nil {
				return loc
			}
		}
	}
	if device := z.scope.Customer.Customer.Device.Name; device != "" {
		if loc := z.loadZone(device); loc != nil {
			return loc
		}
	}
	if p != nil && p.Zone != "" {
		if loc := z.loadZone(p.Zone); loc != nil {
			return loc
		}
	}
	if z.set.Zone != "" {
		if loc := z.loadZone(z.set.Zone); loc != nil {
			return loc
		}
	}
	return time.UTC
}

// loadZone returns the zone of an IANA name, nil when there is none of that name.
func (z *zones) loadZone(name string) *time.Location {
	if loc, known := z.byName[name]; known {
		return loc
	}
	loc, err := zone.Load(name)
	if err != nil {
		loc = nil
	}
	// Names come from outside, so what is remembered is bounded.
	if len(z.byName) < maxZones {
		z.byName[name] = loc
	}
	return loc
}

// dateZone returns the zone in which a date trigger looks at dates: the customer's, unless the trigger
// names one or asks for the campaign's.
func (z *zones) dateZone(p *program.Program, t *program.DateTrigger) *time.Location {
	if t.Zone == "" {
		return z.zone(p)
	}
	for _, name := range [...]string{t.Zone, p.Zone, z.set.Zone} {
		if name == "" || name == program.ZoneDefault {
			continue
		}
		if loc := z.loadZone(name); loc != nil {
			return loc
		}
	}
	return time.UTC
}

// nextLocal returns the next instant (ms), at or after from, at which it is the time of day of a
// step until, on one of its days, by the clock of the step's zone, else of the customer's. An hour
// that the clocks skip or repeat is resolved by package zone.
func (z *zones) nextLocal(p *program.Program, u *program.Until, from int64) int64 {
	var loc *time.Location
	if u.Zone != "" {
		loc = z.loadZone(u.Zone)
	}
	if loc == nil {
		loc = z.zone(p)
	}
	return zone.Next(loc, from, u.Minute, u.Days)
}

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

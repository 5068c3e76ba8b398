package campaign

import (
	"bytes"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/internal/wire"
)

// traitZone names the trait, and the member of an event's context, that is a time zone.
const traitZone = "timezone"

// contextZone is the time zone that the customer's device says, for those without a trait.
type contextZone struct {
	name string // as zone.Load takes it; empty: none is known
	at   int64  // event time of the event that said it first, ms
}

// noteZone takes up the time zone of the device that an event comes from; one that is none
// is recorded once. A new one moves what goes by the customer's zone.
func (m *Machine) noteZone(e *Event) {
	if e.Historical || !bytes.Contains(e.Context, []byte(`"`+traitZone+`"`)) || e.Time < m.c.device.at {
		return
	}
	v := m.scope.event.context.get(traitZone)
	name, ok := m.zoneName(v)
	if !ok || name == m.c.device.name {
		return
	}
	before := m.zone(nil)
	local := m.localTimers(m.c.Chains)
	m.c.device = contextZone{name, e.Time}
	if after := m.zone(nil); after.String() == before.String() {
		return
	}
	for _, t := range local {
		if m.zone(t.program) != t.zone {
			t.chain.Due = m.nextLocal(t.program, t.until, m.now)
		}
	}
	m.resumeHeld(ReasonQuiet, ReasonCap)
	for _, p := range m.set.newcomers(m) {
		if t, is := p.Trigger.(*DateTrigger); is && t.Zone == "" {
			m.planDates(p, t, false)
		}
	}
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
	m.noteOnce(ReasonZone, "", name)
	return "", false
}

// contextZoneSection keeps the time zone of the customer's device.
//
//nudge:constant read only
var contextZoneSection = section[*Customer]{
	tag: 61,
	has: func(c *Customer) bool { return c.device.name != "" },
	append: func(c *Customer, b []byte) []byte {
		return wire.AppendInt(wire.AppendString(b, c.device.name), c.device.at)
	},
	decode: func(c *Customer, d *wire.Decoder, names Names) {
		c.device = contextZone{name: names.of(d.Bytes()), at: d.Int()}
	},
}

package campaign

import (
	"time"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// maxZones bounds the zones that a machine remembers; there are about 600.
const maxZones = 1000

// zone is the zone for a customer and a campaign (nil: none): that of the customer's
// trait timezone, else of their device, else of the campaign, else of the workspace, else
// UTC. A name that is no zone counts as missing.
func (m *Machine) zone(p *Program) *time.Location {
	if o := m.scope.customer.traits.object(); o != nil {
		if v := o.Get("timezone"); v != nil && v.Type() == fastjson.TypeString {
			if loc := m.loadZone(string(v.GetStringBytes())); loc != nil {
				return loc
			}
		}
	}
	if device := m.scope.customer.c.device.name; device != "" {
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

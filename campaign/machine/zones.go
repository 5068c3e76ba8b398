package machine

import (
	"time"

	"github.com/valyala/fastjson"

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

// nextLocal returns the next instant (ms), at or after from, at which it is the time of day of a step
// until, on one of its days.
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

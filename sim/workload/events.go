package workload

import (
	"strconv"

	"github.com/nudge-engine/nudge/sim/audit"
)

// further draws the calls that the whole language looks at.
func (d *draw) further() (audit.Event, bool) {
	historical := d.one(25)
	switch k := d.rng.IntN(10); {
	case k == 0 && d.f.Consent:
		name, p := d.consent()
		return audit.Event{Type: audit.TypeTrack, Name: name, Properties: p, Historical: historical}, true
	case k == 1 && (d.f.Calendar || d.f.Quiet):
		return audit.Event{Type: audit.TypeIdentify, Historical: historical, Traits: map[string]any{
			"timezone": pick(d, append(zones(), "UTC")),
		}}, true
	case k == 2 && d.f.Consent:
		return audit.Event{Type: audit.TypeIdentify, Historical: historical, Traits: map[string]any{
			pick(d, []string{"consent", "preferences"}): map[string]any{
				pick(d, []string{audit.Marketing, "news", "email", "push"}): pick(d, []any{
					true, false, nil,
					map[string]any{"granted": false, "source": "form"},
					map[string]any{"granted": true},
				}),
			},
		}}, true
	case k == 3 && d.f.Gates:
		p := map[string]any{"value": pick(d, []float64{5, 20})}
		if !d.one(3) {
			p[keyProperty] = pick(d, []string{"A", "B"})
		}
		name := "$webhook/camp-" + strconv.Itoa(1+d.rng.IntN(4))
		return audit.Event{Type: audit.TypeTrack, Name: name, Properties: p, Historical: historical}, true
	case k == 4 && d.f.Levels:
		return audit.Event{Type: audit.TypeIdentify, Traits: d.traits(), Historical: historical}, true
	}
	return audit.Event{}, false
}

// consent draws an event about consent.
func (d *draw) consent() (name string, p map[string]any) {
	p = map[string]any{}
	switch d.rng.IntN(3) {
	case 0:
		p["granted"] = d.one(2)
		if d.one(3) {
			p["channel"] = pick(d, []string{"email", "push"})
		} else {
			p["category"] = pick(d, []string{audit.Marketing, "news"})
		}
		return "Consent Changed", p
	case 1:
		if d.one(2) {
			p["channel"] = pick(d, []string{"email", "push"})
		} else if d.one(2) {
			p["category"] = pick(d, []string{audit.Marketing, "news"})
		}
		return "Unsubscribed", p
	}
	if !d.one(3) {
		p["enabled"] = d.one(3)
	}
	if d.one(3) {
		p["channel"] = pick(d, []string{"email", "push"})
	}
	return "Do Not Disturb", p
}

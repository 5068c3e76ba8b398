package workload

import (
	"slices"

	"github.com/nudge-engine/nudge/sim/audit"
)

// enrich draws what a campaign uses of the whole language; n is its number, from 1.
func (d *draw) enrich(c *audit.Campaign, n, of int) {
	c.Policy = d.policy()
	if c.Reentry.Mode != audit.ModeAlways && !d.o.Cooldowns && !d.one(4) { // else hardly anybody enters twice
		c.Reentry.Mode, c.Reentry.Cooldown, c.Reentry.FromExit = "", 0, false
	}
	if d.one(2) {
		c.Audience = nil
	}
	if d.f.Calendar && d.one(3) {
		c.Zone = pick(d, zones())
	}
	if d.f.Calendar && d.one(8) {
		c.From = Start + d.duration().Milliseconds()
	}
	if d.f.Calendar && d.one(8) {
		c.Until = max(c.From, Start) + d.duration().Milliseconds()
	}
	if d.f.Late {
		c.Late = pick(d, []string{audit.LateSend, audit.LateSkip, audit.LateSkip, audit.LateSkip, audit.LateExit})
	}
	if d.f.Gates && d.one(2) {
		c.Audience, c.Recheck = d.about(audit.SubjectCustomer), !d.one(3)
	}
	d.retrigger(c)
	if d.f.Goals {
		for i := range c.Goals {
			g := &c.Goals[i]
			if !d.one(3) {
				g.ReverseOn = pick(d, d.events)
			}
			g.Primary = i == 0 && d.one(3)
		}
	}
	for i := range c.Steps {
		d.complete(c, &c.Steps[i], i, n, of)
	}
	if d.f.Loops {
		d.loop(c)
	}
	d.meet(c, n)
	makes := func(s audit.Step) bool { return s.Emit != nil || s.Start != "" }
	if d.f.Made && n == 1 && !slices.ContainsFunc(c.Steps, makes) { // an event that leads to itself
		c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: madeEvent}
		c.Reentry = audit.Reentry{OnActive: audit.ActiveParallel}
		c.Audience, c.Recheck = nil, false
		c.Steps = append([]audit.Step{{ID: "s0", Emit: &audit.Emit{Event: madeEvent, Value: 20}}}, c.Steps...)
	}
	c.Steps = reachable(c.Steps)
}

// meet has campaigns meet: two of a group by one record, one that sets what another
// looks at.
func (d *draw) meet(c *audit.Campaign, n int) {
	if d.f.Groups && n <= 3 && d.one(2) {
		c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: d.events[0]}
		c.Policy.Group, c.Audience, c.Recheck, c.Reentry = "g", nil, false, audit.Reentry{}
		return
	}
	if !d.f.Made || !d.f.Levels {
		return
	}
	switch n {
	case 2:
		c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: d.events[0]}
		level := pick(d, []string{"basic", "silver", "gold"})
		set := audit.Step{ID: "s00", Set: &audit.Set{Trait: "level", Value: level, Tag: "vip"}}
		c.Steps = append([]audit.Step{set}, c.Steps...)
	case 3:
		level := pick(d, []string{"basic", "silver", "gold"})
		c.Trigger = audit.Trigger{Kind: audit.KindChange, Path: "level", To: level}
		c.Reentry.KeyProperty = ""
		for i := range c.Steps {
			if c.Steps[i].Set != nil { // it must not set what starts it
				c.Steps[i].Set = &audit.Set{Tag: "seen"}
			}
		}
	}
}

// retrigger gives some campaigns another trigger.
func (d *draw) retrigger(c *audit.Campaign) {
	t := &c.Trigger
	kinds := []string{"", ""}
	if d.f.Levels {
		kinds = append(kinds, audit.KindStreak, audit.KindThreshold, audit.KindSegment, audit.KindChange)
	}
	if d.f.BulkScans {
		kinds = append(kinds, audit.KindBroadcast, audit.KindSchedule)
	}
	if d.f.Made {
		kinds = append(kinds, madeEvent)
	}
	if d.f.Gates {
		kinds = append(kinds, audit.KindWebhook)
	}
	old := *t
	switch kind := pick(d, kinds); kind {
	case "":
		return
	case madeEvent:
		*t = audit.Trigger{Kind: audit.KindEvent, Event: madeEvent}
	case audit.KindStreak:
		*t = audit.Trigger{
			Kind: kind, Event: old.Event, Where: old.Where, Length: 2 + d.rng.IntN(2), MaxGap: d.duration(),
		}
		if d.one(2) {
			t.BreakOn = pick(d, d.events)
		}
	case audit.KindThreshold:
		*t = audit.Trigger{
			Kind: kind, Path: "score", Down: d.one(2), At: 3, Hysteresis: pick(d, []float64{0, 1, 2.5, 7}),
		}
	case audit.KindSegment:
		*t = audit.Trigger{Kind: kind, When: d.about(audit.SubjectCustomer), Leave: d.one(3)}
	case audit.KindChange:
		*t = audit.Trigger{Kind: kind, Path: "level"}
		if d.one(2) {
			t.From = pick(d, []string{"basic", "silver", "gold"})
		}
		if t.From == nil || d.one(2) {
			t.To = pick(d, []string{"basic", "silver", "gold"})
		}
	case audit.KindBroadcast:
		*t = audit.Trigger{Kind: kind, Event: stormName}
		if d.one(2) {
			t.When = d.about(pick(d, []string{audit.SubjectCustomer, audit.SubjectEvent}))
		}
	case audit.KindSchedule:
		*t = audit.Trigger{Kind: kind, Daily: true, Minute: pick(d, []int{0, 60, 9 * 60, 12*60 + 30})}
		if d.one(2) {
			t.Zone = pick(d, zones())
		}
	case audit.KindWebhook:
		*t = audit.Trigger{Kind: kind}
	}
	if d.one(2) { // else hardly any trigger has the key
		c.Reentry.KeyProperty = ""
	}
}

package workload

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// Features says which parts of the language the campaigns of a workload use.
type Features struct {
	Gates       bool // recheck, switches, variables, on_fail
	Caps        bool
	Quiet       bool
	Consent     bool
	Groups      bool
	Dedupe      bool
	Holdout     bool
	Experiments bool
	Loops       bool
	Made        bool // set, emit, start
	Calendar    bool // until, periods, time zones
	Levels      bool // segments, thresholds, changes, streaks, windows, tags
	BulkScans   bool // broadcasts, schedules
	Goals       bool // reversals, primary goals; waits that restart
	Late        bool // late: skip and exit

	// Parts learned later; see DrawLater.
	Dates    bool // date triggers
	Statuses bool // pauses, drafts, archived campaigns; pin and exit

	Model  Model  // see DrawModel
	More          // parts learned since
	Loose         // see DrawLoose
	Recent Recent // see DrawRecent
}

// DrawFeatures draws about half of them.
func DrawFeatures(rng *rand.Rand) Features {
	yes := func() bool { return rng.IntN(2) == 0 }
	return Features{
		Gates: yes(), Caps: yes(), Quiet: yes(), Consent: yes(), Groups: yes(), Dedupe: yes(), Holdout: yes(),
		Experiments: yes(), Loops: yes(), Made: yes(), Calendar: yes(), Levels: yes(), BulkScans: yes(), Goals: yes(),
		Late: yes(),
	}
}

// any says whether the workload goes beyond the first language.
func (f Features) any() bool { return f != Features{} }

const (
	madeEvent = "Level Reached" // what steps emit
	stormName = "Storm Warning" // what is broadcast
)

func zones() []string {
	return []string{"Europe/Kyiv", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"}
}

// house draws the policy of the workspace.
func (d *draw) house() *audit.WorkspacePolicy {
	var h audit.WorkspacePolicy
	if d.f.Calendar && d.one(2) {
		h.Zone = pick(d, zones())
	}
	if d.f.Quiet && d.one(3) {
		h.Quiet = d.quiet()
	}
	if d.f.Caps {
		h.Caps = []audit.Cap{
			{Name: "rolling", Limit: 1 + d.rng.IntN(3), Window: d.duration()},
			{Name: "mail", Channel: "email", Limit: 1 + d.rng.IntN(2), Window: d.duration()},
			{Name: "calendar", Limit: 1 + d.rng.IntN(3), Per: pick(d, []string{"day", "day", "week", "month"})},
			{Name: "ads", Category: audit.Marketing, Limit: 1, Window: d.duration()},
		}
	}
	if d.f.Consent && d.one(3) {
		h.Consent = []string{pick(d, []string{audit.Marketing, "news"})}
	}
	if d.f.Gates && d.one(3) {
		h.OffChannels = []string{pick(d, []string{"push", "telegram"})}
	}
	if d.f.Gates && d.one(4) {
		h.OffCampaigns = []string{"camp-2"}
	}
	return &h
}

func (d *draw) quiet() *audit.Quiet {
	q := pick(d, []audit.Quiet{
		{From: 21 * 60, To: 9 * 60},
		{From: 0, To: 6 * 60},
		{From: 60, To: 60 + 30},
		{From: 22*60 + 30, To: 2 * 60},
	})
	q.Drop = d.one(4)
	if d.one(3) {
		q.Zone = pick(d, zones())
	}
	return &q
}

// policy draws how a campaign gets on with the others.
func (d *draw) policy() audit.Policy {
	var p audit.Policy
	if d.one(6) {
		p.Category = audit.Transactional
	} else if d.f.Consent && d.one(3) {
		p.Category = "news"
	}
	p.Priority = d.rng.IntN(5) - 2
	if d.f.Caps {
		for _, name := range []string{"rolling", "mail", "calendar", "ads"} {
			if d.one(3) {
				p.Caps = append(p.Caps, name)
			}
		}
	}
	if d.f.Quiet && d.one(2) {
		p.Quiet = d.quiet()
	}
	if d.f.Groups && !d.one(3) {
		p.Group, p.Preempt = pick(d, []string{"g", "g", "g", "h"}), !d.one(3)
	}
	if d.f.Dedupe && !d.one(3) {
		p.DedupeProperty, p.DedupeWindow = keyProperty, d.duration()
	}
	if d.f.Holdout && d.one(2) {
		p.Holdout = pick(d, []int{500, 2525, 5000, 9000})
	}
	return p
}

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

// complete gives a step what the whole language has for it, or another verb.
func (d *draw) complete(c *audit.Campaign, s *audit.Step, i, number, of int) {
	n := len(c.Steps)
	later := func() string { return d.after(c.Steps, i) }
	if s.Send != nil {
		send := *s.Send
		if d.one(8) {
			send.Category = audit.Transactional
		}
		if d.f.Caps {
			send.OnCap = pick(d, []string{"", audit.CapDrop, audit.CapDefer, audit.CapDefer, audit.CapExit})
		}
		if d.f.Gates && d.one(3) {
			send.Needs = "value"
		}
		if d.f.Gates && d.one(3) && i+1 < n {
			send.OnFail = later()
		}
		s.Send = &send
		return
	}
	if s.Wait != nil && d.f.Goals && d.one(2) {
		m := d.match()
		s.Wait.RestartOn, s.Wait.MaxRestarts = &m, pick(d, []int{1, 2, 3})
		return
	}
	if s.Delay == nil || d.one(2) {
		return
	}
	if verbs := d.verbs(c, number, of); len(verbs) > 0 {
		s.Delay = nil
		d.verb(s, pick(d, verbs), later, number, of)
	}
}

// verbs are those that a step may have instead of its delay.
func (d *draw) verbs(c *audit.Campaign, number, of int) (verbs []string) {
	if d.f.Experiments {
		verbs = append(verbs, "experiment", "experiment")
	}
	if d.f.Made && c.Trigger.Kind != audit.KindChange && c.Trigger.Kind != audit.KindSegment &&
		c.Trigger.Kind != audit.KindThreshold { // else chains would set what starts them
		verbs = append(verbs, "set", "set")
	}
	if d.f.Made && (c.Trigger.Event != madeEvent || number == 1) {
		verbs = append(verbs, "emit")
	}
	if d.f.Made && number < of {
		verbs = append(verbs, "start")
	}
	if d.f.Calendar {
		verbs = append(verbs, "until", "until")
	}
	return verbs
}

func (d *draw) verb(s *audit.Step, verb string, later func() string, number, of int) {
	switch verb {
	case "experiment":
		weight := pick(d, []int{50, 10, 99})
		s.Experiment = &audit.Experiment{Variants: []audit.Variant{
			{ID: "a", Weight: weight, Goto: later()}, {ID: "b", Weight: 100 - weight},
		}}
		if d.one(4) {
			s.Experiment.Salt = "salt"
		}
		if s.Goto == "" && d.one(2) {
			s.Experiment.Variants[1].Goto = ""
		}
	case "set":
		s.Set = &audit.Set{Trait: "level", Value: pick(d, []any{"basic", "silver", "gold", nil})}
		if d.one(3) {
			s.Set.Trait, s.Set.Value = "score", pick(d, []float64{0.5, 3, 10})
		}
		if d.one(2) {
			s.Set.Tag, s.Set.Remove = "vip", d.one(3)
		}
	case "emit":
		s.Emit = &audit.Emit{Event: madeEvent, Value: pick(d, []float64{5, 20})}
		if d.one(2) {
			s.Emit.Copy = keyProperty
		}
	case "start":
		s.Start = "camp-" + strconv.Itoa(number+1+d.rng.IntN(of-number))
	case "until":
		s.Until = &audit.Until{Minute: pick(d, []int{0, 9 * 60, 2*60 + 30, 21 * 60})}
		if d.one(2) {
			s.Until.Days = []time.Weekday{time.Monday, time.Wednesday, time.Sunday}
		}
		if d.one(3) {
			s.Until.Zone = pick(d, zones())
		}
	}
}

// after is the id of a step after the i-th, or the end. It is one that is reached
// anyway, so that no step becomes reached or unreached.
func (d *draw) after(steps []audit.Step, i int) string {
	if i+1 == len(steps) || d.one(4) {
		return audit.End
	}
	return steps[i+1+d.rng.IntN(len(steps)-i-1)].ID
}

// loop has some later steps go back to one that allows it. A rest lies between, so that
// a chain does not send often in one instant.
func (d *draw) loop(c *audit.Campaign) {
	rests := func(s audit.Step) bool { return s.Delay != nil || s.Wait != nil || s.Until != nil }
	for i := range c.Steps {
		s := &c.Steps[i]
		if !rests(*s) || i == 0 || i+1 == len(c.Steps) || s.Goto != "" || d.one(3) {
			continue
		}
		to := d.rng.IntN(i + 1)
		c.Steps[to].Loop = 1 + d.rng.IntN(3)
		if s.Wait != nil {
			w := *s.Wait
			w.For = slices.Clone(w.For)
			w.For[0].Goto = c.Steps[to].ID
			s.Wait = &w
			continue
		}
		s.Goto = c.Steps[to].ID
	}
}

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

// bulk scans draws broadcasts among the calls, and ends the schedules after the last: they
// would go on forever.
func (d *draw) bulkScans(w *Workload) {
	for i := range 1 + d.rng.IntN(4) {
		at := pick(d, w.Calls).At + d.rng.Int64N(3)
		w.Broadcasts = append(w.Broadcasts, Call{At: at, Event: audit.Event{
			ID: "b" + strconv.Itoa(i+1), Name: stormName, Time: at, Type: audit.TypeTrack,
			Properties: map[string]any{"value": pick(d, []float64{5, 20}), keyProperty: pick(d, []string{"A", "B"})},
		}})
	}
	if again := pick(d, w.Broadcasts); d.one(3) {
		again.At += d.rng.Int64N(duplicateWithin)
		w.Broadcasts = append(w.Broadcasts, again)
	}
	slices.SortStableFunc(w.Broadcasts, func(x, y Call) int { return int(x.At - y.At) })
	end := Edit{At: w.Calls[len(w.Calls)-1].At + d.duration().Milliseconds()}
	for _, c := range latest(w) {
		if c.Trigger.Kind == audit.KindSchedule {
			c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: "Never"}
			end.Campaigns = append(end.Campaigns, c)
		}
	}
	if len(end.Campaigns) > 0 {
		w.Edits = append(w.Edits, end)
	}
}

// latest are the campaigns after all edits.
func latest(w *Workload) []audit.Campaign {
	all := slices.Clone(w.Campaigns)
	for _, e := range w.Edits {
		for _, c := range e.Campaigns {
			i := slices.IndexFunc(all, func(o audit.Campaign) bool { return o.Name == c.Name })
			if i < 0 {
				all = append(all, c)
				continue
			}
			all[i] = c
		}
	}
	return all
}

package workload

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// RealSources is what real sources send: late, in another order, in other types than meant.
type RealSources struct {
	Order   bool // events that come in another order than they happened; old ones
	Mixed   bool // ids that are a number here and a text there
	Words   bool // consent in words
	Texts   bool // amounts as text
	Zones   bool // time zones in other forms, and what is none; schedules where clocks change
	Older   bool // identify calls that are overtaken
	Drops   bool // sends that say where a drop leads
	Decimal bool // thresholds that are no binary fractions
}

// DrawRealSources draws about half of them.
func (f Features) DrawRealSources(rng *rand.Rand) Features {
	yes := func() bool { return rng.IntN(2) == 0 }
	f.RealSources = RealSources{
		Order: yes(), Mixed: yes(), Words: yes(), Texts: yes(), Zones: yes(), Older: yes(), Drops: yes(),
		Decimal: yes(),
	}
	return f
}

// realSources changes calls and campaigns, when all else is drawn.
func (d *draw) realSources(w *Workload) {
	if d.f.RealSources == (RealSources{}) {
		return
	}
	d.overtaken(w)
	for i := range w.Calls {
		d.loosen(&w.Calls[i])
	}
	w.Calls = undoubled(w.Calls)
	d.loosenAll(w.Campaigns)
	for i := range w.Edits {
		w.Edits[i].Campaigns = slices.Clone(w.Edits[i].Campaigns)
		d.loosenAll(w.Edits[i].Campaigns)
	}
}

// overtaken has calls be about what happened before an earlier call of their customer.
func (d *draw) overtaken(w *Workload) {
	last := map[string]int64{}
	for i := range w.Calls {
		e := &w.Calls[i].Event
		before, known := last[e.Customer]
		identify := e.Type == audit.TypeIdentify
		switch {
		case identify && d.f.Older && known && d.one(2):
			e.Time = before - pick(d, []int64{1, 59_000, 60_000, 60_001, 120_000, 7_200_000})
		case !identify && d.f.Order && known && d.one(4):
			e.Time = before - pick(d, []int64{0, 1, 1000, d.duration().Milliseconds()})
		case !identify && d.f.Order && d.one(25):
			e.Historical, e.Time = true, e.Time-d.rng.Int64N(300)*24*time.Hour.Milliseconds()
		default:
			last[e.Customer] = e.Time
		}
	}
}

// loosen gives a call's values other forms.
func (d *draw) loosen(c *Call) {
	p, t := c.Event.Properties, c.Event.Traits
	if d.f.Mixed {
		switch p[keyProperty] {
		case "A":
			p[keyProperty] = pick(d, []any{"7", 7.0})
		case "B":
			p[keyProperty] = pick(d, []any{"1200", 1200.0})
		}
	}
	if _, ok := p["total"]; ok && d.f.Texts && d.one(2) {
		p["total"] = pick(d, []any{"1.25", "99.50", "0", "12,50", "n/a"})
	}
	if d.f.Words {
		d.words(&c.Event)
	}
	if _, ok := t["timezone"]; ok && d.f.Zones && !d.one(3) {
		t["timezone"] = pick(d, []string{
			"europe/kyiv", "AMERICA/NEW_YORK", "GMT-8", "UTC+02:00", "+0530", "-03", "Etc/GMT+8",
			"Pacific Standard Time", "nowhere",
		})
	}
	if _, ok := t["score"]; ok && d.f.Decimal && d.one(2) {
		t["score"] = pick(d, []any{0.85, 0.7, 0.8, 0.9, 0.69})
	}
	if _, ok := t["score"]; ok && d.f.Texts && d.one(4) {
		t["score"] = pick(d, []any{"3", "0.5", "10", "high"})
	}
}

// words says yes and no in other ways.
func (d *draw) words(e *audit.Event) {
	answer := func() any {
		return pick(d, []any{"false", "No", " yes ", "TRUE", 1.0, 0.0, 2.0, "maybe", "", true, false})
	}
	switch e.Name {
	case "Consent Changed":
		e.Properties["granted"] = answer()
		if d.one(5) {
			delete(e.Properties, "granted")
		}
	case "Do Not Disturb":
		e.Properties["enabled"] = answer()
	}
	for _, about := range []string{"consent", "preferences"} {
		said, _ := e.Traits[about].(map[string]any)
		for name := range said { // one
			said[name] = pick(d, []any{answer(), map[string]any{"granted": answer()}, map[string]any{"source": "form"}})
		}
	}
}

// loosenAll changes campaigns.
func (d *draw) loosenAll(all []audit.Campaign) {
	for i := range all {
		c := &all[i]
		t := &c.Trigger
		if t.Kind == audit.KindThreshold && d.f.Decimal { // in all versions alike
			t.At, t.Hysteresis = 0.8, 0.1
		}
		if t.Kind == audit.KindSchedule && t.Calendar == "" && d.f.Zones && d.one(2) {
			t.Minute, t.Zone = 45, pick(d, zones())
			if t.Daily {
				t.Minute = pick(d, []int{90, 105, 150})
			}
		}
		if !d.f.Drops {
			continue
		}
		c.Steps = slices.Clone(c.Steps)
		for k := range c.Steps {
			if c.Steps[k].Send != nil && !d.one(3) {
				send := *c.Steps[k].Send
				send.OnDrop = pick(d, []string{audit.DropNext, audit.DropExit, d.after(c.Steps, k)})
				c.Steps[k].Send = &send
			}
		}
	}
}

package workload

import (
	"slices"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// dateTrait is what date triggers look at.
const dateTrait = "renewal"

// dates gives some campaigns a date trigger, some of them only in the middle, when the
// customers are there already, and has customers say their dates and zones.
func (d *draw) dates(w *Workload) {
	for i := range w.Campaigns {
		if i > 0 && !d.one(3) {
			continue
		}
		old := w.Campaigns[i].Trigger
		dated := func(c *audit.Campaign, t audit.Trigger) {
			c.Trigger, c.Reentry.KeyProperty = t, ""
			c.Audience, c.Recheck = nil, false
		}
		t := d.date()
		for j := range w.Edits {
			for k := range w.Edits[j].Campaigns {
				c := &w.Edits[j].Campaigns[k]
				if c.Name == w.Campaigns[i].Name && c.Trigger.Kind == old.Kind && c.Trigger.Event == old.Event {
					dated(c, t)
				}
			}
		}
		if d.one(3) {
			c := w.Campaigns[i]
			dated(&c, t)
			c.Name += "d"
			w.Edits = append(w.Edits, Edit{At: pick(d, w.Calls).At, Campaigns: []audit.Campaign{c}})
			continue
		}
		dated(&w.Campaigns[i], t)
	}
	for i := range w.Calls {
		e := &w.Calls[i].Event
		switch {
		case e.Type != audit.TypeIdentify && !d.one(12):
		case e.Type == audit.TypeIdentify && e.Traits["timezone"] == nil && d.one(3):
		default:
			*e = audit.Event{
				Customer: e.Customer, ID: e.ID, Time: e.Time, Type: audit.TypeIdentify, Historical: e.Historical,
				Traits: map[string]any{dateTrait: d.day(w.Calls[i].At)},
			}
			if d.one(4) {
				e.Traits["timezone"] = pick(d, append(zones(), "UTC"))
			}
		}
	}
	w.Calls = undoubled(w.Calls)
}

// undoubled gives a call that comes again what it was when it came first.
func undoubled(calls []Call) []Call {
	first := map[string]audit.Event{}
	for i := range calls {
		e := &calls[i].Event
		if f, ok := first[e.ID]; ok {
			*e = f
		}
		first[e.ID] = *e
	}
	return calls
}

func (d *draw) date() audit.Trigger {
	t := audit.Trigger{
		Kind: audit.KindDate, Path: dateTrait, Repeat: pick(d, []string{"", audit.Yearly, audit.Monthly}),
		Feb29:   pick(d, []string{"", audit.Feb28, audit.Mar1, audit.LeapOnly}),
		CatchUp: pick(d, []time.Duration{0, 10 * time.Second, time.Minute, 72 * time.Hour}),
	}
	if t.Repeat != audit.Yearly {
		t.Feb29 = ""
	}
	if !d.one(3) {
		t.HasAt, t.Minute = true, pick(d, []int{0, 9 * 60, 2*60 + 30, 12 * 60, 21 * 60})
	}
	if !d.one(3) {
		t.Offsets = pick(d, [][]int{{-1}, {2}, {-3, -1}, {-2, 0, 1}, {0}})
	}
	if d.one(2) {
		t.Zone = pick(d, append(zones(), "customer", "campaign"))
	}
	return t
}

// day is a date near an instant, in one of its forms.
func (d *draw) day(at int64) any {
	l := time.UnixMilli(at).UTC().AddDate(0, 0, d.rng.IntN(8)-3)
	switch d.rng.IntN(9) {
	case 0:
		return nil
	case 1:
		return pick(d, []string{"1900-01-01", "1970-01-01", "0001-01-01", "soon", "2026-02-30"})
	case 2:
		return "--02-29"
	case 3:
		return l.Format("--01-02")
	case 4:
		return l.Format("2006-01-02") + pick(d, []string{"T10:30:00Z", "T23:15:00+02:00", "T00:00:00-05:00"})
	case 5:
		return strconv.Itoa(1960+d.rng.IntN(9)) + l.Format("-01-02")
	}
	return l.Format(time.DateOnly)
}

// Idle is how long after the last call timers may still be armed that no campaign asks
// for any more: a date that repeats was planned for a year ahead, or for the next leap
// year.
func Idle(w Workload) time.Duration {
	var idle time.Duration
	if w.Policy != nil {
		idle = w.Policy.Expire
	}
	for _, e := range append([]Edit{{Campaigns: w.Campaigns}}, w.Edits...) {
		for i := range e.Campaigns {
			if t := &e.Campaigns[i].Trigger; t.Repeat != "" || t.Calendar != "" {
				idle = 9 * 366 * 24 * time.Hour
			}
		}
	}
	return idle
}

// endless are the campaigns whose triggers by time would go on after the last call.
func endless(w *Workload) (all []audit.Campaign) {
	return slices.DeleteFunc(latest(w), func(c audit.Campaign) bool {
		return c.Trigger.Kind != audit.KindDate || c.Trigger.Repeat == ""
	})
}

package workload

import (
	"slices"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// calendarName is the calendar of the workspace.
const calendarName = "days"

// calendars has some campaigns fire on days of a calendar, near those of calls, until the
// calls are over.
func (d *draw) calendars(w *Workload) {
	h := audit.WorkspacePolicy{}
	if w.Policy != nil {
		h = *w.Policy
	}
	c := audit.Calendar{Name: calendarName}
	for range 2 + d.rng.IntN(6) {
		l := time.UnixMilli(pick(d, w.Calls).At).UTC().AddDate(0, 0, d.rng.IntN(4)-1)
		date := l.Format(pick(d, []string{time.DateOnly, time.DateOnly, "--01-02"}))
		if !slices.Contains(c.Dates, date) {
			c.Dates = append(c.Dates, date)
		}
	}
	if d.one(4) && !slices.Contains(c.Dates, "--02-29") {
		c.Dates = append(c.Dates, "--02-29")
	}
	h.Calendars = []audit.Calendar{c}
	w.Policy = &h
	for i := range w.Campaigns {
		if i > 0 && !d.one(3) || w.Campaigns[i].Trigger.Kind != audit.KindEvent {
			continue
		}
		c := &w.Campaigns[i]
		c.Trigger = audit.Trigger{
			Kind: audit.KindSchedule, Calendar: calendarName, Daily: true,
			Minute: pick(d, []int{0, 9 * 60, 2*60 + 30, 21 * 60}),
		}
		c.Reentry.KeyProperty = ""
		if d.one(2) {
			c.Trigger.Zone = pick(d, zones())
		}
	}
	last := w.Calls[len(w.Calls)-1].At
	if len(w.Edits) > 0 {
		last = max(last, w.Edits[len(w.Edits)-1].At)
	}
	end := Edit{At: last + d.duration().Milliseconds()}
	for _, c := range latest(w) {
		if c.Trigger.Calendar != "" {
			c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: "Never"}
			end.Campaigns = append(end.Campaigns, c)
		}
	}
	if len(end.Campaigns) > 0 {
		w.Edits = append(w.Edits, end)
	}
}

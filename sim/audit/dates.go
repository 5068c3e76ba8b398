package audit

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Repetitions of a date (repeat), and what becomes of 29 February in other years (feb29).
const (
	Yearly  = "yearly"
	Monthly = "monthly"

	Feb28    = "feb28"
	Mar1     = "mar1"
	LeapOnly = "leap_only"
)

const (
	catchUp     = 24 * 3_600_000 // ms, where a trigger says nothing
	maxFired    = 4              // fired occurrences of an offset that are kept
	yearsAhead  = 9              // a leap year is among them
	monthsAhead = 4
)

// dateState is what is known of one customer with regard to a date trigger.
type dateState struct {
	value    any  // the date as it was last read
	wasAhead bool // the date itself was on a later day when it became known
	planned  []occurrence
	fired    []occurrence // in the order in which they fired
}

// occurrence is one day for which a date trigger fires with one offset.
type occurrence struct {
	offset    int
	key       string // the year, the month or the day
	due       int64
	day       time.Time
	original  bool      // it is in the year, or month, of the date itself
	plannedBy *bulkScan // it counts from when this scan reaches the customer; nil: at once
}

// same reports whether both are the same occurrence, whatever their instants.
func (p occurrence) same(o occurrence) bool { return p.offset == o.offset && p.key == o.key }

// redate plans all offsets anew by what the customer's date and zone now say.
func (a *Auditor) redate(c *customer, i int) { a.planDates(c, i, a.campaigns[i].Trigger.offsets()) }

// planDates plans some offsets anew. An occurrence that was planned and is now a little past, by
// catch_up at most, still fires.
func (a *Auditor) planDates(c *customer, i int, offsets []int) {
	t, s := a.campaigns[i].Trigger, &c.states[i].dates
	zone := t.dateZone(c, a.campaigns[i])
	old := s.planned
	s.planned = slices.DeleteFunc(slices.Clone(old), func(p occurrence) bool {
		return slices.Contains(offsets, p.offset) || !slices.Contains(t.offsets(), p.offset)
	})
	d, ok := dayOf(c.traits[t.Path], t.Repeat != "", zone)
	if _, err := time.Parse(time.RFC3339, fmt.Sprint(c.traits[t.Path])); err == nil && t.Repeat != "" {
		a.note(NoteWrittenDay)
	}
	if value := c.traits[t.Path]; !same(value, s.value) {
		s.value = value
		l := time.UnixMilli(a.now).In(zone)
		today := time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, time.UTC)
		s.wasAhead = ok && time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC).After(today)
	}
	if !ok {
		return
	}
	for _, offset := range offsets {
		for _, p := range t.occurrences(d, a.now, zone) {
			p.offset, p.due = offset, t.instant(d, p.day, offset, zone)
			if slices.ContainsFunc(s.fired, p.same) {
				continue
			}
			was := slices.IndexFunc(old, func(o occurrence) bool {
				// Without repeat there is only one, on whatever day.
				return p.same(o) || t.Repeat == "" && o.offset == offset
			})
			switch {
			case p.original && !s.wasAhead && was < 0:
				continue
			case p.due < a.now && was < 0:
				continue
			case p.due < a.now && old[was].due != p.due && a.now-p.due > t.catchUp():
				continue
			case p.due < a.now:
				a.note(NoteDateCaught)
			case was >= 0 && old[was].due != p.due:
				a.note(NoteDateMoved)
			}
			s.planned = append(s.planned, p)
			break
		}
	}
}

// offsets returns the offsets in days; the day itself where none is given.
func (t Trigger) offsets() []int {
	if len(t.Offsets) == 0 {
		return []int{0}
	}
	return t.Offsets
}

// catchUp returns how late an occurrence may fire, in ms.
func (t Trigger) catchUp() int64 {
	if t.CatchUp != 0 {
		return t.CatchUp.Milliseconds()
	}
	return catchUp
}

// redateChanged plans the dates that a record can have moved; zoned says that it changed the
// customer's time zone.
func (a *Auditor) redateChanged(c *customer, zoned bool) {
	for i, def := range a.campaigns {
		if def.Trigger.Kind != KindDate || !def.observes() {
			continue
		}
		if zoned || !same(c.traits[def.Trigger.Path], c.states[i].dates.value) {
			a.redate(c, i)
		}
	}
}

// first returns the planned occurrence that comes first. One that a bulk scan has still to plan
// does not count.
func (d *dateState) first(c *customer) (first occurrence, ok bool) {
	for _, p := range d.planned {
		if p.plannedBy.isAhead(c) {
			continue
		}
		if !ok || p.due < first.due || p.due == first.due && p.offset < first.offset {
			first, ok = p, true
		}
	}
	return first, ok
}

// dateCandidate returns the entry by the campaign's occurrence that is due, if one is.
func (a *Auditor) dateCandidate(c *customer, i int) (candidate, bool) {
	p, ok := c.states[i].dates.first(c)
	if !ok || p.due > a.now || a.campaigns[i].Trigger.Kind != KindDate {
		return candidate{}, false
	}
	e := &Event{Customer: c.id, ID: AnyID, Name: "$date", Time: p.due, Type: TypeTrack}
	e.Properties = map[string]any{
		"date": fmt.Sprint(c.traits[a.campaigns[i].Trigger.Path]), "offset": strconv.Itoa(p.offset) + "d",
	}
	return candidate{campaign: i, planned: p.due, late: a.now-p.due > lateAfter, trigger: e}, true
}

// fireDate fires the occurrence that is due first.
func (a *Auditor) fireDate(c *customer, i int) {
	s, t := &c.states[i].dates, a.campaigns[i].Trigger
	p, _ := s.first(c)
	by, ok := a.dateCandidate(c, i)
	s.planned = slices.DeleteFunc(s.planned, p.same)
	if !ok { // a later version has another trigger
		return
	}
	s.recordFired(p)
	if a.now-p.due > t.catchUp() {
		a.note(NoteDateMissed)
		a.refuse(i, "missed")
	} else {
		a.note(NoteDate)
		a.admit(c, a.withRivals(c, by))
	}
	a.planDates(c, i, []int{p.offset}) // only this one: the campaign may not observe any more
	a.runReady(c)
}

// recordFired keeps what fired, the last few occurrences of each offset.
func (d *dateState) recordFired(p occurrence) {
	d.fired = append(d.fired, p)
	n := 0
	for k, o := range slices.Backward(d.fired) {
		if o.offset != p.offset {
			continue
		}
		if n++; n > maxFired {
			d.fired = slices.Delete(d.fired, k, k+1)
		}
	}
}

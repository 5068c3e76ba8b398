package audit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Repetitions of a date, and what becomes of 29 February in other years.
const (
	Yearly  = "yearly"
	Monthly = "monthly"

	Feb28    = "feb28"
	Mar1     = "mar1"
	LeapOnly = "leap_only"
)

const (
	catchUp     = 24 * 3_600_000 // ms, where a trigger says nothing
	datesKept   = 4              // occurrences of an offset that are remembered
	yearsAhead  = 9              // a leap year is among them
	monthsAhead = 4
)

// dates is a customer's standing with a date trigger.
type dates struct {
	value any  // the date as it was last seen
	ahead bool // the date itself was on a later day when it became known
	next  []planned
	spent []planned // in the order in which they fired
}

// planned is an occurrence of one offset.
type planned struct {
	offset int
	key    string // the year, the month or the day
	due    int64
	day    time.Time
	itself bool      // the year, or month, of the date
	by     *bulkScan // that plans it when it comes to the customer; nil: planned
}

func (p planned) same(o planned) bool { return p.offset == o.offset && p.key == o.key }

// day is a date of a customer: year 0 is none; minute is that of an instant, else -1.
type day struct {
	year   int
	month  time.Month
	day    int
	minute int
}

// dayOf reads a date; an instant is the day and minute that the zone's clocks show or, where
// the date repeats, those that are written.
func dayOf(v any, repeats bool, zone *time.Location) (d day, ok bool) {
	text, _ := v.(string)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		if repeats {
			zone = t.Location()
		}
		d = day{minute: t.In(zone).Hour()*60 + t.In(zone).Minute()}
		d.year, d.month, d.day = t.In(zone).Date()
		return d, !placeholder(d)
	}
	yearless := strings.HasPrefix(text, "--")
	if yearless {
		text = "2000" + text[1:]
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day{}, false
	}
	d = day{minute: -1}
	d.year, d.month, d.day = t.Date()
	if yearless {
		d.year = 0
	}
	return d, yearless || !placeholder(d)
}

// placeholder: what programs write for no date.
func placeholder(d day) bool {
	return d.year == 1 || d.year == 1900 || d.year == 1970 && d.month == time.January && d.day == 1
}

func (t Trigger) dateZone(c *customer, def *Campaign) *time.Location {
	if t.Zone == "campaign" {
		return (&customer{a: c.a}).zone(def)
	}
	if zone := c.a.zones.named(t.Zone); zone != nil {
		return zone
	}
	return c.zone(def)
}

func (t Trigger) instant(d day, on time.Time, offset int, zone *time.Location) int64 {
	minute := 0
	switch {
	case t.HasAt:
		minute = t.Minute
	case d.minute >= 0:
		minute = d.minute
	}
	on = on.AddDate(0, 0, offset)
	return clock(on.Year(), on.Month(), on.Day(), minute, zone)
}

// occurrences are those around an instant, earliest first.
func (t Trigger) occurrences(d day, now int64, zone *time.Location) (all []planned) {
	date := func(y int, m time.Month, n int) time.Time { return time.Date(y, m, n, 0, 0, 0, 0, time.UTC) }
	l := time.UnixMilli(now).In(zone)
	switch t.Repeat {
	case Yearly:
		for y := l.Year() - 2; y <= l.Year()+yearsAhead; y++ {
			on := date(y, d.month, d.day)
			if on.Month() != d.month { // 29 February
				switch t.Feb29 {
				case LeapOnly:
					continue
				case Mar1:
					on = date(y, time.March, 1)
				default:
					on = date(y, time.February, 28)
				}
			}
			if y >= d.year {
				all = append(all, planned{key: strconv.Itoa(y), day: on, itself: y == d.year})
			}
		}
	case Monthly:
		for k := -3; k <= monthsAhead; k++ {
			first := date(l.Year(), l.Month()+time.Month(k), 1)
			on := date(first.Year(), first.Month(), min(d.day, first.AddDate(0, 1, -1).Day()))
			begin := date(d.year, d.month, 1)
			if !first.Before(begin) {
				all = append(all, planned{key: first.Format("2006-01"), day: on, itself: first.Equal(begin)})
			}
		}
	default:
		if d.year != 0 {
			on := date(d.year, d.month, d.day)
			all = append(all, planned{key: on.Format(time.DateOnly), day: on})
		}
	}
	return all
}

// redate plans anew what the date and the zone of the customer now say.
func (a *Auditor) redate(c *customer, i int) { a.plan(c, i, a.campaigns[i].Trigger.offsets()) }

// plan plans some offsets anew. What was planned and is now a little past still fires.
func (a *Auditor) plan(c *customer, i int, offsets []int) {
	t, s := a.campaigns[i].Trigger, &c.per[i].dates
	zone := t.dateZone(c, a.campaigns[i])
	old := s.next
	s.next = slices.DeleteFunc(slices.Clone(old), func(p planned) bool {
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
		s.ahead = ok && time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC).After(today)
	}
	if !ok {
		return
	}
	for _, offset := range offsets {
		for _, p := range t.occurrences(d, a.now, zone) {
			p.offset, p.due = offset, t.instant(d, p.day, offset, zone)
			if slices.ContainsFunc(s.spent, p.same) {
				continue
			}
			was := slices.IndexFunc(old, func(o planned) bool {
				return p.same(o) || t.Repeat == "" && o.offset == offset // the one there is, on another day
			})
			switch {
			case p.itself && !s.ahead && was < 0:
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
			s.next = append(s.next, p)
			break
		}
	}
}

func (t Trigger) offsets() []int {
	if len(t.Offsets) == 0 {
		return []int{0}
	}
	return t.Offsets
}

func (t Trigger) catchUp() int64 {
	if t.CatchUp != 0 {
		return t.CatchUp.Milliseconds()
	}
	return catchUp
}

// redateAll looks at the dates of a customer after a record, where it can have moved them.
func (a *Auditor) redateAll(c *customer, zoned bool) {
	for i, def := range a.campaigns {
		if def.Trigger.Kind != KindDate || !def.looks() {
			continue
		}
		if zoned || !same(c.traits[def.Trigger.Path], c.per[i].dates.value) {
			a.redate(c, i)
		}
	}
}

// first is the occurrence that comes first.
func (d *dates) first(c *customer) (first planned, ok bool) {
	for _, p := range d.next {
		if p.by.ahead(c) {
			continue
		}
		if !ok || p.due < first.due || p.due == first.due && p.offset < first.offset {
			first, ok = p, true
		}
	}
	return first, ok
}

// datePlanned is the candidate of the campaign's date that is due, if one is.
func (a *Auditor) datePlanned(c *customer, i int) (candidate, bool) {
	p, ok := c.per[i].dates.first(c)
	if !ok || p.due > a.now || a.campaigns[i].Trigger.Kind != KindDate {
		return candidate{}, false
	}
	e := &Event{Customer: c.id, ID: AnyID, Name: "$date", Time: p.due, Type: TypeTrack}
	e.Properties = map[string]any{
		"date": fmt.Sprint(c.traits[a.campaigns[i].Trigger.Path]), "offset": strconv.Itoa(p.offset) + "d",
	}
	return candidate{campaign: i, planned: p.due, late: a.now-p.due > lateAfter, trigger: e}, true
}

// dateComes fires the occurrence that is due first.
func (a *Auditor) dateComes(c *customer, i int) {
	s, t := &c.per[i].dates, a.campaigns[i].Trigger
	p, _ := s.first(c)
	by, ok := a.datePlanned(c, i)
	s.next = slices.DeleteFunc(s.next, p.same)
	if !ok { // a later version has another trigger
		return
	}
	s.spend(p)
	if a.now-p.due > t.catchUp() {
		a.note(NoteDateMissed)
		a.refuse(i, "missed")
	} else {
		a.note(NoteDate)
		a.admit(c, a.withGroup(c, by))
	}
	a.plan(c, i, []int{p.offset}) // a campaign that looks at nobody leaves the others as they are
	a.runMoved(c)
}

// spend remembers what fired, the last few of each offset.
func (d *dates) spend(p planned) {
	d.spent = append(d.spent, p)
	n := 0
	for k, o := range slices.Backward(d.spent) {
		if o.offset != p.offset {
			continue
		}
		if n++; n > datesKept {
			d.spent = slices.Delete(d.spent, k, k+1)
		}
	}
}

// date renders a date trigger.
func (t Trigger) date() fields {
	offsets := make([]string, 0, len(t.Offsets))
	for _, o := range t.Offsets {
		offsets = append(offsets, strconv.Itoa(o)+"d")
	}
	f := fields{}.add("path", quote("customer.traits."+t.Path)).addIf(t.Repeat != "", "repeat", t.Repeat)
	f = f.addIf(len(offsets) > 0, "offsets", "["+strings.Join(offsets, ", ")+"]")
	f = f.addIf(t.HasAt, "at", ofDay(t.Minute)).addIf(t.Zone != "", "zone", quote(t.Zone))
	return f.addIf(t.Feb29 != "", "feb29", t.Feb29).addIf(t.CatchUp != 0, "catch_up", Duration(t.CatchUp))
}

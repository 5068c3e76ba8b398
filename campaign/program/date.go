package program

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// Repeat says how often a date recurs. A monthly 31st is the last day of a shorter month.
type Repeat uint8

// How often a date recurs (DateTrigger.Repeat).
const (
	NoRepeat Repeat = iota
	Yearly
	Monthly
)

// Feb29 says when a yearly 29 February is due in a year without one.
type Feb29 uint8

// When a yearly 29 February is due in other years (DateTrigger.Feb29).
const (
	Feb28 Feb29 = iota
	Mar1
	JumpOnly
)

// Offset is how far from a date a trigger fires, negative for before it. Days are calendar days, so
// that "-7d" at 09:00 is at 09:00 also when the clocks changed in between. For example, "-1d6h" has
// Days -1 and Rest -6 hours.
type Offset struct {
	// Text is the offset as the definition has it; chains find it in their trigger event.
	Text string
	Days int   // whole days
	Rest int64 // ms beyond them
}

// Ms returns the offset in milliseconds, with days of 24 hours: enough to tell offsets apart and to
// order them, but not to compute an instant.
func (o Offset) Ms() int64 { return int64(o.Days)*unit.DayMillis + o.Rest }

// DateTrigger fires at the local instant of a date of the customer, or some way off.
type DateTrigger struct {
	noLevel
	uncounted

	// Path is the expression of the date: a text or an instant; see parseDate.
	Path   *expr.Expr
	Repeat Repeat
	// Offsets are sorted, at least one, and each fires by itself.
	Offsets []Offset
	// At is the minute of the day at which it fires, by the local clock; -1 takes that of the date,
	// which is midnight for a date without a time.
	At int
	// Zone says by which time zone the day begins: empty: the customer's; ZoneDefault: the
	// campaign's; else that of an IANA name.
	Zone  string
	Feb29 Feb29
	// CatchUp is how late a planned occurrence may still fire, ms: its timer is late after a
	// downtime. The default is a day.
	CatchUp int64
	// Spec tells whether two versions watch the same dates: a hash of path and repeat. What was
	// planned under another spec is planned anew.
	Spec uint64
}

// Events implements Trigger: the events that can change the date, or the zone that its day is in.
func (t *DateTrigger) Events() []string {
	names := t.Path.ChangedBy()
	if t.Zone == "" {
		names = append(names, event.IdentifyName)
	}
	return names
}

func (t *DateTrigger) exprs(add func(*expr.Expr)) { add(t.Path) }

func (*DateTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger.
func (*DateTrigger) Gives() Given { return Given{Names: []string{"date", "offset"}, What: "a date"} }

func (*DateTrigger) remembers() uint64 { return 0 }

// Newcomers implements Trigger: it looks at customers who have a date.
func (t *DateTrigger) Newcomers() func(b *expr.IndexBuilder, member int) {
	return func(b *expr.IndexBuilder, member int) { b.Add(member, nil, t.Path.There()...) }
}

// OnProfile implements Trigger.
func (*DateTrigger) OnProfile() bool { return true }

func (*DateTrigger) offers() bool { return false }

// visits reports true: the dates of existing customers must be planned, even if no event of theirs
// comes any more.
func (*DateTrigger) visits(_, _ *Program, _ bool) bool { return true }

// DateValue is a parsed date attribute: either a calendar day, perhaps with a time of day, or an
// instant (timed).
type DateValue struct {
	// year is 0 for a day that comes round without one, such as a birthday --02-29.
	year  int
	month time.Month
	day   int
	// instant is Unix ms; valid when timed.
	instant int64
	timed   bool
	// minute is the time of day as written, in minutes; not used when timed.
	minute int
	beyond int64 // ms beyond it
}

// Parse reads the date of the trigger; ok is false for what is no date. A date that recurs is the
// day that is written, whatever time and zone follow it: a birthday at 1990-05-01T00:00:00.000Z is
// on 1 May in New York too, where that instant is on 30 April. A time that follows it is one of the
// local clock.
func (t *DateTrigger) Parse(v ref.Val) (d DateValue, ok bool) {
	text, written := v.(types.String)
	const day = len("2006-01-02")
	if t.Repeat != NoRepeat && written && len(text) > day && (text[day] == 'T' || text[day] == ' ') {
		if d, ok = parseDate(text[:day]); ok {
			if at, err := time.Parse(time.RFC3339Nano, string(text)); err == nil {
				d.minute, d.beyond = at.Hour()*60+at.Minute(), int64(at.Second())*1000+int64(at.Nanosecond()/1e6)
			}
		}
		return d, ok
	}
	return parseDate(v)
}

// parseDate reads 2000-02-29, --02-29 or an RFC 3339 instant. What systems write for "no date" (the
// years 1 and 1900, the first day of 1970) is none, as is a year after 9999.
func parseDate(v ref.Val) (d DateValue, ok bool) {
	switch t := v.(type) {
	case types.Timestamp:
		d = DateValue{instant: t.UnixMilli(), timed: true}
	case types.String:
		text := string(t)
		if rest, yearless := strings.CutPrefix(text, "--"); yearless {
			at, err := time.Parse("2006-01-02", "2000-"+rest)
			return DateValue{month: at.Month(), day: at.Day()}, err == nil
		}
		if at, err := time.Parse("2006-01-02", text); err == nil {
			d = DateValue{year: at.Year(), month: at.Month(), day: at.Day()}
			break
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return d, false
		}
		d = DateValue{instant: at.UnixMilli(), timed: true}
	default:
		return d, false
	}
	if d.timed {
		utc := time.UnixMilli(d.instant).UTC()
		return d, !sentinel(utc.Year(), utc.Month(), utc.Day())
	}
	return d, !sentinel(d.year, d.month, d.day)
}

// sentinel reports whether a day is one of those that stand for "no date".
func sentinel(year int, month time.Month, day int) bool {
	return year <= 1 || year == 1900 || year == 1970 && month == time.January && day == 1 || year > 9999
}

// local returns the date with its day in a zone, the minute of that day, and the milliseconds
// beyond the minute. A date that is not an instant is the same day everywhere.
func (d DateValue) local(loc *time.Location) (local DateValue, minute int, beyond int64) {
	if !d.timed {
		return d, d.minute, d.beyond
	}
	at := time.UnixMilli(d.instant).In(loc)
	d.year, d.month, d.day = at.Date()
	return d, at.Hour()*60 + at.Minute(), int64(at.Second())*1000 + int64(at.Nanosecond()/1e6)
}

// occurrence returns the day on which a date occurs for the n-th time: n is the year of a yearly
// date, the months since year 0 of a monthly one, and the days since 1970 of others. ok is false if
// it does not occur then, as a 29 February with JumpOnly in 2027. The result is midnight UTC of the
// day, whatever the zone.
func (t *DateTrigger) occurrence(d DateValue, n int64) (day time.Time, ok bool) {
	switch t.Repeat {
	case Yearly:
		year := int(n)
		if d.month == time.February && d.day == 29 && !jump(year) {
			switch t.Feb29 {
			case JumpOnly:
				return day, false
			case Mar1:
				return date(year, time.March, 1), true
			case Feb28:
			}
			return date(year, time.February, 28), true
		}
		return date(year, d.month, d.day), true
	case Monthly:
		year, month := int(n/12), time.Month(n%12+1)
		last := date(year, month+1, 0).Day()
		return date(year, month, min(d.day, last)), true
	case NoRepeat:
	}
	return time.Unix(n*24*3600, 0).UTC(), d.year != 0
}

// number is the inverse of occurrence: the n of a day.
func (t *DateTrigger) number(day time.Time) int64 {
	switch t.Repeat {
	case Yearly:
		return int64(day.Year())
	case Monthly:
		return int64(day.Year())*12 + int64(day.Month()) - 1
	case NoRepeat:
	}
	return day.Unix() / (24 * 3600)
}

// Plan returns the next instant, in Unix ms, at which an offset of a date is due, and the number of
// its occurrence; due is 0 when there is none. old is what was planned and fired before, so that
// nothing fires twice: an occurrence that is pending stays due although it is past, within CatchUp.
// kept says that the date was known before, so that moving to a zone in which its day is still
// ahead does not make the day itself an anniversary.
//
// The search covers 14 occurrences from two before now: the longest gap is that of 29 February
// around 1900 or 2100, eight years.
func (t *DateTrigger) Plan(
	d DateValue,
	loc *time.Location,
	o Offset,
	now int64,
	old *customer.DateWatch,
	kept bool,
) (due, n int64) {
	local, minute, beyond := d.local(loc)
	if t.At >= 0 {
		minute, beyond = t.At, 0
	}
	today := time.UnixMilli(now).In(loc)
	own, dated := int64(0), local.year != 0
	if dated {
		own = t.number(date(local.year, local.month, local.day))
	}
	from, steps := own, int64(1)
	if t.Repeat != NoRepeat {
		near := time.UnixMilli(now - o.Ms()).In(loc)
		from, steps = max(own, t.number(date(near.Year(), near.Month(), near.Day()))-2), 14
	}
	for n := from; n < from+steps; n++ {
		day, ok := t.occurrence(local, n)
		pending := old.Due != 0 && (n == old.Number || t.Repeat == NoRepeat)
		if !ok || old.HasFired(n) {
			continue
		}
		ahead := date(local.year, local.month, local.day).After(date(today.Year(), today.Month(), today.Day()))
		if t.Repeat != NoRepeat && dated && n == own && !pending && (kept || !ahead) {
			continue // the day itself is no anniversary
		}
		at := zone.Instant(loc, day.Year(), day.Month(), day.Day()+o.Days, minute) + beyond + o.Rest
		if t.At < 0 && d.timed && o.Days == 0 && t.Repeat == NoRepeat {
			at = d.instant + o.Rest
		}
		if at >= now || pending && (at >= now-t.CatchUp || at == old.Due) { // it has not moved: its timer is late
			return at, n
		}
	}
	return 0, 0
}

// date returns midnight UTC of a day; months and days out of range are carried over, as time.Date
// does.
func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// jump reports whether a year has a 29 February.
func jump(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// DateEvent returns the trigger event of a chain that a date started: $date, with the day and the
// offset as properties.
func (t *DateTrigger) DateEvent(d DateValue, loc *time.Location, o Offset, w *customer.DateWatch) *event.Event {
	local, _, _ := d.local(loc)
	day, _ := t.occurrence(local, w.Number)
	return &event.Event{
		Type: event.Track, Name: "$date", Time: w.Due,
		Properties: fmt.Appendf(nil, `{"date":"%s","offset":"%s"}`, day.Format("2006-01-02"), o.Text),
	}
}

// ZoneDefault is the Zone of a date trigger that takes the campaign's time zone and not the
// customer's.
const ZoneDefault = "campaign"

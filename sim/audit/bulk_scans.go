package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// slice is how many customers one frame visits in their turn.
const slice = 2000

// bulk scan is something that happens to all customers who are there: a broadcast or an instant
// at which schedules are due.
type bulkScan struct {
	campaigns []string // of schedules; none: a broadcast
	event     *Event
	due       int64
	begun     []begun     // of an activation that asks customers in
	plans     bool        // an activation
	forgets   bool        // a counter that is asked for no more
	left      []*customer // by id
	cursor    string      // the customer whose turn came last
}

// Broadcast puts an event without a customer on its way to all.
func (a *Auditor) Broadcast(in Event) {
	a.place++
	if a.broadcasts[in.ID] {
		return
	}
	a.broadcasts[in.ID] = true // also where nobody waits for it
	e := &in
	e.Time = min(e.Time, a.now)
	for i := range a.campaigns {
		t := &a.campaigns[i].Trigger
		if a.campaigns[i].looks() && t.Kind == KindBroadcast && t.Event == e.Name {
			a.bulkScans = append(a.bulkScans, &bulkScan{event: e, due: a.now, left: slices.Clone(a.customers)})
			return
		}
	}
}

// occur begins the bulk scans of the occurrences of schedules since the last frame, one for each
// instant; of those that a downtime missed only the last.
func (a *Auditor) occur() {
	var all []*bulkScan
	for i := range a.campaigns {
		s := a.schedule(i)
		if s == nil || *s == 0 {
			continue
		}
		last := int64(0)
		for *s != 0 && *s <= a.now {
			last = *s
			*s = a.occurrence(i, *s)
		}
		if last == 0 {
			continue
		}
		at, known := slices.BinarySearchFunc(
			all,
			last,
			func(t *bulkScan, due int64) int { return cmp.Compare(t.due, due) },
		)
		if !known {
			all = slices.Insert(all, at, &bulkScan{
				due: last, event: &Event{ID: AnyID, Name: "$schedule", Time: last, Type: TypeTrack},
				left: slices.Clone(a.customers),
			})
		}
		all[at].campaigns = append(all[at].campaigns, a.campaigns[i].Name)
	}
	a.bulkScans = append(a.bulkScans, all...)
}

func (a *Auditor) schedule(i int) *int64 {
	for k := range a.schedules {
		if a.schedules[k].campaign == a.campaigns[i].Name {
			return &a.schedules[k].next
		}
	}
	return nil
}

type schedule struct {
	campaign string
	rule     string
	next     int64
}

// reschedule has the schedules of the campaigns in force; those that are there go on.
func (a *Auditor) reschedule() {
	var all []schedule
	for i := range a.campaigns {
		if a.campaigns[i].Trigger.Kind != KindSchedule {
			continue
		}
		s := schedule{a.campaigns[i].Name, a.rule(i), a.occurrence(i, a.now)}
		for _, old := range a.schedules {
			if old.campaign == s.campaign && old.rule == s.rule {
				s.next = old.next
			}
		}
		all = append(all, s)
	}
	a.schedules = all
}

// rule is what a schedule goes by: a version with the same goes on with its occurrences.
func (a *Auditor) rule(i int) string {
	t := a.campaigns[i].Trigger
	return fmt.Sprint(t.Minute, t.Daily, t.Calendar, t.Zone, a.campaigns[i].Zone, a.house.Zone)
}

// occurrence is the first after an instant.
func (a *Auditor) occurrence(i int, after int64) int64 {
	t := a.campaigns[i].Trigger
	zone := a.zones.named(t.Zone)
	if zone == nil {
		zone = (&customer{a: a}).zone(a.campaigns[i])
	}
	if t.Calendar != "" {
		return a.calendarDay(&t, zone, after)
	}
	if t.Daily { // once a day: the first of a time that comes twice, later than one that is left out
		l := time.UnixMilli(after).In(zone)
		for day := l.Day() - 1; ; day++ {
			if at := clock(l.Year(), l.Month(), day, t.Minute, zone); at > after {
				if shown := time.UnixMilli(at).In(zone); shown.Hour()*60+shown.Minute() != t.Minute {
					a.note(NoteClockGap)
				}
				return at
			}
		}
	}
	for at := after/60_000*60_000 + 60_000; ; at += 60_000 { // whenever the clock shows the minute
		if time.UnixMilli(at).In(zone).Minute() == t.Minute {
			return at
		}
	}
}

// slice visits the next customers of the first bulk scan, in the order of their ids.
func (a *Auditor) slice() {
	if len(a.bulkScans) == 0 {
		return
	}
	t, passed := a.bulkScans[0], 0
	for _, c := range a.customers {
		if c.id <= t.cursor || passed == slice {
			continue
		}
		passed++
		t.cursor = c.id
		a.visitFor(c, t)
	}
	if passed < slice {
		a.bulkScans = a.bulkScans[1:]
	}
}

// ahead says whether a bulk scan has still to come to a customer.
func (t *bulkScan) ahead(c *customer) bool { return t != nil && slices.Contains(t.left, c) }

// visit has all that is on its way happen to a customer.
func (a *Auditor) visit(c *customer) {
	for _, t := range a.bulkScans {
		a.visitFor(c, t)
	}
}

func (a *Auditor) visitFor(c *customer, t *bulkScan) {
	at, found := slices.BinarySearchFunc(t.left, c, func(x, y *customer) int { return cmp.Compare(x.id, y.id) })
	if !found {
		return
	}
	t.left = slices.Delete(t.left, at, at+1)
	if t.forgets {
		return // it has been forgotten already
	}
	if t.plans {
		a.include(c, t)
		return
	}
	for _, ch := range c.chains {
		if ch.live() && ch.leaving && ch.def.Trigger.Kind == KindBroadcast && ch.def.Trigger.Event == t.event.Name {
			a.note(NoteBulkScanExit) // else it would be in the way of the next
		}
	}
	a.dismiss(c)
	a.happen(c, t)
}

func (a *Auditor) happen(c *customer, t *bulkScan) {
	var all []candidate
	for i, def := range a.campaigns {
		s := scene{event: t.event, trigger: t.event, customer: c}
		switch {
		case len(t.campaigns) == 0 && !def.looks():
			continue
		case len(t.campaigns) == 0 && def.Trigger.Kind == KindBroadcast && def.Trigger.Event == t.event.Name &&
			def.Trigger.When.holds(s): // the campaign's own audience is asked at the entry
			a.note(NoteBroadcast)
			if age := t.due - t.event.Time; age > a.maxAge(i) { // that of the record, not of the visit
				a.refuse(i, "max_event_age")
				continue
			}
		case slices.Contains(t.campaigns, def.Name) && def.Trigger.Kind == KindSchedule && def.Audience.holds(s):
			a.note(NoteSchedule)
			if def.Trigger.Calendar != "" {
				a.note(NoteCalendar)
			}
		default:
			continue
		}
		all = append(all, candidate{campaign: i, trigger: t.event, planned: t.due, late: a.now-t.due > lateAfter})
	}
	a.admit(c, all)
	a.settle(c)
	a.derive(c)
	c.forget()
}

// BulkScans says whether one is under way.
func (a *Auditor) BulkScans() bool {
	return len(a.bulkScans) > 0
}

package audit

import (
	"fmt"
	"slices"
)

// counter is something about customers that a campaign in force asks to be counted.
type counter struct {
	event string
	where string
	part  string // the count where empty, else a sum, the windows, or what a streak needs
	from  int    // position of the log
}

// key names what is stored for the counter.
func (c counter) key() string { return c.event + "\x00" + c.where + "\x00" + c.part }

// updateCounters begins the counters that campaigns in force newly ask for and ends those that none
// asks for any more; the others go on.
func (a *Auditor) updateCounters() {
	var next []counter
	a.longestWindow = map[string]int64{}
	want := func(event string, where *Pred, of string) {
		c := counter{event: event, where: where.text(), part: of}
		if a.counterStart(next, c) < 0 {
			c.from = max(a.counterStart(a.counters, c), 0)
			if a.counterStart(a.counters, c) < 0 {
				c.from = a.position
				a.noteCountedAgain(c)
			}
			next = append(next, c)
		}
	}
	for _, c := range a.campaigns {
		switch kind := c.Trigger.Kind; {
		case !c.observes():
		case kind == KindCount, kind == KindInactivity:
			want(c.Trigger.Event, c.Trigger.Where, "")
		case kind == KindStreak:
			want(c.Trigger.Event, c.Trigger.Where, c.streakPart())
		}
		for _, of := range append([]Campaign{*c}, a.versions[c.Name]...) {
			for _, p := range of.preds() {
				for _, comparison := range p.All {
					for _, of := range comparison.counterParts() {
						if comparison.Count != "" {
							want(comparison.Count, nil, of)
						}
					}
					if comparison.Last != "" {
						want(comparison.Last, nil, "")
					}
					if w := comparison.Window.Milliseconds(); w != 0 && comparison.Last == "" {
						a.longestWindow[comparison.Count] = max(a.longestWindow[comparison.Count], w)
					}
				}
			}
		}
	}
	a.counters = next
}

// For each event name one counter holds the count and the sums, and another the windows: it keeps
// what the longest window can see. Each sum counts from when it was first asked for.
const (
	sumPart     = "sum "    // of a property
	windowsPart = "windows" // of any length
)

// counterParts names what must be kept for the comparison; the last one is what it looks at.
func (q Comparison) counterParts() []string {
	of := ""
	if q.Window != 0 {
		of = windowsPart
	}
	if q.Sum == "" {
		return []string{of}
	}
	return []string{of, of + sumPart + q.Sum}
}

// streakPart names what is kept for a campaign's streak, which is not shared with counts.
func (c Campaign) streakPart() string {
	t := c.Trigger
	return fmt.Sprint("streak ", c.Name, t.Length, t.MaxGap, t.BreakOn)
}

// counterStart returns the position of the log from which on the counter counts; -1 if it is not in
// the list.
func (a *Auditor) counterStart(list []counter, c counter) int {
	for _, o := range list {
		if o.event == c.event && o.where == c.where && o.part == c.part {
			return o.from
		}
	}
	return -1
}

// countsFrom returns counterStart of the count of matching events.
func (a *Auditor) countsFrom(event string, where *Pred) int {
	return a.counterStart(a.counters, counter{event: event, where: where.text()})
}

// countedEvents returns the customer's matching events since the counter began.
func (c *customer) countedEvents(event string, where *Pred) []*Event {
	return c.eventsFrom(c.a.countsFrom(event, where), event, where)
}

// eventsFrom returns the customer's matching events after a position of the log.
func (c *customer) eventsFrom(since int, event string, where *Pred) []*Event {
	var all []*Event
	for _, e := range c.events {
		if e.position > since && (Match{Event: event, Where: where}).holds(e, e, c) {
			all = append(all, e)
		}
	}
	return all
}

// countOrSum returns the count or sum that a comparison looks at. An event exactly as old as the
// window does not count.
func (c *customer) countOrSum(q Comparison) float64 {
	n, sum := 0, 0.0
	for _, e := range c.windowEvents(q) {
		if q.Window != 0 && c.a.instant()-e.Time >= q.Window.Milliseconds() {
			continue
		}
		n++
		v := c.a.amount(c.a.memberAt(e.Properties, q.Sum))
		sum += v
	}
	if q.Sum != "" {
		return sum
	}
	return float64(n)
}

// windowEvents returns the events that the comparison's counter holds, including those that have
// left the window and are still kept.
func (c *customer) windowEvents(q Comparison) (all []*Event) {
	keeps := q.counterParts()
	of := counter{event: q.Count, part: keeps[len(keeps)-1]}
	for _, e := range c.eventsFrom(c.a.counterStart(c.a.counters, of), q.Count, nil) {
		if q.Window == 0 || !e.pruned {
			all = append(all, e)
		}
	}
	return all
}

// pruneWindows drops, when an event happens again, the events of its name that are too old for the
// longest window in force. A longer window that is asked for later does not see them.
func (c *customer) pruneWindows(again *Event) {
	longest, ok := c.a.longestWindow[again.Name]
	for _, e := range c.events {
		if ok && e.Name == again.Name && e.Time <= c.a.now-longest {
			e.pruned = true
		}
	}
}

// Counters names what is counted.
func (a *Auditor) Counters() []string {
	var all []string
	for _, c := range a.counters {
		all = append(all, c.event+"\x00"+c.where+"\x00"+c.part)
	}
	return all
}

// updateRecordedNames collects the event names of goals, reversals, stops and waits: these events
// are recorded as recent events.
func (a *Auditor) updateRecordedNames() {
	a.recordedNames = map[string]bool{}
	for _, c := range a.campaigns {
		for _, of := range append([]Campaign{*c}, a.versions[c.Name]...) {
			for _, m := range of.matches() {
				a.recordedNames[m.Event] = true
			}
			for _, g := range of.Goals {
				a.recordedNames[g.ReverseOn] = true
			}
		}
	}
}

// dropCounters has all customers forget counters that no campaign asks for any more, and states
// that changed triggers had. It takes a bulk scan of all customers, for which later scans wait.
func (a *Auditor) dropCounters(before []counter, states bool) {
	counters := slices.ContainsFunc(before, func(c counter) bool {
		return !slices.ContainsFunc(a.counters, func(o counter) bool { return o.key() == c.key() })
	})
	if counters {
		a.note(NoteDropped)
	}
	if counters || states {
		scan := &bulkScan{dropsCounters: true, due: a.now, remaining: slices.Clone(a.customers)}
		a.bulkScans = append(a.bulkScans, scan)
	}
}

// noteCountedAgain notes a counter that begins anew although there are events from before.
func (a *Auditor) noteCountedAgain(c counter) {
	if a.everCounted[c.key()] && slices.ContainsFunc(a.customers, func(o *customer) bool {
		return slices.ContainsFunc(o.events, func(e *Event) bool { return e.Name == c.event })
	}) {
		a.note(NoteCountedAgain)
	}
	a.everCounted[c.key()] = true
}

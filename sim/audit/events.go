package audit

import (
	"cmp"
	"slices"
)

// Record types.
const (
	TypeTrack    = "track"
	TypeIdentify = "identify"
)

// Event is one record of the log. Time is the event time in Unix ms; the log time is the Auditor's.
type Event struct {
	Customer   string
	ID         string
	Name       string
	Time       int64
	Type       string
	Properties map[string]any
	Traits     map[string]any
	Context    map[string]any
	Historical bool

	position int             // among all records and definitions of the log
	recorded bool            // it is one of the recent events: a goal, stop or wait named it when it came
	streaks  map[string]bool // campaigns for whose streak it counted when it came
	pruned   bool            // windows do not see it any more; see pruneWindows
}

// AnyID stands for the trigger's id where the text names none, because no record of the log started
// the chain. The comparison takes any id for it.
const AnyID = "*"

// Duplicates is how long the id of a record is known, in ms of log time. A record with an id that
// is exactly so old is no duplicate.
const Duplicates = 24 * 3_600_000

// knowsEvent reports whether a record of the customer with this id came and its id is still known.
func (c *customer) knowsEvent(id string) bool {
	at, ok := c.eventIDs[id]
	return ok && c.a.now < at+Duplicates
}

// maxRecent is how many recent events of one name a customer has.
const maxRecent = 32

// recentEvents returns the last 32 events of each name that a goal, stop or wait named when the
// event came, in the order of the log.
func (c *customer) recentEvents() []*Event {
	var kept []*Event
	later := map[string]int{}
	for _, e := range slices.Backward(c.events) {
		if !e.recorded {
			continue
		}
		if later[e.Name] < maxRecent {
			kept = append(kept, e)
		}
		later[e.Name]++
	}
	slices.Reverse(kept)
	return kept
}

// byTime sorts events by their times and returns them. Events of one time keep their order.
func byTime(events []*Event) []*Event {
	slices.SortStableFunc(events, func(x, y *Event) int { return cmp.Compare(x.Time, y.Time) })
	return events
}

// holds reports whether the event is one that the match looks for.
func (m Match) holds(e, trigger *Event, c *customer) bool {
	if e.Type == TypeIdentify || e.Name != m.Event {
		return false
	}
	if m.Property != "" {
		want, ok := trigger.Properties[m.Property]
		got, has := e.Properties[m.Property]
		a, isText := textOf(want)
		b, alike := textOf(got)
		if !ok || !has || !isText || !alike || a != b {
			return false
		}
		if !compare(got, "==", want) {
			c.a.note(NoteMixedIDs)
		}
	}
	return m.Where.holds(scene{event: e, trigger: trigger, customer: c})
}

package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
)

// Ring has the last events of one name, oldest first, at most ringSize of them.
type Ring struct {
	Name   string
	Events []RecentEvent
}

// RecentEvent is an event in a ring.
type RecentEvent struct {
	// N numbers the events of all rings of the customer in the order in which they came, from 1.
	N uint64
	// Event is the stored form (event.AppendBody).
	Event []byte
}

// Ring returns the recent events of a name; nil where there are none.
func (c *Customer) Ring(name string) *Ring {
	i := sort.Search(len(c.Rings), func(i int) bool { return c.Rings[i].Name >= name })
	if i < len(c.Rings) && c.Rings[i].Name == name {
		return &c.Rings[i]
	}
	return nil
}

// Remember adds an event to the ring of its name. The oldest event of a full ring is dropped.
func (c *Customer) Remember(e *event.Event) {
	i := sort.Search(len(c.Rings), func(i int) bool { return c.Rings[i].Name >= e.Name })
	if i == len(c.Rings) || c.Rings[i].Name != e.Name {
		c.Rings = append(c.Rings, Ring{})
		copy(c.Rings[i+1:], c.Rings[i:])
		c.Rings[i] = Ring{Name: e.Name}
	}
	r := &c.Rings[i]
	if len(r.Events) == ringSize {
		r.Events = append(r.Events[:0], r.Events[1:]...)
	}
	c.Recorded++
	r.Events = append(r.Events, RecentEvent{N: c.Recorded, Event: e.AppendBody(nil)})
}

// RecentEventIn returns the events of all rings in the order in which they were remembered.
func RecentEventIn(rings []Ring) []RecentEvent {
	var all []RecentEvent
	for i := range rings {
		all = append(all, rings[i].Events...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].N < all[j].N })
	return all
}

// EventTime returns the event time of a remembered event in ms; 0 where it cannot be decoded.
func EventTime(r *RecentEvent) int64 {
	if e := event.DecodeBody(r.Event); e != nil {
		return e.Time
	}
	return 0
}

// MergeRings adds the events that other remembers to those of c, ordered by event time. Events of the
// same customer keep their order, also where their times do not: the two lists are merged, not sorted.
func (c *Customer) MergeRings(other *Customer) {
	own, more := RecentEventIn(c.Rings), RecentEventIn(other.Rings)
	// The numbering begins anew: the events that both forgot get the lowest numbers, those remembered
	// follow.
	c.Rings, c.Recorded = nil, c.Recorded+other.Recorded-uint64(len(own)+len(more)) // those forgotten were the first
	for len(own) > 0 || len(more) > 0 {
		from := &own
		if len(own) == 0 || len(more) > 0 && EventTime(&more[0]) < EventTime(&own[0]) {
			from = &more
		}
		if e := event.DecodeBody((*from)[0].Event); e != nil {
			c.Remember(e)
		}
		*from = (*from)[1:]
	}
}

package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/unit"
)

// Merge adds what other counted to c. Counts and sums are added; First and Last become the earliest and
// latest of both.
func (c *Counter) Merge(other *Counter) {
	if other.Count > 0 {
		if c.Count == 0 || other.First < c.First {
			c.First = other.First
		}
		if c.Count == 0 || other.Last > c.Last {
			c.Last = other.Last
		}
		c.Count += other.Count
	}
	for _, s := range other.Sums {
		c.Add(s.Property, s.Total)
	}
}

// Counter counts the events of one name, or those of them for which a condition holds, over the whole
// life of the customer. It goes by event time, so the order of arrival does not matter.
type Counter struct {
	// ID is the event name and the condition; see CounterID.
	ID    string
	Count uint64
	First int64 // earliest event time, ms; meaningful when Count > 0
	Last  int64 // latest event time, ms
	Sums  []Sum // sorted by Property
}

// Sum is the sum of one property over the counted events.
type Sum struct {
	Property string
	Total    unit.Money
}

// CounterID returns the id of the counter of an event name and the source of a condition, which is
// empty for all events of the name. Campaigns that ask for the same counter share it. The separator NUL
// occurs in neither.
func CounterID(event, where string) string {
	if where == "" {
		return event
	}
	return event + "\x00" + where
}

// Counter returns the counter with an id; nil where the customer has none, which means that nothing was
// counted yet.
func (c *Customer) Counter(id string) *Counter {
	i := sort.Search(len(c.Counters), func(i int) bool { return c.Counters[i].ID >= id })
	if i < len(c.Counters) && c.Counters[i].ID == id {
		return &c.Counters[i]
	}
	return nil
}

// EnsureCounter returns the counter with an id and adds an empty one where there is none. The pointer
// is valid until the next counter is added.
func (c *Customer) EnsureCounter(id string) *Counter {
	i := sort.Search(len(c.Counters), func(i int) bool { return c.Counters[i].ID >= id })
	if i == len(c.Counters) || c.Counters[i].ID != id {
		c.Counters = append(c.Counters, Counter{})
		copy(c.Counters[i+1:], c.Counters[i:])
		c.Counters[i] = Counter{ID: id}
	}
	return &c.Counters[i]
}

// Sum returns the sum of a property over the counted events, 0 where there is none. c may be nil.
func (c *Counter) Sum(property string) unit.Money {
	if c == nil {
		return 0
	}
	for i := range c.Sums {
		if c.Sums[i].Property == property {
			return c.Sums[i].Total
		}
	}
	return 0
}

// Add adds amount to the sum of a property. It does not change Count: one event may have several
// properties that are summed.
func (c *Counter) Add(property string, amount unit.Money) {
	i := sort.Search(len(c.Sums), func(i int) bool { return c.Sums[i].Property >= property })
	if i == len(c.Sums) || c.Sums[i].Property != property {
		c.Sums = append(c.Sums, Sum{})
		copy(c.Sums[i+1:], c.Sums[i:])
		c.Sums[i] = Sum{Property: property}
	}
	c.Sums[i].Total = c.Sums[i].Total.Plus(amount)
}

package customer

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Limits of what one customer keeps for date triggers, in numbers of entries.
const (
	// MaxFired is the greatest number of occurrences that an offset remembers as fired. A date that is
	// changed back and forth fires once for each occurrence, as long as it is remembered.
	MaxFired = 4
	// MaxDates is the greatest number of date watches of a customer. A date trigger beyond it is
	// refused (too_many_states).
	MaxDates = 1000
)

// DateWatch is the state of one offset of a date trigger ("3 days before the birthday") for a customer.
//
// Invariant: Number is not in Fired while Due is not 0.
type DateWatch struct {
	Campaign string
	// Offset is the distance from the date in ms, negative before it.
	Offset int64
	// Spec is a hash of the trigger's definition. State with another hash belongs to an older
	// definition and is not used.
	Spec uint64
	Due  int64 // ms; 0: nothing is planned
	// Number identifies the planned occurrence: of a date that comes every year there is one for each
	// year.
	Number int64
	Fired  []int64 // the last occurrences that fired, oldest first
}

// HasFired reports whether the trigger fired for occurrence n, as far as that is remembered.
func (w *DateWatch) HasFired(n int64) bool { return slices.Contains(w.Fired, n) }

// Before reports whether w precedes the watch of a campaign and offset in the order of Customer.Dates.
func (w *DateWatch) Before(campaign string, offset int64) bool {
	return w.Campaign < campaign || w.Campaign == campaign && w.Offset < offset
}

// appendDates appends the stored form of c.Dates.
func appendDates(c *Customer, b []byte) []byte {
	b = wire.AppendUint(b, uint64(len(c.Dates)))
	for i := range c.Dates {
		w := &c.Dates[i]
		b = wire.AppendString(b, w.Campaign)
		b = wire.AppendInt(b, w.Offset)
		b = wire.AppendFixed(b, w.Spec)
		b = wire.AppendInt(b, w.Due)
		b = wire.AppendInt(b, w.Number)
		b = wire.AppendUint(b, uint64(len(w.Fired)))
		for _, n := range w.Fired {
			b = wire.AppendInt(b, n)
		}
	}
	return b
}

// decodeDates reads what appendDates wrote.
func decodeDates(c *Customer, d *wire.Decoder, names event.Names) {
	for range d.Count(13) {
		w := DateWatch{
			Campaign: names.Of(d.Bytes()), Offset: d.Int(), Spec: d.Fixed(), Due: d.Int(), Number: d.Int(),
		}
		for range d.Count(1) {
			w.Fired = append(w.Fired, d.Int())
		}
		c.Dates = append(c.Dates, w)
	}
}

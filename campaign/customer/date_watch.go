package customer

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Limits of the dates of a customer.
const (
	MaxFired = 4 // occurrences remembered as fired, an offset
	MaxDates = 1000
)

// DateWatch is one offset of a date trigger for a customer.
//
// Invariant: Number is not in Fired while Due is not 0.
type DateWatch struct {
	Campaign string
	Offset   int64 // ms
	Spec     uint64
	Due      int64   // ms; 0: nothing is planned
	Number   int64   // of the planned occurrence, see DateTrigger.occurrence
	Fired    []int64 // the last occurrences that fired, oldest first
}

// HasFired reports whether the trigger fired for an occurrence.
func (w *DateWatch) HasFired(n int64) bool { return slices.Contains(w.Fired, n) }

// Before reports whether w comes before the watch of a campaign and offset in the order of a
// customer's watches.
func (w *DateWatch) Before(campaign string, offset int64) bool {
	return w.Campaign < campaign || w.Campaign == campaign && w.Offset < offset
}

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

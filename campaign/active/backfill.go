package active

import (
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/wire"
)

// maxFillBytes is the approximate size at which the backfill of a window is split, in bytes, by the
// estimates in split. A single record of the log stays small that way, however much history a
// customer has.
const maxFillBytes = 24 << 10

// BackfillCounts is what was counted from the log for one customer and one counter, or a part of
// it: a "fill". Either Counter is filled in (a counter without a window) or Width and Items are.
type BackfillCounts struct {
	// Ask is the index of the counter among those that the backfill fills.
	Ask int
	// Counter has no ID; its Count is 0 where only sums are filled.
	Counter customer.Counter
	// Width is the time that one item of a window stands for, ms; see customer.Window.
	Width int64
	Items []customer.Occurrence
}

// AppendTo appends the stored form: ask, count, first, last, sums, width, items (time after the one
// before, count, sums).
func (f *BackfillCounts) AppendTo(b []byte) []byte {
	b = wire.AppendUint(b, uint64(f.Ask))
	b = f.Counter.AppendTo(b)
	w := customer.Customer{Windows: []customer.Window{{Width: f.Width, Items: f.Items}}}
	return customer.AppendWindows(&w, b)
}

// DecodeFill reads what AppendTo wrote, from the front of d. Bad input shows as the error of d.
func DecodeFill(d *wire.Decoder) BackfillCounts {
	f := BackfillCounts{Ask: int(d.Uint())}
	f.Counter = customer.DecodeCounter(d, nil)
	var c customer.Customer
	customer.DecodeWindows(&c, d, nil)
	if len(c.Windows) > 0 {
		f.Width, f.Items = c.Windows[0].Width, c.Windows[0].Items
	}
	return f
}

// CustomerFill is a fill together with the id of the customer whose history it counts.
type CustomerFill struct {
	Customer string
	Fill     BackfillCounts
}

// BackfillCounter counts the events of a log for counters that a new definition asks for. It
// keeps one value for each customer and counter until Take. It belongs to one goroutine.
type BackfillCounter struct {
	asks []CounterRequest
	// where holds the compiled condition of each request, by its index; nil where every event
	// counts.
	where []*expr.Expr
	// byEvent lists the requests (indexes into asks) for an event name.
	byEvent map[string][]int
	scope   *expr.Scope
	// fills has what was counted since Take.
	fills map[backfillKey]*BackfillCounts
}

// backfillKey is a customer's id and the index of a request.
type backfillKey struct {
	customer string
	ask      int
}

// NewBackfillCounter returns a counter for the requests asks. The compiled conditions are those
// of set, so set must be the one that asks for the counters.
func NewBackfillCounter(set *Set, asks []CounterRequest) *BackfillCounter {
	t := &BackfillCounter{
		asks: asks, where: make([]*expr.Expr, len(asks)), byEvent: map[string][]int{}, scope: expr.NewScope(),
		fills: map[backfillKey]*BackfillCounts{},
	}
	for i, a := range asks {
		t.byEvent[a.Event] = append(t.byEvent[a.Event], i)
		for _, c := range set.Counters[a.Event] {
			if a.Window == 0 && c.ID == a.ID() {
				t.where[i] = c.Where
			}
		}
	}
	return t
}

// Len returns how many values (pairs of a customer and a counter) were counted since Take, by
// which the caller can bound the memory.
func (t *BackfillCounter) Len() int { return len(t.fills) }

// Event counts e, which was logged at now (ms), for each request that its name and the
// condition match. An event on which a condition fails with an error is not counted.
func (t *BackfillCounter) Event(e *event.Event, now int64) {
	asked := t.byEvent[e.Name]
	if len(asked) == 0 {
		return
	}
	own := *e // the scope knows events by their address
	t.scope.Now = now
	// The log does not say what the customer looked like then, so the scope shows an empty one;
	// BackfillObstacle rules out conditions that would notice.
	t.scope.Customer.Set(&customer.Customer{Workspace: e.Workspace, ID: e.Customer})
	t.scope.Event.Set(&own)
	for _, i := range asked {
		if w := t.where[i]; w != nil {
			if ok, err := w.Holds(t.scope); err != nil || !ok {
				continue
			}
		}
		t.count(i, &own, now)
	}
}

// count adds e to the value of request i. What was counted before (Counted) is not counted
// again; only the sums that are new are.
func (t *BackfillCounter) count(i int, e *event.Event, now int64) {
	a := &t.asks[i]
	key := backfillKey{e.Customer, i}
	f := t.fills[key]
	if f == nil {
		f = &BackfillCounts{Ask: i}
		t.fills[key] = f
	}
	var sums []customer.Sum
	for _, property := range a.Sums {
		if v := t.scope.Event.Props.At(property); v != nil {
			if amount, ok := unit.AmountOf(v); ok {
				sums = append(sums, customer.Sum{Property: property, Total: amount})
			}
		}
	}
	if a.Window > 0 {
		w := customer.Window{Width: f.Width, Items: f.Items}
		w.Add(e.Time, sums, now-a.Window)
		f.Width, f.Items = w.Width, w.Items
		return
	}
	one := customer.Counter{Sums: sums}
	if !a.Counted {
		one.Count, one.First, one.Last = 1, e.Time, e.Time
	}
	f.Counter.Merge(&one)
}

// Take returns what was counted since the last Take, sorted by customer id and request, and
// begins anew. A value that is larger than maxFillBytes comes as several fills in the order of
// time.
func (t *BackfillCounter) Take() []CustomerFill {
	var all []CustomerFill
	for key, f := range t.fills { //nudge:unordered sorted below
		for _, part := range f.split() {
			all = append(all, CustomerFill{key.customer, part})
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		return a.Customer < b.Customer || a.Customer == b.Customer && a.Fill.Ask < b.Fill.Ask
	})
	t.fills = map[backfillKey]*BackfillCounts{}
	return all
}

// split cuts the items of a window into fills of at most about maxFillBytes each. The sizes are
// estimates: 24 bytes for an item, and 12 and the name for each of its sums.
func (f *BackfillCounts) split() []BackfillCounts {
	var parts []BackfillCounts
	size, from := 0, 0
	for i := range f.Items {
		size += 24
		for _, s := range f.Items[i].Sums {
			size += 12 + len(s.Property)
		}
		if size > maxFillBytes {
			parts = append(parts, BackfillCounts{Ask: f.Ask, Width: f.Width, Items: f.Items[from : i+1]})
			size, from = 0, i+1
		}
	}
	last := *f
	last.Items = f.Items[from:]
	if len(parts) > 0 && len(last.Items) == 0 {
		return parts
	}
	return append(parts, last)
}

// BackfillObstacle returns, in words for a person, why the log does not tell what the counter a
// of the set would have counted; empty if it does.
func (s *Set) BackfillObstacle(a CounterRequest) string {
	if a.Window > 0 && a.Counted {
		return "its last days are counted already"
	}
	for _, c := range s.Counters[a.Event] {
		if a.Window > 0 || c.ID != a.ID() || c.Where == nil {
			continue
		}
		if r := c.Where.Reads; r.Profile || r.Clock || len(c.Where.Asks) > 0 ||
			strings.Contains(c.Where.Source, "created_at") {
			return "the condition looks at more than the event, and the log does not say what that was"
		}
	}
	return ""
}

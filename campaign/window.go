package campaign

import (
	"sort"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Limits of a counter with a window.
const (
	maxOccurrences = 4096 // kept of a counter and customer, each with its own instant
	firstWidth     = 60 * 1000
)

// Window is what a counter with a window keeps: the occurrences that the longest
// window asked for can still see, by event time.
//
// Invariant: Items are sorted by Time and at most maxOccurrences; with a Width, Time
// is a multiple of it.
type Window struct {
	Event string
	// Width is how long the slots are in which occurrences are counted together, ms; 0:
	// each has its own instant and every answer is exact.
	Width int64
	Items []Occurrence
}

// Occurrence is one counted event, or those of one slot.
type Occurrence struct {
	Time  int64 // event time, or the beginning of the slot, ms
	Count uint64
	Sums  []Sum // sorted by Property
}

// Approximate says that the counter had more occurrences than are kept one by one.
func (w *Window) Approximate() bool { return w.Width > 0 }

func (c *Customer) window(event string) *Window {
	i := sort.Search(len(c.Windows), func(i int) bool { return c.Windows[i].Event >= event })
	if i < len(c.Windows) && c.Windows[i].Event == event {
		return &c.Windows[i]
	}
	return nil
}

func (c *Customer) ensureWindow(event string) *Window {
	if w := c.window(event); w != nil {
		return w
	}
	i := sort.Search(len(c.Windows), func(i int) bool { return c.Windows[i].Event >= event })
	c.Windows = append(c.Windows, Window{})
	copy(c.Windows[i+1:], c.Windows[i:])
	c.Windows[i] = Window{Event: event}
	return &c.Windows[i]
}

// add counts an event at an instant (event time, ms) and forgets what is at or before
// floor.
func (w *Window) add(at int64, sums []Sum, floor int64) {
	gone := sort.Search(len(w.Items), func(i int) bool { return w.Items[i].Time+max(w.Width-1, 0) > floor })
	w.Items = append(w.Items[:0], w.Items[gone:]...)
	if len(w.Items) == 0 {
		w.Width = 0
	}
	if at <= floor {
		return
	}
	w.put(Occurrence{Time: w.slot(at), Count: 1, Sums: sums})
	for len(w.Items) > maxOccurrences {
		w.widen()
	}
}

func (w *Window) slot(at int64) int64 {
	if w.Width == 0 {
		return at
	}
	rest := at % w.Width
	if rest < 0 {
		rest += w.Width
	}
	return at - rest
}

// put adds an occurrence to those of its slot, or makes the slot.
func (w *Window) put(o Occurrence) {
	i := sort.Search(len(w.Items), func(i int) bool { return w.Items[i].Time >= o.Time })
	if i < len(w.Items) && w.Items[i].Time == o.Time {
		w.Items[i].Count += o.Count
		w.Items[i].Sums = addSums(w.Items[i].Sums, o.Sums)
		return
	}
	w.Items = append(w.Items, Occurrence{})
	copy(w.Items[i+1:], w.Items[i:])
	w.Items[i] = o
}

func addSums(to, more []Sum) []Sum {
	c := Counter{Sums: to}
	for _, s := range more {
		c.add(s.Property, s.Total)
	}
	return c.Sums
}

// widen counts in longer slots: a minute at first, then twice as long.
func (w *Window) widen() {
	w.Width = max(firstWidth, 2*w.Width)
	items := w.Items
	w.Items = nil
	for _, o := range items {
		o.Time = w.slot(o.Time)
		if n := len(w.Items); n > 0 && w.Items[n-1].Time == o.Time {
			w.Items[n-1].Count += o.Count
			w.Items[n-1].Sums = addSums(w.Items[n-1].Sums, o.Sums)
			continue
		}
		w.Items = append(w.Items, o)
	}
}

// within are the occurrences after now - window, oldest first; it is safe on nil.
func (w *Window) within(now, window int64) []Occurrence {
	if w == nil {
		return nil
	}
	from := sort.Search(len(w.Items), func(i int) bool { return w.Items[i].Time > now-window })
	return w.Items[from:]
}

// readWindow answers customer.count, sum, first and last with a window: what happened,
// by event time, after now minus the window.
func readWindow(function string, view *customerView, event string, args []ref.Val) ref.Val {
	length, ok := args[len(args)-1].(types.String)
	if !ok {
		return types.NewErr("customer.%s: the window is no text", function)
	}
	window, err := ParseDuration(string(length))
	if err != nil {
		return types.NewErr("customer.%s: %v", function, err)
	}
	items := view.c.window(event).within(view.scope.now, window)
	switch function {
	case "count":
		n := uint64(0)
		for i := range items {
			n += items[i].Count
		}
		return types.Int(n)
	case "sum":
		property, ok := args[2].(types.String)
		if !ok {
			return types.NewErr("customer.sum: the property is no text")
		}
		total := Money(0)
		for i := range items {
			c := Counter{Sums: items[i].Sums}
			total = total.Plus(c.sum(string(property)))
		}
		return types.Double(total.Float())
	}
	if len(items) == 0 {
		return types.NewErr("no such key: customer.%s(%q, %q)", function, event, length)
	}
	if function == "first" {
		return celTime(items[0].Time)
	}
	return celTime(items[len(items)-1].Time)
}

// windowSpec is one counter with a window that a set keeps.
type windowSpec struct {
	longest int64    // ms
	sums    []string // properties, sorted
}

func (s *Set) askWindow(ask counterAsk) {
	spec := s.windows[ask.event]
	if spec == nil {
		spec = new(windowSpec)
		s.windows[ask.event] = spec
	}
	spec.longest = max(spec.longest, ask.window)
	if i := sort.SearchStrings(spec.sums, ask.sum); ask.sum != "" && (i == len(spec.sums) || spec.sums[i] != ask.sum) {
		spec.sums = append(spec.sums, ask.sum)
		sort.Strings(spec.sums)
	}
}

// countWindows updates the counter with a window of the event's name, if the set keeps
// one.
func (m *Machine) countWindows(e *Event) {
	spec := m.set.windows[e.Name]
	if spec == nil {
		return
	}
	m.c.ensureWindow(e.Name).add(e.Time, m.sumsOf(e.Name, spec.sums), m.now-spec.longest)
}

func appendWindows(c *Customer, b []byte) []byte {
	b = wire.AppendUint(b, uint64(len(c.Windows)))
	for i := range c.Windows {
		w := &c.Windows[i]
		b = wire.AppendString(b, w.Event)
		b = wire.AppendUint(b, uint64(w.Width))
		b = wire.AppendUint(b, uint64(len(w.Items)))
		last := int64(0)
		for _, o := range w.Items {
			b = wire.AppendInt(b, o.Time-last)
			last = o.Time
			b = wire.AppendUint(b, o.Count)
			b = wire.AppendUint(b, uint64(len(o.Sums)))
			for _, s := range o.Sums {
				b = wire.AppendString(b, s.Property)
				b = wire.AppendInt(b, int64(s.Total))
			}
		}
	}
	return b
}

func decodeWindows(c *Customer, d *wire.Decoder, names Names) {
	for range d.Count(3) {
		w := Window{Event: names.of(d.Bytes()), Width: int64(d.Uint())}
		last := int64(0)
		for range d.Count(3) {
			o := Occurrence{Time: last + d.Int(), Count: d.Uint()}
			last = o.Time
			for range d.Count(2) {
				o.Sums = append(o.Sums, Sum{Property: names.of(d.Bytes()), Total: Money(d.Int())})
			}
			w.Items = append(w.Items, o)
		}
		c.Windows = append(c.Windows, w)
	}
}

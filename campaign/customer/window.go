package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/wire"
)

// When the occurrences of a counter with a window begin to share slots of time, and how long those are.
const (
	// maxOccurrences is the greatest number of occurrences of one counter that a customer keeps each
	// with its own instant. Beyond it they are counted together in slots, and answers become
	// approximate.
	maxOccurrences = 4096
	// firstWidth is the length of the first slots in ms: a minute.
	firstWidth = 60 * 1000
)

// Window is the state of a counter with a window: the occurrences that the longest window which a
// campaign asks for can still contain, by event time.
//
// Invariant: Items are sorted by Time and at most maxOccurrences; where Width is not 0, every Time is a
// multiple of it.
type Window struct {
	// Event is the id of the counter, as for Counter.ID.
	Event string
	// Width is the length in ms of the slots in which occurrences are counted together; 0 means that
	// each has its own instant and every answer is exact.
	Width int64
	Items []Occurrence
}

// Occurrence is one counted event, or all those of one slot.
type Occurrence struct {
	Time  int64 // event time, or the beginning of the slot, ms
	Count uint64
	Sums  []Sum // sorted by Property
}

// Approximate reports whether the counter had more occurrences than are kept one by one, so that an
// answer may include some that are up to one slot too old.
func (w *Window) Approximate() bool { return w.Width > 0 }

// Window returns the window of a counter; nil where nothing was counted.
func (c *Customer) Window(event string) *Window {
	i := sort.Search(len(c.Windows), func(i int) bool { return c.Windows[i].Event >= event })
	if i < len(c.Windows) && c.Windows[i].Event == event {
		return &c.Windows[i]
	}
	return nil
}

// EnsureWindow returns the window of a counter and adds an empty one where there is none. The pointer
// is valid until the next one is added.
func (c *Customer) EnsureWindow(event string) *Window {
	if w := c.Window(event); w != nil {
		return w
	}
	i := sort.Search(len(c.Windows), func(i int) bool { return c.Windows[i].Event >= event })
	c.Windows = append(c.Windows, Window{})
	copy(c.Windows[i+1:], c.Windows[i:])
	c.Windows[i] = Window{Event: event}
	return &c.Windows[i]
}

// Add counts an event at an instant (event time, ms), with the sums of its properties. It forgets the
// occurrences at or before floor, which no window can contain any more; an event at or before floor is
// not counted.
func (w *Window) Add(at int64, sums []Sum, floor int64) {
	// A slot is gone only when its last instant is.
	gone := sort.Search(len(w.Items), func(i int) bool { return w.Items[i].Time+max(w.Width-1, 0) > floor })
	w.Items = append(w.Items[:0], w.Items[gone:]...)
	// An empty window becomes exact again.
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

// slot returns the beginning of the slot that an instant is in; without slots, the instant itself. It
// rounds down, also for instants before 1970.
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

// put adds an occurrence to those of the same slot, or inserts it.
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

// addSums returns the sums of both, sorted by property. It may change to.
func addSums(to, more []Sum) []Sum {
	c := Counter{Sums: to}
	for _, s := range more {
		c.Add(s.Property, s.Total)
	}
	return c.Sums
}

// widen makes the slots longer, a minute at first and then twice as long each time, and counts the
// occurrences together that fall into one slot. Items are sorted, so those of one slot are neighbours.
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

// Within returns the occurrences after now - window (ms), oldest first. w may be nil. The result
// aliases the window.
func (w *Window) Within(now, window int64) []Occurrence {
	if w == nil {
		return nil
	}
	from := sort.Search(len(w.Items), func(i int) bool { return w.Items[i].Time > now-window })
	return w.Items[from:]
}

// AppendWindows appends the stored form of c.Windows to b. Times are differences, which makes them
// short.
func AppendWindows(c *Customer, b []byte) []byte {
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

// DecodeWindows reads the stored form that AppendWindows wrote from the front of d; errors stay in d.
func DecodeWindows(c *Customer, d *wire.Decoder, names event.Names) {
	for range d.Count(3) {
		w := Window{Event: names.Of(d.Bytes()), Width: int64(d.Uint())}
		last := int64(0)
		for range d.Count(3) {
			o := Occurrence{Time: last + d.Int(), Count: d.Uint()}
			last = o.Time
			for range d.Count(2) {
				o.Sums = append(o.Sums, Sum{Property: names.Of(d.Bytes()), Total: unit.Money(d.Int())})
			}
			w.Items = append(w.Items, o)
		}
		c.Windows = append(c.Windows, w)
	}
}

// Merge adds occurrences that were counted elsewhere in slots of a width (0: without slots), and leaves
// out those at or before floor. The window takes the coarser of both widths.
func (w *Window) Merge(width int64, items []Occurrence, floor int64) {
	for w.Width < width {
		w.widen()
	}
	for _, o := range items {
		if o.Time+max(width-1, 0) <= floor {
			continue
		}
		w.put(Occurrence{Time: w.slot(o.Time), Count: o.Count, Sums: o.Sums})
		for len(w.Items) > maxOccurrences {
			w.widen()
		}
	}
}

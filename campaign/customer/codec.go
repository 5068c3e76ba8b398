package customer

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Format is the newest version of the stored form of a customer, which is its first byte. Format 1 is
// format 2 without sections, and is still written for customers who need none.
const Format = 2

// A stored customer. All lists are counted and in the order of their
// sort keys, so that equal customers have equal bytes: the state hash rests on it.
//
//	+---------+---------+----------------------------------------------------+
//	| format  | next due| workspace, id, created at, created seq, traits      |
//	| 1 byte  | 8 bytes | strings and varints                                 |
//	+---------+---------+----------------------------------------------------+
//	| counters: id, count, first, last, sums (property, micros)                |
//	| number of recorded events; rings: name, events (number, event)           |
//	| entries: campaign, key, keyed, number, last in, last out                 |
//	| watches: campaign, due, trigger                                          |
//	| chains: see appendChain                                                  |
//	| pending: delivery, retry at                                              |
//	| format 2: sections of the customer; those of a chain end the chain       |
//	+--------------------------------------------------------------------------+
//
// The next due instant stands in front so that a start can rebuild the timer
// wheel without reading the rest.

// AppendTo appends the stored form of c to b. Equal customers give equal bytes.
func (c *Customer) AppendTo(b []byte) []byte {
	extended := c.extended()
	format := byte(1)
	if extended {
		format = Format
	}
	b = append(b, format)
	b = wire.AppendFixed(b, uint64(c.NextDue()))
	b = wire.AppendString(b, c.Workspace)
	b = wire.AppendString(b, c.ID)
	b = wire.AppendInt(b, c.CreatedAt)
	b = wire.AppendUint(b, c.CreatedPlace)
	b = wire.AppendBytes(b, c.Traits)
	b = wire.AppendUint(b, uint64(len(c.Counters)))
	for i := range c.Counters {
		b = c.Counters[i].AppendTo(b)
	}
	b = wire.AppendUint(b, c.Recorded)
	b = wire.AppendUint(b, uint64(len(c.Rings)))
	for i := range c.Rings {
		b = wire.AppendString(b, c.Rings[i].Name)
		b = wire.AppendUint(b, uint64(len(c.Rings[i].Events)))
		for _, e := range c.Rings[i].Events {
			b = wire.AppendUint(b, e.N)
			b = wire.AppendBytes(b, e.Event)
		}
	}
	b = wire.AppendUint(b, uint64(len(c.Entries)))
	for i := range c.Entries {
		b = c.Entries[i].appendTo(b)
	}
	b = wire.AppendUint(b, uint64(len(c.Watches)))
	for i := range c.Watches {
		b = wire.AppendString(b, c.Watches[i].Campaign)
		b = wire.AppendInt(b, c.Watches[i].Due)
		b = wire.AppendBytes(b, c.Watches[i].Trigger)
	}
	b = wire.AppendUint(b, uint64(len(c.Chains)))
	for _, ch := range c.Chains {
		b = ch.appendTo(b)
		if extended {
			b = appendSections(b, chainSections, ch)
		}
	}
	b = wire.AppendUint(b, uint64(len(c.Pending)))
	for i := range c.Pending {
		b = c.Pending[i].Delivery.AppendTo(b)
		b = wire.AppendInt(b, c.Pending[i].RetryAt)
	}
	if extended {
		b = appendSections(b, customerSections, c)
	}
	return b
}

// AppendTo appends the stored form of the counter to b; DecodeCounter reads it.
func (c *Counter) AppendTo(b []byte) []byte {
	b = wire.AppendString(b, c.ID)
	b = wire.AppendUint(b, c.Count)
	b = wire.AppendInt(b, c.First)
	b = wire.AppendInt(b, c.Last)
	b = wire.AppendUint(b, uint64(len(c.Sums)))
	for _, s := range c.Sums {
		b = wire.AppendString(b, s.Property)
		b = wire.AppendInt(b, int64(s.Total))
	}
	return b
}

// appendTo appends the stored form of the entry.
func (e *Entry) appendTo(b []byte) []byte {
	b = wire.AppendString(b, e.Campaign)
	b = wire.AppendString(b, e.Key)
	b = wire.AppendBool(b, e.Keyed)
	b = wire.AppendUint(b, uint64(e.Number))
	b = wire.AppendInt(b, e.LastIn)
	return wire.AppendInt(b, e.LastOut)
}

// appendTo appends the fixed part of a chain. What only some chains have follows in sections.
func (ch *Chain) appendTo(b []byte) []byte {
	b = wire.AppendString(b, ch.Campaign)
	b = wire.AppendUint(b, uint64(ch.Version))
	b = wire.AppendUint(b, uint64(ch.Entry))
	b = wire.AppendString(b, ch.Key)
	b = wire.AppendInt(b, ch.EnteredAt)
	b = wire.AppendString(b, ch.Step)
	b = wire.AppendInt(b, ch.Opened)
	b = wire.AppendInt(b, ch.Due)
	b = wire.AppendInt(b, ch.Wake)
	b = wire.AppendUint(b, uint64(ch.Restarts))
	b = wire.AppendBytes(b, ch.Trigger)
	b = wire.AppendInt(b, ch.LastSend)
	b = wire.AppendString(b, ch.LastStep)
	b = wire.AppendString(b, string(ch.Outcome))
	b = wire.AppendInt(b, ch.EndedAt)
	b = wire.AppendString(b, ch.EndedBy)
	b = wire.AppendUint(b, uint64(len(ch.Goals)))
	for _, g := range ch.Goals {
		b = wire.AppendString(b, g.ID)
		b = wire.AppendInt(b, int64(g.Value))
		b = wire.AppendBool(b, g.HasValue)
	}
	return b
}

// DecodeNextDue reads only the next due instant (ms) of a stored customer; 0 means that nothing is due.
// A start calls it for every customer, to set the timers without decoding them. It fails with
// wire.ErrCorrupt where p does not begin with a known format.
func DecodeNextDue(p []byte) (int64, error) {
	if len(p) < 9 || p[0] == 0 || p[0] > Format {
		return 0, fmt.Errorf("campaign: customer: %w: no header of format 1 to %d", wire.ErrCorrupt, Format)
	}
	return int64(wire.NewDecoder(p[1:]).Fixed()), nil
}

// Decode reads the stored form that AppendTo wrote. It copies p once and keeps nothing of it. Strings
// that repeat are taken from names, which may be nil. It fails with wire.ErrCorrupt where p is damaged
// or has a section that this program does not know.
func Decode(p []byte, names event.Names) (*Customer, error) {
	return Adopt(append([]byte(nil), p...), names)
}

// Adopt is Decode without the copy: byte fields of the customer alias p, which the caller gives away.
func Adopt(p []byte, names event.Names) (*Customer, error) {
	if _, err := DecodeNextDue(p); err != nil {
		return nil, err
	}
	d := wire.NewDecoder(p[9:])
	extended := p[0] == Format
	c := &Customer{
		Workspace: names.Of(d.Bytes()), ID: d.String(), CreatedAt: d.Int(), CreatedPlace: d.Uint(),
		Traits: d.Bytes(),
	}
	// Count(n) takes the length of a list whose items have at least n bytes each. A damaged length is
	// thereby refused before memory is allocated for it.
	for range d.Count(5) {
		c.Counters = append(c.Counters, DecodeCounter(d, names))
	}
	c.Recorded = d.Uint()
	for range d.Count(2) {
		r := Ring{Name: names.Of(d.Bytes())}
		for range d.Count(2) {
			r.Events = append(r.Events, RecentEvent{N: d.Uint(), Event: d.Bytes()})
		}
		c.Rings = append(c.Rings, r)
	}
	for range d.Count(6) {
		c.Entries = append(c.Entries, Entry{
			Campaign: names.Of(d.Bytes()), Key: d.String(), Keyed: d.Bool(),
			Number: uint32(d.Uint()), LastIn: d.Int(), LastOut: d.Int(),
		})
	}
	for range d.Count(3) {
		c.Watches = append(c.Watches, InactivityTimer{Campaign: names.Of(d.Bytes()), Due: d.Int(), Trigger: d.Bytes()})
	}
	for range d.Count(17) {
		ch := decodeChain(d, names)
		c.Chains = append(c.Chains, ch)
		if !extended {
			continue
		}
		if err := decodeSections(d, chainSections, ch, names); err != nil {
			return nil, fmt.Errorf("campaign: customer: chain: %w", err)
		}
	}
	for range d.Count(34) {
		p := Pending{Delivery: output.DecodeSharedDelivery(d, names)}
		p.RetryAt = d.Int()
		c.Pending = append(c.Pending, p)
	}
	if extended {
		if err := decodeSections(d, customerSections, c, names); err != nil {
			return nil, fmt.Errorf("campaign: customer: %w", err)
		}
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("campaign: customer: %w", err)
	}
	return c, nil
}

// DecodeCounter reads the stored form that Counter.AppendTo wrote from the front of d; errors stay in
// d.
func DecodeCounter(d *wire.Decoder, names event.Names) Counter {
	c := Counter{ID: names.Of(d.Bytes()), Count: d.Uint(), First: d.Int(), Last: d.Int()}
	for range d.Count(2) {
		c.Sums = append(c.Sums, Sum{Property: names.Of(d.Bytes()), Total: unit.Money(d.Int())})
	}
	return c
}

// decodeChain reads the fields that every stored chain has. What only some chains have comes after
// them, as sections (chainSections). Errors stay in d.
func decodeChain(d *wire.Decoder, names event.Names) *Chain {
	ch := &Chain{
		Campaign:  names.Of(d.Bytes()),
		Version:   uint32(d.Uint()),
		Entry:     uint32(d.Uint()),
		Key:       d.String(),
		EnteredAt: d.Int(),
		Step:      names.Of(d.Bytes()),
		Opened:    d.Int(),
		Due:       d.Int(),
		Wake:      d.Int(),
		Restarts:  uint32(d.Uint()),
		Trigger:   d.Bytes(),
		LastSend:  d.Int(),
		LastStep:  names.Of(d.Bytes()),
		Outcome:   output.Outcome(names.Of(d.Bytes())),
		EndedAt:   d.Int(),
		EndedBy:   names.Of(d.Bytes()),
	}
	for range d.Count(3) {
		ch.Goals = append(ch.Goals, GoalHit{ID: names.Of(d.Bytes()), Value: unit.Money(d.Int()), HasValue: d.Bool()})
	}
	return ch
}

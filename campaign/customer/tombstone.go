package customer

import (
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/wire"
)

// AnonymousPrefix begins the id of a customer who is known only by an anonymous id.
const AnonymousPrefix = "anon:"

// Anonymous reports whether id is that of an anonymous customer.
func Anonymous(id string) bool { return strings.HasPrefix(id, AnonymousPrefix) }

// Limits of what a known customer keeps of the anonymous customers who merged into them.
const (
	// maxSources is the greatest number of such anonymous customers. Each costs its id and a number for
	// good, because repeated transfers must be recognised.
	maxSources = 1000
	// maxIncoming is the greatest size in bytes of one anonymous customer's state while its parts
	// arrive.
	maxIncoming = 16 << 20
)

// Tombstone is what remains of an anonymous customer who merged: it forwards what still arrives for
// them.
//
// Invariant: a customer with a tombstone has nothing else but ids, the time of the first record, and
// the last bulk scan (Toured).
type Tombstone struct {
	Into string // the known customer
	// Sent is the number of transfers made, and so the number of the last one.
	Sent uint64
}

// Source is an anonymous customer who merged into this one.
type Source struct {
	ID string
	// Last is the number of the last transfer that was applied. Transfers up to it are repetitions.
	Last uint64
	// Whole is true when the whole state arrived, or when there was none.
	Whole bool
	// parts has the beginning of a state whose last part has not arrived.
	parts []byte
}

// Origin is the customer under whom a chain was entered that came by a merge, and its entry number
// there. The chain's id is computed from them, so it does not change with the merge.
type Origin struct {
	Customer string
	Entry    uint32
}

// ID returns the stable id of the chain. c is the customer whose chain it is now.
func (ch *Chain) ID(c *Customer) output.ID {
	if ch.Origin != nil {
		return output.ChainID(c.Workspace, ch.Campaign, ch.Origin.Customer, ch.Key, ch.Origin.Entry)
	}
	return output.ChainID(c.Workspace, ch.Campaign, c.ID, ch.Key, ch.Entry)
}

// Source returns what is known of an anonymous customer who merged into this one; nil before the first
// transfer.
func (c *Customer) Source(id string) *Source {
	i := sort.Search(len(c.Sources), func(i int) bool { return c.Sources[i].ID >= id })
	if i < len(c.Sources) && c.Sources[i].ID == id {
		return &c.Sources[i]
	}
	return nil
}

// AddSource is Source, except that it adds one where there is none. It returns nil where c has as many
// as allowed. The pointer is valid until the next one is added.
func (c *Customer) AddSource(id string) *Source {
	if s := c.Source(id); s != nil {
		return s
	}
	if len(c.Sources) >= maxSources {
		return nil
	}
	i := sort.Search(len(c.Sources), func(i int) bool { return c.Sources[i].ID >= id })
	c.Sources = append(c.Sources, Source{})
	copy(c.Sources[i+1:], c.Sources[i:])
	c.Sources[i] = Source{ID: id}
	return &c.Sources[i]
}

// Take adds a part of the anonymous customer's state. With the last part it returns the whole state,
// nil where there was none, and forgets the parts. ok is false where the state is over its limit; the
// parts so far are then dropped.
func (s *Source) Take(part []byte, last bool) (whole []byte, ok bool) {
	if len(s.parts)+len(part) > maxIncoming {
		s.parts = nil
		return nil, false
	}
	s.parts = append(s.parts, part...)
	if !last {
		return nil, true
	}
	whole, s.parts, s.Whole = s.parts, nil, true
	return whole, true
}

// MarkSeen reports whether the record being applied is the first that says something about the
// customer, and notes that there was one. created reports whether the record created the customer.
func (c *Customer) MarkSeen(created bool) (first bool) {
	first, c.Unseen = created || c.Unseen, false
	return first
}

// tombstoneSection stores Customer.Merged, what remains of an anonymous customer who merged.
//
//nudge:constant read only
var tombstoneSection = section[*Customer]{
	tag: 50,
	has: func(c *Customer) bool { return c.Merged != nil },
	append: func(c *Customer, b []byte) []byte {
		return wire.AppendUint(wire.AppendString(b, c.Merged.Into), c.Merged.Sent)
	},
	decode: func(c *Customer, d *wire.Decoder, _ event.Names) {
		c.Merged = &Tombstone{Into: d.String(), Sent: d.Uint()}
	},
}

// sourceSection stores Customer.Sources, the anonymous customers who merged into this one, with the
// parts of their states that arrived.
//
//nudge:constant read only
var sourceSection = section[*Customer]{
	tag: 51,
	has: func(c *Customer) bool { return len(c.Sources) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.Sources)))
		for i := range c.Sources {
			s := &c.Sources[i]
			b = wire.AppendBool(wire.AppendUint(wire.AppendString(b, s.ID), s.Last), s.Whole)
			b = wire.AppendBytes(b, s.parts)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, _ event.Names) {
		for range d.Count(4) {
			c.Sources = append(c.Sources, Source{ID: d.String(), Last: d.Uint(), Whole: d.Bool(), parts: d.Bytes()})
		}
	},
}

// uncountedSection stores Customer.Uncounted, the counters that miss a part of the history.
//
//nudge:constant read only
var uncountedSection = section[*Customer]{
	tag: 52,
	has: func(c *Customer) bool { return len(c.Uncounted) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.Uncounted)))
		for _, id := range c.Uncounted {
			b = wire.AppendString(b, id)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names event.Names) {
		for range d.Count(1) {
			c.Uncounted = append(c.Uncounted, names.Of(d.Bytes()))
		}
	},
}

// originSection stores Chain.Origin, the customer under whom a chain was entered that came by a
// merge.
//
//nudge:constant read only
var originSection = section[*Chain]{
	tag: 50,
	has: func(ch *Chain) bool { return ch.Origin != nil },
	append: func(ch *Chain, b []byte) []byte {
		return wire.AppendUint(wire.AppendString(b, ch.Origin.Customer), uint64(ch.Origin.Entry))
	},
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) {
		ch.Origin = &Origin{Customer: d.String(), Entry: uint32(d.Uint())}
	},
}

// unmetSection marks customers of whom nothing is known but a merge (Customer.Unseen).
//
//nudge:constant read only
var unmetSection = section[*Customer]{
	tag:    53,
	has:    func(c *Customer) bool { return c.Unseen },
	append: func(_ *Customer, b []byte) []byte { return b },
	decode: func(c *Customer, _ *wire.Decoder, _ event.Names) { c.Unseen = true },
}

// Forward appends the next transfer of a customer who merged to out. body must not be changed
// afterwards.
//
// c must have a tombstone.
func (c *Customer) Forward(kind event.TransferKind, body []byte, out *output.Output) {
	c.Merged.Sent++
	out.Transfers = append(out.Transfers, event.Transfer{
		Workspace: c.Workspace, Customer: c.Merged.Into, Source: c.ID, N: c.Merged.Sent, Kind: kind, Body: body,
	})
}

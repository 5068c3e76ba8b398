package customer

import (
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/wire"
)

// AnonymousPrefix begins the ids of customers who are known by an anonymous id only.
const AnonymousPrefix = "anon:"

// Anonymous says whether an id is that of an anonymous customer.
func Anonymous(id string) bool { return strings.HasPrefix(id, AnonymousPrefix) }

// Limits of what a known customer keeps of those that merged into them.
const (
	maxSources  = 1000     // anonymous customers
	maxIncoming = 16 << 20 // bytes of one state on its way
)

// Tombstone is what is left of an anonymous customer who merged.
//
// Invariant: a customer with a tombstone has nothing else but ids, the time of the first
// record and the bulk scan that reached them.
type Tombstone struct {
	Into string // the known customer
	Sent uint64 // transfers made
}

// Source is one anonymous customer who merged into this one.
type Source struct {
	ID    string
	Last  uint64 // number of the last transfer
	Whole bool   // the state came, or there was none
	parts []byte // of a state on its way
}

// Origin is under whom a chain was entered that came by a merge: its id rests on it.
type Origin struct {
	Customer string
	Entry    uint32
}

// ID is the chain's stable id.
func (ch *Chain) ID(c *Customer) output.ID {
	if ch.Origin != nil {
		return output.ChainID(c.Workspace, ch.Campaign, ch.Origin.Customer, ch.Key, ch.Origin.Entry)
	}
	return output.ChainID(c.Workspace, ch.Campaign, c.ID, ch.Key, ch.Entry)
}

// Source is what is known of an anonymous customer who merged into this one, nil before
// the first transfer.
func (c *Customer) Source(id string) *Source {
	i := sort.Search(len(c.Sources), func(i int) bool { return c.Sources[i].ID >= id })
	if i < len(c.Sources) && c.Sources[i].ID == id {
		return &c.Sources[i]
	}
	return nil
}

// AddSource is Source, made when it is missing; nil when there is no room.
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

// Take adds a part of the state; it says false when that is over its limit. The whole is
// given, and forgotten, with the last part; it is nil where there was no state.
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

// MarkSeen says whether this is the first record of the customer that says anything, and takes
// note of it.
func (c *Customer) MarkSeen(created bool) (first bool) {
	first, c.Unseen = created || c.Unseen, false
	return first
}

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

//nudge:constant read only
var unmetSection = section[*Customer]{
	tag:    53,
	has:    func(c *Customer) bool { return c.Unseen },
	append: func(_ *Customer, b []byte) []byte { return b },
	decode: func(c *Customer, _ *wire.Decoder, _ event.Names) { c.Unseen = true },
}

// Forward makes the next transfer of a customer who merged.
//
// REQUIRES: c has a tombstone.
func (c *Customer) Forward(kind event.TransferKind, body []byte, out *output.Output) {
	c.Merged.Sent++
	out.Transfers = append(out.Transfers, event.Transfer{
		Workspace: c.Workspace, Customer: c.Merged.Into, Source: c.ID, N: c.Merged.Sent, Kind: kind, Body: body,
	})
}

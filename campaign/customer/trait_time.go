package customer

import (
	"hash/fnv"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/wire"
)

// For how long, and of how many traits, a customer remembers when they were set. That is there to
// recognise an identify call that arrives after a newer one; a day covers the delays of clients that
// send again.
const (
	// traitMemory is how long a stamp is kept, in ms of log time.
	traitMemory = unit.DayMillis
	// maxTraitStamps is the greatest number of stamps of a customer. Beyond it no new traits are
	// stamped: for those the last call that arrives holds.
	maxTraitStamps = 2000
)

// TraitStamp is the time at which a trait was set or removed.
type TraitStamp struct {
	// Trait is TraitID of the name: four bytes instead of the twelve of most names. Two names with the
	// same hash share a stamp, which at worst ignores an old value of one of them.
	Trait uint32
	At    int64 // event time, ms
	Seen  int64 // log time, ms: it is forgotten traitMemory after
}

// TraitID returns the hash (FNV-1a, 32 bits) under which the time of a trait is kept.
func TraitID(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // cannot fail
	return h.Sum32()
}

// Stamp returns when a trait was last set; nil where that was more than traitMemory of log time ago, or
// never. now is the log time in ms.
func (c *Customer) Stamp(trait uint32, now int64) *TraitStamp {
	i := sort.Search(len(c.Stamps), func(i int) bool { return c.Stamps[i].Trait >= trait })
	if i < len(c.Stamps) && c.Stamps[i].Trait == trait && now-c.Stamps[i].Seen < traitMemory {
		return &c.Stamps[i]
	}
	return nil
}

// DropStamps forgets the stamps that are older than traitMemory at now (log time, ms).
func (c *Customer) DropStamps(now int64) {
	kept := c.Stamps[:0]
	for _, s := range c.Stamps {
		if now-s.Seen < traitMemory {
			kept = append(kept, s)
		}
	}
	if c.Stamps = kept; len(kept) == 0 {
		c.Stamps = nil
	}
}

// SetStamp notes when a trait was set. A new trait beyond maxTraitStamps is not noted.
func (c *Customer) SetStamp(s TraitStamp) {
	i := sort.Search(len(c.Stamps), func(i int) bool { return c.Stamps[i].Trait >= s.Trait })
	switch {
	case i < len(c.Stamps) && c.Stamps[i].Trait == s.Trait:
		c.Stamps[i] = s
	case len(c.Stamps) < maxTraitStamps:
		c.Stamps = slices.Insert(c.Stamps, i, s)
	}
}

// stampSection stores when traits were set. The traits of one call have their times in common, so the
// times are written once for all of them: log time, how much earlier the event was, the traits.
//
//nudge:constant read only
var stampSection = section[*Customer]{
	tag: 62,
	has: func(c *Customer) bool { return len(c.Stamps) > 0 },
	append: func(c *Customer, b []byte) []byte {
		all := append([]TraitStamp(nil), c.Stamps...)
		sort.SliceStable(all, func(i, j int) bool {
			a, b := all[i], all[j]
			return a.Seen < b.Seen || a.Seen == b.Seen && a.At < b.At
		})
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].Seen == all[0].Seen && all[n].At == all[0].At {
				n++
			}
			b = wire.AppendInt(wire.AppendInt(b, all[0].Seen), all[0].Seen-all[0].At)
			b = wire.AppendUint(b, uint64(n))
			for _, s := range all[:n] {
				b = append(b, byte(s.Trait>>24), byte(s.Trait>>16), byte(s.Trait>>8), byte(s.Trait))
			}
			all = all[n:]
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, _ event.Names) {
		for d.Err() == nil && d.Len() > 0 {
			seen := d.Int()
			at := seen - d.Int()
			for range d.Count(4) {
				trait := uint32(d.Byte())<<24 | uint32(d.Byte())<<16 | uint32(d.Byte())<<8 | uint32(d.Byte())
				c.Stamps = append(c.Stamps, TraitStamp{Trait: trait, At: at, Seen: seen})
			}
		}
		sort.Slice(c.Stamps, func(i, j int) bool { return c.Stamps[i].Trait < c.Stamps[j].Trait })
	},
}

package customer

import (
	"hash/fnv"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Limits of what is remembered of when traits were set.
const (
	traitMemory    = unit.DayMillis // log time
	maxTraitStamps = 2000
)

// TraitStamp says when a trait was set, or removed.
type TraitStamp struct {
	Trait uint32 // FNV-1a of the name: four bytes for most names' twelve
	At    int64  // event time, ms
	Seen  int64  // log time, ms: it is forgotten traitMemory after
}

// TraitID returns the hash by which the time of a trait is kept.
func TraitID(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // cannot fail
	return h.Sum32()
}

// Stamp is when a trait was set within the last day of log time; nil when it was not.
func (c *Customer) Stamp(trait uint32, now int64) *TraitStamp {
	i := sort.Search(len(c.Stamps), func(i int) bool { return c.Stamps[i].Trait >= trait })
	if i < len(c.Stamps) && c.Stamps[i].Trait == trait && now-c.Stamps[i].Seen < traitMemory {
		return &c.Stamps[i]
	}
	return nil
}

// DropStamps forgets what was set longer ago than is remembered.
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

// SetStamp notes when a trait was set, while there is room.
func (c *Customer) SetStamp(s TraitStamp) {
	i := sort.Search(len(c.Stamps), func(i int) bool { return c.Stamps[i].Trait >= s.Trait })
	switch {
	case i < len(c.Stamps) && c.Stamps[i].Trait == s.Trait:
		c.Stamps[i] = s
	case len(c.Stamps) < maxTraitStamps:
		c.Stamps = slices.Insert(c.Stamps, i, s)
	}
}

// stampSection keeps when traits were set. Those that one call set have their times in
// common, so they are written once: log time, how much before it the event was, the traits.
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

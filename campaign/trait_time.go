package campaign

import (
	"hash/fnv"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Limits of what is remembered of when traits were set.
const (
	traitMemory    = dayMillis // log time
	maxTraitStamps = 2000
)

// traitStamp says when a trait was set, or removed.
type traitStamp struct {
	trait uint32 // FNV-1a of the name: four bytes for most names' twelve
	at    int64  // event time, ms
	seen  int64  // log time, ms: it is forgotten traitMemory after
}

func traitID(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // cannot fail
	return h.Sum32()
}

// stamp is when a trait was set within the last day of log time; nil when it was not.
func (c *Customer) stamp(trait uint32, now int64) *traitStamp {
	i := sort.Search(len(c.stamps), func(i int) bool { return c.stamps[i].trait >= trait })
	if i < len(c.stamps) && c.stamps[i].trait == trait && now-c.stamps[i].seen < traitMemory {
		return &c.stamps[i]
	}
	return nil
}

// dropStamps forgets what was set longer ago than is remembered.
func (c *Customer) dropStamps(now int64) {
	kept := c.stamps[:0]
	for _, s := range c.stamps {
		if now-s.seen < traitMemory {
			kept = append(kept, s)
		}
	}
	if c.stamps = kept; len(kept) == 0 {
		c.stamps = nil
	}
}

// setStamp notes when a trait was set, while there is room.
func (c *Customer) setStamp(s traitStamp) {
	i := sort.Search(len(c.stamps), func(i int) bool { return c.stamps[i].trait >= s.trait })
	switch {
	case i < len(c.stamps) && c.stamps[i].trait == s.trait:
		c.stamps[i] = s
	case len(c.stamps) < maxTraitStamps:
		c.stamps = slices.Insert(c.stamps, i, s)
	}
}

// stampSection keeps when traits were set. Those that one call set have their times in
// common, so they are written once: log time, how much before it the event was, the traits.
//
//nudge:constant read only
var stampSection = section[*Customer]{
	tag: 62,
	has: func(c *Customer) bool { return len(c.stamps) > 0 },
	append: func(c *Customer, b []byte) []byte {
		all := append([]traitStamp(nil), c.stamps...)
		sort.SliceStable(all, func(i, j int) bool {
			a, b := all[i], all[j]
			return a.seen < b.seen || a.seen == b.seen && a.at < b.at
		})
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].seen == all[0].seen && all[n].at == all[0].at {
				n++
			}
			b = wire.AppendInt(wire.AppendInt(b, all[0].seen), all[0].seen-all[0].at)
			b = wire.AppendUint(b, uint64(n))
			for _, s := range all[:n] {
				b = append(b, byte(s.trait>>24), byte(s.trait>>16), byte(s.trait>>8), byte(s.trait))
			}
			all = all[n:]
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, _ Names) {
		for d.Err() == nil && d.Len() > 0 {
			seen := d.Int()
			at := seen - d.Int()
			for range d.Count(4) {
				trait := uint32(d.Byte())<<24 | uint32(d.Byte())<<16 | uint32(d.Byte())<<8 | uint32(d.Byte())
				c.stamps = append(c.stamps, traitStamp{trait: trait, at: at, seen: seen})
			}
		}
		sort.Slice(c.stamps, func(i, j int) bool { return c.stamps[i].trait < c.stamps[j].trait })
	},
}

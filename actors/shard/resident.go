package shard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/wheel"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
)

// Key names a customer within a shard: workspace, a zero byte, id.
func Key(workspace, id string) string { return workspace + "\x00" + id }

// splitKey is the workspace and id of a Key.
func splitKey(key string) (workspace, id string) {
	workspace, id, _ = strings.Cut(key, "\x00")
	return workspace, id
}

// resident is a customer as its shard holds it: awake, asleep, or passivated.
//
// Invariant: at most one of c and asleep is there. Neither is while the customer is
// passivated; then it is kept here only for its timer. Who is not awake is clean.
type resident struct {
	c *customer.Customer
	// passivated is the stored form, while the customer is in memory and nothing happens to
	// them: a third of the memory, and nothing for the garbage collector to walk.
	passivated string
	timer      wheel.Timer
	// stateHash is the customer's part of the state hash as of the last snapshot, 0
	// before its first.
	stateHash uint64
	bytes     int32 // estimate of its memory
	place     int32 // in memory's awake or asleep
	dirty     bool  // changed since the last snapshot
	used      bool  // since the hand last came by
}

func (h *resident) inMemory() bool { return h.c != nil || h.passivated != "" }

// guessBytes is what a customer is taken to weigh until it was first encoded;
// sizeFactor is how much more than its stored form it weighs while it is awake.
const (
	guessBytes = 600
	sizeFactor = 3
)

// customerCache is the customers of a shard: all that are in memory, and those
// passivated ones that have a timer. What is in memory and how shows in no result.
type customerCache struct {
	all   map[string]*resident
	names event.Names
	bytes int64
	// inStore says that a customer that is not in all may be in the store.
	inStore    bool
	awake      []*resident
	passivated []*resident
	// hand goes round awake: who was not used since it last came by falls asleep. An
	// exact order of use would cost a write to two neighbours at each event.
	hand  int
	round int // how many the hand has still to look at
}

func newCustomerCache(names event.Names) customerCache {
	return customerCache{all: map[string]*resident{}, names: names}
}

// loaded is how many are in memory.
func (m *customerCache) loaded() int { return len(m.awake) + len(m.passivated) }

// get returns a customer of the cache, decoded; nil where the cache has none.
func (m *customerCache) get(key string) *resident { return m.use(m.all[key]) }

// find is get for the parts of a key.
func (m *customerCache) find(workspace, id string) *resident {
	var room [128]byte
	return m.use(m.all[string(append(append(append(room[:0], workspace...), 0), id...))])
}

func (m *customerCache) use(h *resident) *resident {
	switch {
	case h == nil:
		return nil
	case h.passivated != "":
		m.wake(h)
	case h.c == nil:
		return nil
	}
	h.used = true
	return h
}

func (m *customerCache) wake(h *resident) {
	c, err := customer.Adopt([]byte(h.passivated), m.names)
	if err != nil {
		panic(fmt.Sprintf("BUG: customer %q fell asleep and cannot be read: %v", h.timer.Key, err))
	}
	m.resize(h, int32(len(h.passivated)*sizeFactor))
	m.passivated = m.without(m.passivated, h)
	h.c, h.passivated = c, ""
	m.awake = m.with(m.awake, h)
}

// put brings a customer into memory, awake.
func (m *customerCache) put(key string, c *customer.Customer, bytes int32) *resident {
	h := m.host(key)
	h.c, h.bytes, h.used = c, bytes, true
	m.bytes += int64(bytes)
	m.awake = m.with(m.awake, h)
	return h
}

// lay brings a customer into memory, asleep; stored is copied.
func (m *customerCache) lay(key string, stored []byte) *resident {
	h := m.host(key)
	h.passivated, h.bytes = string(stored), int32(len(stored))
	m.bytes += int64(h.bytes)
	m.passivated = m.with(m.passivated, h)
	return h
}

func (m *customerCache) host(key string) *resident {
	h := m.all[key]
	if h == nil {
		h = &resident{timer: wheel.NewTimer(key)}
		m.all[key] = h
	}
	return h
}

// passivate lets those fall asleep who were not used since the last round; it looks at n
// of them. scratch is memory to encode in.
func (m *customerCache) passivate(n int, scratch []byte) []byte {
	for ; n > 0 && m.round > 0 && len(m.awake) > 0; n-- {
		m.round--
		if m.hand >= len(m.awake) {
			m.hand = 0
		}
		h := m.awake[m.hand]
		if h.used || h.dirty {
			h.used = false
			m.hand++
			continue
		}
		scratch = h.c.AppendTo(scratch[:0])
		m.awake = m.without(m.awake, h) // another one takes its place
		h.c, h.passivated = nil, string(scratch)
		m.resize(h, int32(len(scratch)))
		m.passivated = m.with(m.passivated, h)
	}
	return scratch
}

// shrink passivates customers until at most limit bytes are in memory: those asleep,
// then those awake that are clean, first those that were not used for a while.
func (m *customerCache) shrink(limit int64) {
	for m.bytes > limit && len(m.passivated) > 0 {
		m.drop(m.passivated[len(m.passivated)-1])
	}
	// Each is looked at twice at most, and once more when it took the place of another.
	for looks := 3 * len(m.awake); looks > 0 && m.bytes > limit && len(m.awake) > 0; looks-- {
		if m.hand >= len(m.awake) {
			m.hand = 0
		}
		h := m.awake[m.hand]
		if h.used || h.dirty {
			h.used = false
			m.hand++
			continue
		}
		m.drop(h)
	}
}

// drop passivates a customer; its timer stays.
//
// REQUIRES: h is clean.
func (m *customerCache) drop(h *resident) {
	m.leave(h)
	m.inStore = true
	if !h.timer.Armed() {
		delete(m.all, h.timer.Key)
	}
}

// leave takes a customer's state out of memory.
func (m *customerCache) leave(h *resident) {
	if h.c != nil {
		m.awake = m.without(m.awake, h)
	} else {
		m.passivated = m.without(m.passivated, h)
	}
	h.c, h.passivated = nil, ""
	m.bytes -= int64(h.bytes)
}

func (m *customerCache) resize(h *resident, bytes int32) {
	m.bytes += int64(bytes - h.bytes)
	h.bytes = bytes
}

func (m *customerCache) with(list []*resident, h *resident) []*resident {
	h.place = int32(len(list))
	return append(list, h)
}

// without takes h out of its list; the last one takes its place.
func (m *customerCache) without(list []*resident, h *resident) []*resident {
	last := list[len(list)-1]
	list[h.place], last.place = last, h.place
	list[len(list)-1] = nil
	list = list[:len(list)-1]
	if len(list) < cap(list)/4 {
		list = slices.Clone(list) // gives back what a storm took
	}
	return list
}

// InMemory are the ids of a workspace's customers in memory, in no order.
func (s *Shard) InMemory(workspace string) []string {
	var ids []string
	for key, h := range s.customers.all { //nudge:unordered each is looked at alone
		if id, ok := strings.CutPrefix(key, workspace+"\x00"); ok && h.inMemory() {
			ids = append(ids, id)
		}
	}
	return ids
}

// Encoded is the stored form of a customer as they are now, nil when they are not in
// memory. It does not wake them.
func (s *Shard) Encoded(workspace, id string) []byte {
	h := s.customers.all[Key(workspace, id)]
	switch {
	case h == nil:
	case h.c != nil:
		return h.c.AppendTo(nil)
	case h.passivated != "":
		return []byte(h.passivated)
	}
	return nil
}

package shard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/wheel"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
)

// Key returns the key of a customer within a shard: workspace, a zero byte, id. Keys of
// one workspace are contiguous in byte order.
func Key(workspace, id string) string { return workspace + "\x00" + id }

// splitKey returns the workspace and id of a Key.
func splitKey(key string) (workspace, id string) {
	workspace, id, _ = strings.Cut(key, "\x00")
	return workspace, id
}

// resident is a customer as the cache of a shard holds them, in one of three forms:
// decoded (c is set), as bytes (passivated is set), or only in the store (neither is set;
// the entry is kept for the timer).
//
// Invariant: at most one of c and passivated is set. If c is not set, dirty is false.
type resident struct {
	c *customer.Customer
	// passivated is the stored form while nothing happens to the customer. It takes a
	// third of the memory, and as a string the garbage collector does not look into it.
	passivated string
	timer      wheel.Timer
	// stateHash is the customer's part of the state hash as of the last snapshot, 0
	// before their first.
	stateHash uint64
	bytes     int32 // estimate of the memory it takes
	place     int32 // index in the cache's awake or passivated
	dirty     bool  // changed since the last snapshot
	used      bool  // since the hand of the cache last passed
}

// inMemory reports whether the customer need not be read from the store.
func (h *resident) inMemory() bool { return h.c != nil || h.passivated != "" }

// guessBytes is the estimated size of a new customer until they are first encoded;
// sizeFactor is the estimated ratio of the decoded size to the stored size.
const (
	// guessBytes is the estimated size of a new customer, until they are first encoded.
	guessBytes = 600
	sizeFactor = 3
)

// customerCache holds the customers of a shard: all that are in memory, and of the others
// those with a timer. In which form it holds a customer changes no result.
//
// Passivation uses the clock algorithm: a hand goes round the decoded customers, and one
// who was not used since it last passed is passivated. An exact order of last use would
// cost a write to two neighbours at each event.
type customerCache struct {
	all   map[string]*resident // by Key
	names event.Names
	bytes int64 // estimated size of all in memory
	// inStore reports that a customer who is not in all may be in the store. It is false
	// until the first customer is dropped from memory: then nothing needs to be loaded.
	inStore    bool
	awake      []*resident // decoded, in no order
	passivated []*resident // as bytes, in no order
	hand       int         // index in awake of the next customer to look at
	round      int         // how many customers the hand has still to look at until the next snapshot
}

// newCustomerCache returns an empty cache that interns strings of decoded customers in
// names.
func newCustomerCache(names event.Names) customerCache {
	return customerCache{all: map[string]*resident{}, names: names}
}

// loaded returns how many customers are in memory.
func (m *customerCache) loaded() int { return len(m.awake) + len(m.passivated) }

// get returns a customer in memory, decoded and marked as used; nil if they are not
// there.
func (m *customerCache) get(key string) *resident { return m.use(m.all[key]) }

// find is get by the parts of a key. It builds the key without an allocation, because it
// is called for every event.
func (m *customerCache) find(workspace, id string) *resident {
	var room [128]byte
	return m.use(m.all[string(append(append(append(room[:0], workspace...), 0), id...))])
}

// use decodes h if needed and marks it as used; nil if h is nil or not in memory.
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

// wake decodes a passivated customer.
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

// put brings a customer into memory, decoded; bytes is the estimate of the size.
func (m *customerCache) put(key string, c *customer.Customer, bytes int32) *resident {
	h := m.host(key)
	h.c, h.bytes, h.used = c, bytes, true
	m.bytes += int64(bytes)
	m.awake = m.with(m.awake, h)
	return h
}

// lay brings a customer into memory as bytes; stored is copied.
func (m *customerCache) lay(key string, stored []byte) *resident {
	h := m.host(key)
	h.passivated, h.bytes = string(stored), int32(len(stored))
	m.bytes += int64(h.bytes)
	m.passivated = m.with(m.passivated, h)
	return h
}

// host returns the entry of a key, made if it is missing. An entry that is there keeps
// its timer.
func (m *customerCache) host(key string) *resident {
	h := m.all[key]
	if h == nil {
		h = &resident{timer: wheel.NewTimer(key)}
		m.all[key] = h
	}
	return h
}

// passivate keeps as bytes those of the next n customers who were not used since the hand
// last passed and are not dirty. It encodes into scratch, which it returns, grown.
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
		m.awake = m.without(m.awake, h) // the last customer of the list is at the hand now
		h.c, h.passivated = nil, string(scratch)
		m.resize(h, int32(len(scratch)))
		m.passivated = m.with(m.passivated, h)
	}
	return scratch
}

// shrink drops customers from memory until at most limit bytes are used: first those kept
// as bytes, then decoded ones that are clean, the ones not used for a while first.
func (m *customerCache) shrink(limit int64) {
	for m.bytes > limit && len(m.passivated) > 0 {
		m.drop(m.passivated[len(m.passivated)-1])
	}
	// Each is looked at twice at most, once to clear used, and once more where it moved
	// into the place of one that was dropped.
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

// drop removes a customer from memory whose present state the store has. The entry stays
// if it has a timer.
//
// REQUIRES: h is clean.
func (m *customerCache) drop(h *resident) {
	m.leave(h)
	m.inStore = true
	if !h.timer.Armed() {
		delete(m.all, h.timer.Key)
	}
}

// leave removes a customer's state from memory.
func (m *customerCache) leave(h *resident) {
	if h.c != nil {
		m.awake = m.without(m.awake, h)
	} else {
		m.passivated = m.without(m.passivated, h)
	}
	h.c, h.passivated = nil, ""
	m.bytes -= int64(h.bytes)
}

// resize sets the estimated size of a customer.
func (m *customerCache) resize(h *resident, bytes int32) {
	m.bytes += int64(bytes - h.bytes)
	h.bytes = bytes
}

// with appends h to a list.
func (m *customerCache) with(list []*resident, h *resident) []*resident {
	h.place = int32(len(list))
	return append(list, h)
}

// without removes h from its list by moving the last entry to its place.
func (m *customerCache) without(list []*resident, h *resident) []*resident {
	last := list[len(list)-1]
	list[h.place], last.place = last, h.place
	list[len(list)-1] = nil
	list = list[:len(list)-1]
	if len(list) < cap(list)/4 {
		// Gives back what a burst of customers took.
		list = slices.Clone(list)
	}
	return list
}

// InMemory returns the ids of a workspace's customers in memory, in no order.
func (s *Shard) InMemory(workspace string) []string { return s.customers.inMemory(workspace) }

// inMemory returns what InMemory says.
func (m *customerCache) inMemory(workspace string) []string {
	var ids []string
	for key, h := range m.all { //nudge:unordered each is looked at alone
		if id, ok := strings.CutPrefix(key, workspace+"\x00"); ok && h.inMemory() {
			ids = append(ids, id)
		}
	}
	return ids
}

// Encoded returns the stored form of a customer as they are now, nil if they are not in
// memory. It neither decodes them nor marks them as used.
func (s *Shard) Encoded(workspace, id string) []byte {
	h := s.customers.entry(Key(workspace, id))
	switch {
	case h == nil:
	case h.c != nil:
		return h.c.AppendTo(nil)
	case h.passivated != "":
		return []byte(h.passivated)
	}
	return nil
}

// remove deletes a customer from the cache with their timer; drop keeps the timer.
func (m *customerCache) remove(h *resident) {
	m.leave(h)
	delete(m.all, h.timer.Key)
}

// entry returns what the cache has of a customer, nil if nothing. It neither decodes them nor marks them as
// used.
func (m *customerCache) entry(key string) *resident { return m.all[key] }

// each calls f with every entry, in no order.
func (m *customerCache) each(f func(key string, h *resident)) {
	for key, h := range m.all { //nudge:unordered the callers sort, count, or keep the smallest
		f(key, h)
	}
}

// someStored reports whether a customer who has no entry may be in the store.
func (m *customerCache) someStored() bool { return m.inStore }

// some reports whether there may be customers at all.
func (m *customerCache) some() bool { return len(m.all) > 0 || m.inStore }

// size returns the estimated size of all customers in memory, in bytes.
func (m *customerCache) size() int64 { return m.bytes }

// asleep returns how many customers in memory are kept as bytes.
func (m *customerCache) asleep() int { return len(m.passivated) }

// saved begins a new round of passivation, which a snapshot allows, and brings memory under its limit (0:
// none).
func (m *customerCache) saved(limit int64) {
	m.round = len(m.awake)
	if limit != 0 {
		m.shrink(limit)
	}
}

// restore takes over a stored customer at the start: as bytes while there is room under limit (0: no limit),
// otherwise only an entry for the timer, if they have one. It returns the entry, nil if there is none.
func (m *customerCache) restore(key string, stored []byte, timed bool, limit int64) *resident {
	if limit == 0 || m.bytes < limit {
		h := m.lay(key, stored)
		h.stateHash = hashBytes(stored)
		return h
	}
	m.inStore = true
	if !timed {
		return nil
	}
	h := &resident{timer: wheel.NewTimer(key)}
	m.all[key] = h
	return h
}

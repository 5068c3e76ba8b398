package actors

import (
	"strings"

	"github.com/nudge-engine/nudge/campaign"
)

// Key names a customer within a shard: workspace, a zero byte, id.
func Key(workspace, id string) string { return workspace + "\x00" + id }

// hosted is a customer as its shard holds it.
//
// Invariant: c is nil while the customer is passivated; then it is kept here
// only for its timer and is clean.
type hosted struct {
	c     *campaign.Customer
	timer timer
	// share is the customer's part of the state hash as of the last snapshot, 0
	// before its first.
	share uint64
	bytes int32 // estimate of its memory
	dirty bool  // changed since the last snapshot

	older, newer *hosted // least recently used list of those in memory
}

// guessBytes is what a customer is taken to weigh until it was first encoded;
// sizeFactor is how much more than its stored form it weighs in memory.
const (
	guessBytes = 600
	sizeFactor = 3
)

// memory is the customers of a shard: all that are in memory, and those
// passivated ones that have a timer.
type memory struct {
	all    map[string]*hosted
	loaded int
	bytes  int64
	// passivated says that a customer that is not in all may be in the store.
	passivated bool
	oldest     *hosted
	newest     *hosted
}

func newMemory() memory { return memory{all: map[string]*hosted{}} }

// get is a customer in memory, nil else; it becomes the most recently used.
func (m *memory) get(key string) *hosted {
	h := m.all[key]
	if h == nil || h.c == nil {
		return nil
	}
	m.unlink(h)
	m.link(h)
	return h
}

// put brings a customer into memory.
func (m *memory) put(key string, c *campaign.Customer, bytes int32) *hosted {
	h := m.all[key]
	if h == nil {
		h = &hosted{timer: timer{key: key, level: notArmed}}
		m.all[key] = h
	}
	h.c, h.bytes = c, bytes
	m.bytes += int64(bytes)
	m.loaded++
	m.link(h)
	return h
}

// drop passivates a customer; its timer stays.
//
// REQUIRES: h is clean.
func (m *memory) drop(h *hosted) {
	m.unlink(h)
	h.c = nil
	m.bytes -= int64(h.bytes)
	m.loaded--
	m.passivated = true
	if h.timer.level == notArmed {
		delete(m.all, h.timer.key)
	}
}

func (m *memory) resize(h *hosted, bytes int32) {
	m.bytes += int64(bytes - h.bytes)
	h.bytes = bytes
}

func (m *memory) link(h *hosted) {
	h.older, h.newer = m.newest, nil
	if m.newest != nil {
		m.newest.newer = h
	}
	m.newest = h
	if m.oldest == nil {
		m.oldest = h
	}
}

func (m *memory) unlink(h *hosted) {
	if h.older != nil {
		h.older.newer = h.newer
	} else if m.oldest == h {
		m.oldest = h.newer
	}
	if h.newer != nil {
		h.newer.older = h.older
	} else if m.newest == h {
		m.newest = h.older
	}
	h.older, h.newer = nil, nil
}

// splitKey is the workspace and id of a Key.
func splitKey(key string) (workspace, id string) {
	workspace, id, _ = strings.Cut(key, "\x00")
	return workspace, id
}

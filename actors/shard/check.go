package shard

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/wheel"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/storage"
)

// MemoryStats counts the customers that a shard holds, for checks of its memory.
type MemoryStats struct {
	Loaded   int   // in memory, decoded or as bytes
	Asleep   int   // of those, kept as bytes
	Dirty    int   // of those, changed since the last snapshot
	Bytes    int64 // estimated size of those in memory
	Cascades int   // how often the timer wheel spread a slot over lower levels
}

// MemoryStats returns the present counts.
func (s *Shard) MemoryStats() MemoryStats {
	return MemoryStats{
		Loaded:   s.customers.loaded(),
		Asleep:   s.customers.asleep(),
		Dirty:    s.changes.count(),
		Bytes:    s.customers.size(),
		Cascades: s.timers.spread(),
	}
}

// Check returns an error that names an invariant of the shard which does not hold, nil if
// all hold: a timer is armed if and only if its customer has one, and then at that
// instant (C5); the wheel, the list of dirty customers and the memory estimates agree
// with the customers. It looks at every customer, so it is for tests and simulation.
func (s *Shard) Check() error {
	armed, loaded, dirty := 0, 0, 0
	var bytes int64
	var wrong error
	first := ""
	s.customers.each(func(key string, h *resident) {
		if h.timer.Armed() && !h.timer.Held() {
			armed++
		}
		if h.inMemory() {
			loaded++
			bytes += int64(h.bytes)
		}
		if h.dirty {
			dirty++
		}
		if err := s.checkHosted(key, h); err != nil && (wrong == nil || key < first) {
			wrong, first = err, key
		}
	})
	switch {
	case wrong != nil:
		return wrong
	case armed != s.timers.count():
		return fmt.Errorf("actors: the wheel has %d timers, customers have %d", s.timers.count(), armed)
	case loaded != s.customers.loaded() || bytes != s.customers.size() || dirty != s.changes.count():
		return fmt.Errorf("actors: %d customers of %d bytes are in memory, %d dirty; counted are %d, %d and %d", loaded,
			bytes, dirty, s.customers.loaded(), s.customers.size(), s.changes.count())
	}
	return nil
}

// checkHosted checks one customer of the cache: that their timer is theirs, is where it
// says, and agrees with their state in whichever form the state is there.
func (s *Shard) checkHosted(key string, h *resident) error {
	t := &h.timer
	if t.Key != key {
		return fmt.Errorf("actors: customer %q has the timer of %q", key, t.Key)
	}
	if !s.timers.has(t) {
		return fmt.Errorf("actors: the timer of %q is not where it says", key)
	}
	switch {
	case h.c != nil && h.passivated != "" || h.c == nil && h.dirty:
		return fmt.Errorf("actors: %q is awake and asleep, or changed and not awake (%v)", key, h.dirty)
	case h.c != nil:
		return checkTimer(key, t, h.c.NextDue())
	case h.passivated != "":
		due, err := customer.DecodeNextDue([]byte(h.passivated))
		return errors.Join(err, checkTimer(key, t, due))
	case !t.Armed():
		return fmt.Errorf("actors: passivated %q is kept without a timer", key)
	}
	return nil
}

// checkTimer checks that t is armed at due, or not armed if due is 0 (C5).
func checkTimer(key string, t *wheel.Timer, due int64) error {
	switch {
	case due == 0 && t.Armed():
		return fmt.Errorf("actors: %q needs no timer and has one at %d (C5)", key, t.Due)
	case due != 0 && !t.Armed():
		return fmt.Errorf("actors: %q is due at %d and has no timer (C5)", key, due)
	case due != 0 && t.Due != due:
		return fmt.Errorf("actors: %q is due at %d, its timer at %d (C5)", key, due, t.Due)
	}
	return nil
}

// CheckStored does what Check does for the customers who are only in store: their timers
// must agree with the stored values. It reads every customer of the partition.
func (s *Shard) CheckStored(store storage.Store) error {
	return store.Scan(storage.CustomerPrefix(s.config.Partition), func(k, v []byte) error {
		workspace, id, ok := storage.ParseCustomerKey(k)
		if !ok {
			return fmt.Errorf("actors: %q is no customer's key", k)
		}
		key := Key(workspace, id)
		h := s.customers.entry(key)
		if h != nil && h.inMemory() || s.changes.deletes(key) {
			return nil
		}
		due, err := customer.DecodeNextDue(v)
		if err != nil {
			return err
		}
		none := wheel.NewTimer(key)
		if h == nil {
			return checkTimer(key, &none, due)
		}
		return checkTimer(key, &h.timer, due)
	})
}

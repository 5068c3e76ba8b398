package shard

import (
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/wheel"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// After a downtime timers that are more than lateMargin late wait for holdFor of log
// time, so that the backlog of events is applied first: a customer who bought while the
// server was down must not be reminded to buy. Both are ms.
const (
	lateMargin = 5 * 60 * 1000
	holdFor    = 60 * 1000
)

// timers are the timers of the customers of a partition, one each at most, and the barrier that holds some
// of them back after a downtime.
type timers struct {
	wheel   wheel.Wheel
	barrier catchUpBarrier
}

// rearm sets or removes a customer's timer so that it agrees with their state (C5). It
// must follow every change of a customer.
func (ts *timers) rearm(h *resident) {
	due := h.c.NextDue()
	if due == 0 {
		ts.wheel.Disarm(&h.timer)
		return
	}
	ts.wheel.Arm(&h.timer, due)
}

// arm sets the timer of a customer.
func (ts *timers) arm(h *resident, due int64) { ts.wheel.Arm(&h.timer, due) }

// disarm removes the timer of a customer.
func (ts *timers) disarm(h *resident) { ts.wheel.Disarm(&h.timer) }

// begin starts the wheel at a log time (ms), with the barrier as it was then.
func (ts *timers) begin(now, until, mark int64) {
	ts.barrier.until, ts.barrier.mark = until, mark
	ts.wheel.Begin(now)
}

// observe notes that log time goes from before to now; see catchUpBarrier.decide.
func (ts *timers) observe(migrating bool, before, now int64) {
	ts.barrier.observe(&ts.wheel, migrating, before, now)
}

// mark returns the log time, ms, up to which timers wait behind the barrier; 0 while it is not up.
func (ts *timers) mark() int64 { return ts.barrier.mark }

// until returns the log time, ms, at which the barrier ends; 0 while it is not up.
func (ts *timers) until() int64 { return ts.barrier.until }

// next returns the log time, ms, at which something must happen; 0: never.
func (ts *timers) next() int64 { return ts.barrier.next(&ts.wheel) }

// pop takes the next timer that is due at now and need not wait out of the wheel; nil when there is none.
func (ts *timers) pop(now int64) *wheel.Timer {
	for {
		t := ts.wheel.Pop(now)
		if t == nil || !ts.barrier.take(t) {
			return t
		}
	}
}

// more reports whether pop would return another timer.
func (ts *timers) more(now int64) bool {
	for {
		t := ts.wheel.Peek(now)
		if t == nil {
			return false
		}
		if !ts.barrier.holds(t) {
			return true
		}
		ts.barrier.take(ts.wheel.Pop(now))
	}
}

// due calls f with the timers that pop would return, at most n, and maybe with a few more, when log time
// goes from before to now. It changes nothing.
func (ts *timers) due(migrating bool, before, now int64, n int, f func(t *wheel.Timer)) {
	release, begin := ts.barrier.decide(&ts.wheel, migrating, before, now)
	mark := int64(-1)
	switch {
	case begin:
		mark = now - lateMargin
	case !release && ts.barrier.until != 0:
		mark = ts.barrier.mark
	}
	ts.wheel.Each(now, n, mark, f)
	if release {
		for _, t := range ts.barrier.held {
			if t.Due > mark {
				f(t)
			}
		}
	}
}

// count returns the number of timers in the wheel.
func (ts *timers) count() int { return ts.wheel.Len() }

// spread returns how many times the wheel moved timers from a higher level to lower ones.
func (ts *timers) spread() int { return ts.wheel.Spread() }

// has reports whether a timer is where it says.
func (ts *timers) has(t *wheel.Timer) bool { return ts.wheel.Has(t) }

// catchUpBarrier keeps timers that a downtime made late until the backlog of events is
// applied. The wheel has one timer a customer, their earliest, so such a customer waits
// as a whole and their steps keep their order. The barrier is part of the state and
// follows from the log alone; only until and mark are stored, since the timers are in the
// wheel again after a recovery.
type catchUpBarrier struct {
	until int64          // log time, ms, at which it ends; 0: it is not up
	mark  int64          // timers due at or before this log time, ms, wait
	held  []*wheel.Timer // timers that were taken out of the wheel to wait
}

// decide returns what it means that log time goes from before to now: whether the waiting
// timers are released, and whether a barrier begins. It changes nothing, so that Needs
// can use it too. While a migration is under way, which migrating says, a barrier begins at
// every jump: timers that the migration sets may be late as well.
func (l *catchUpBarrier) decide(w *wheel.Wheel, migrating bool, before, now int64) (release, begin bool) {
	release = l.until != 0 && now >= l.until
	if l.until != 0 && !release || now-before <= lateMargin {
		return release, false
	}
	due := w.Next()
	if release {
		for _, t := range l.held {
			if t.Held() && (due == 0 || t.Due < due) {
				due = t.Due
			}
		}
	}
	return release, migrating || due != 0 && due <= now-lateMargin
}

// observe moves the barrier from log time before to now: it ends one that is over, and
// begins one when log time jumped over timers by more than lateMargin.
func (l *catchUpBarrier) observe(w *wheel.Wheel, migrating bool, before, now int64) {
	release, begin := l.decide(w, migrating, before, now)
	if release {
		l.release(w)
	}
	if begin {
		l.until, l.mark = now+holdFor, now-lateMargin
	}
}

// holds reports whether t must wait.
func (l *catchUpBarrier) holds(t *wheel.Timer) bool { return l.until != 0 && t.Due <= l.mark }

// take makes t wait if it must, and reports whether it does. t was popped from the wheel.
func (l *catchUpBarrier) take(t *wheel.Timer) bool {
	if !l.holds(t) {
		return false
	}
	t.Hold()
	l.held = append(l.held, t)
	return true
}

// release puts the waiting timers back into the wheel.
func (l *catchUpBarrier) release(w *wheel.Wheel) {
	held := l.held
	l.until, l.mark, l.held = 0, 0, nil
	for _, t := range held {
		// Otherwise a record moved or removed the timer meanwhile.
		if t.Held() {
			t.Release()
			w.Arm(t, t.Due)
		}
	}
}

// next returns the log time, ms, at which something must happen: the end of the barrier
// or the next timer; 0 if neither is there.
func (l *catchUpBarrier) next(w *wheel.Wheel) int64 {
	due := w.Next()
	if l.until != 0 && (due == 0 || l.until < due) {
		return l.until
	}
	return due
}

// fireTimers fires due timers, at most maxTimersPerStep, and reports whether none is
// left. Timers that wait behind the barrier do not count: after a recovery they are in
// the wheel again, and the Step must end at the same timer as in the first run (C1).
func (s *Shard) fireTimers(out *effect.Effects) bool {
	for range maxTimersPerStep {
		t := s.timers.pop(s.now)
		if t == nil {
			return true
		}
		h := s.customers.get(t.Key)
		if h == nil {
			panic(fmt.Sprintf("BUG: partition %d: customer %q has a due timer and was not loaded",
				s.config.Partition, t.Key))
		}
		s.fire(h, t.Due, out)
	}
	return !s.timers.more(s.now)
}

// fire fires all timers of a customer that are due, the earliest of them at due. If that
// panics, the chains whose timers are due are ended, or the same panic would come back at
// every Step (C7). A customer who expired is removed.
func (s *Shard) fire(h *resident, due int64, out *effect.Effects) {
	s.bulkScans.applyPending(h, out)
	workspace := h.c.Workspace
	m := s.runner.use(workspace)
	s.runner.run(h, out, func() {
		m.Fire(h.c, s.now, s.now, &out.Output)
	}, func(detail string) {
		h.c.Quarantine(due, s.now)
		out.DeadLetters = append(out.DeadLetters, effect.DeadLetter{
			Workspace: workspace, Customer: h.c.ID,
			Reason: output.ReasonPanic, Field: "timer", Detail: detail, At: s.now,
		})
	})
	if h.c.Gone() {
		s.remove(h)
		return
	}
	s.changes.add(h)
	s.timers.rearm(h)
}

// Needs returns the keys of the customers that the next Step of a frame will touch and
// that are not in memory: those of due timers, migrations, bulk scans and records. They
// must be read from the store and given to Load before the Step. It may name a few more
// than the Step touches, never fewer. It changes nothing.
func (s *Shard) Needs(in *Input) []string {
	if !s.customers.someStored() {
		return nil // all are in memory
	}
	need := map[string]bool{}
	var keys []string
	want := func(key string) {
		if h := s.customers.entry(key); (h == nil || !h.inMemory()) && !need[key] {
			need[key] = true
			keys = append(keys, key)
		}
	}
	now := max(s.now, in.Frame.Time)
	s.timers.due(s.migration.underWay(), s.now, now, maxTimersPerStep, func(t *wheel.Timer) { want(t.Key) })
	s.migration.each(now, want)
	for _, key := range s.bulkScans.nextPage() {
		want(key)
	}
	for i := range in.Frame.Records {
		if key, ok := recordKey(&in.Frame.Records[i]); ok {
			want(key)
		}
	}
	return keys
}

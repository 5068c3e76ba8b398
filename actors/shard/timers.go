package shard

import (
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/wheel"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// After a downtime (R8): timers that are more than lateMargin late wait for
// holdFor of log time, so that the backlog of events is applied first.
const (
	lateMargin = 5 * 60 * 1000
	holdFor    = 60 * 1000
)

// catchUpBarrier holds back the timers that a downtime made late. The wheel has one
// timer a customer, the earliest, so such a customer waits as a whole and their
// steps keep their order. It is part of the state and derived from the log alone.
type catchUpBarrier struct {
	until int64 // log time at which they are let go; 0: nothing is held
	mark  int64 // timers due at or before mark are held
	held  []*wheel.Timer
}

// decide says what a step from before to now means: whether what is held is let
// go, and whether a hold begins. It changes nothing, so that Needs can ask too. Over the
// turns of a new version a hold begins always: what is planned at them is late too.
func (l *catchUpBarrier) decide(w *wheel.Wheel, turns bool, before, now int64) (release, begin bool) {
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
	return release, turns || due != 0 && due <= now-lateMargin
}

// observe starts a hold when log time jumped over timers, and ends one that is over.
func (l *catchUpBarrier) observe(w *wheel.Wheel, turns bool, before, now int64) {
	release, begin := l.decide(w, turns, before, now)
	if release {
		l.release(w)
	}
	if begin {
		l.until, l.mark = now+holdFor, now-lateMargin
	}
}

// holds says whether t is held back.
func (l *catchUpBarrier) holds(t *wheel.Timer) bool { return l.until != 0 && t.Due <= l.mark }

// take puts aside what is held; it says whether t was.
func (l *catchUpBarrier) take(t *wheel.Timer) bool {
	if !l.holds(t) {
		return false
	}
	t.Hold()
	l.held = append(l.held, t)
	return true
}

func (l *catchUpBarrier) release(w *wheel.Wheel) {
	held := l.held
	l.until, l.mark, l.held = 0, 0, nil
	for _, t := range held {
		if t.Held() { // else it was moved or taken out meanwhile
			t.Release()
			w.Arm(t, t.Due)
		}
	}
}

// next is when something must happen: the end of the hold, or the next timer.
func (l *catchUpBarrier) next(w *wheel.Wheel) int64 {
	due := w.Next()
	if l.until != 0 && (due == 0 || l.until < due) {
		return l.until
	}
	return due
}

// fireTimers fires what is due, at most maxTimersPerStep; false when more is due.
// Timers that are put aside do not count: after a recovery they are in the wheel
// again, and the step must be cut at the same place (C1).
func (s *Shard) fireTimers(out *effect.Effects) bool {
	for fired := 0; fired < maxTimersPerStep; {
		t := s.wheel.Pop(s.now)
		if t == nil {
			return true
		}
		if s.hold.take(t) {
			continue
		}
		h := s.customers.get(t.Key)
		if h == nil {
			panic(fmt.Sprintf("BUG: partition %d: customer %q has a due timer and was not loaded",
				s.config.Partition, t.Key))
		}
		s.fire(h, t.Due, out)
		fired++
	}
	for { // what is held back is not due
		t := s.wheel.Peek(s.now)
		if t == nil {
			return true
		}
		if !s.hold.holds(t) {
			return false
		}
		s.hold.take(s.wheel.Pop(s.now))
	}
}

// fire fires all the timers of a customer that are due, the earliest of them at due,
// inside a guard (C7).
func (s *Shard) fire(h *resident, due int64, out *effect.Effects) {
	s.applyPending(h, out)
	workspace := h.c.Workspace
	s.machine.Use(s.defs.set(workspace))
	s.guard(h, out, func() {
		s.machine.Fire(h.c, s.now, s.now, &out.Output)
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
	s.markDirty(h)
	s.rearm(h)
}

// Needs names the customers that the next Step of a frame will touch and that
// are not in memory; the shell reads them from the store and calls Load.
func (s *Shard) Needs(in *Input) []string {
	if !s.customers.inStore {
		return nil // all are in memory
	}
	need := map[string]bool{}
	var keys []string
	want := func(key string) {
		if h := s.customers.all[key]; (h == nil || !h.inMemory()) && !need[key] {
			need[key] = true
			keys = append(keys, key)
		}
	}
	now := max(s.now, in.Frame.Time)
	release, begin := s.hold.decide(&s.wheel, s.migration.underWay(), s.now, now)
	mark := int64(-1)
	switch {
	case begin:
		mark = now - lateMargin
	case !release && s.hold.until != 0:
		mark = s.hold.mark
	}
	s.wheel.Each(now, maxTimersPerStep, mark, func(t *wheel.Timer) { want(t.Key) })
	if release {
		for _, t := range s.hold.held {
			if t.Due > mark {
				want(t.Key)
			}
		}
	}
	s.migration.each(now, want)
	for _, key := range s.nextPage() {
		want(key)
	}
	for i := range in.Frame.Records {
		if key, ok := recordKey(&in.Frame.Records[i]); ok {
			want(key)
		}
	}
	return keys
}

package wheel

import (
	"math/bits"
	"sort"
)

const (
	wheelBits   = 6              // bits of an instant that one level tells apart
	wheelSlots  = 1 << wheelBits // slots of a level, so that one word has a bit for each
	wheelLevels = 8              // 48 bits of milliseconds: 8,900 years
)

// Timer is the timer of one customer: the earliest instant at which something is due for
// them. Make it with NewTimer; only the wheel that it is in may change it.
type Timer struct {
	Due   int64  // log time, ms; meaningless unless the timer is armed
	Key   string // of the customer; orders timers of one instant
	level int8   // level of the wheel that it is in, or one of the values below
	slot  uint8  // in the level
	index int32  // in the slot; meaningless in ready
}

const (
	notArmed int8 = -1 // in no wheel
	inReady  int8 = -2 // due: in the list ready
	isHeld   int8 = -3 // armed, and in no wheel
)

// NewTimer returns a timer for a customer that is not armed.
func NewTimer(key string) Timer { return Timer{Key: key, level: notArmed} }

// Armed reports whether the timer is in a wheel or held.
func (t *Timer) Armed() bool { return t.level != notArmed }

// Hold keeps a timer that was popped from a wheel as armed until it is released. To arm
// it again or to disarm it ends that too.
func (t *Timer) Hold() { t.level = isHeld }

// Held reports whether the timer is armed and in no wheel.
func (t *Timer) Held() bool { return t.level == isHeld }

// Release makes a held timer one that is not armed.
func (t *Timer) Release() { t.level = notArmed }

// before reports whether t fires before o.
func (t *Timer) before(o *Timer) bool { return t.Due < o.Due || t.Due == o.Due && t.Key < o.Key }

// Wheel is a hierarchical timing wheel (Varghese and Lauck, 1987) with slots of 1 ms at
// the lowest level and 64 times the width at each level above. Arming and disarming are
// O(1); due timers come out in the total order (due, key).
//
// Invariant: a timer at level l has the same bits as now above its level, and in its
// level's bits is greater than now; ready holds, sorted, what is due at or before now.
//
// The zero value is an empty wheel at instant 0. It must be used by one goroutine at a
// time.
type Wheel struct {
	now      int64               // instant up to which slots were opened, ms
	size     int                 // timers in slots and ready
	occupied [wheelLevels]uint64 // a bit for each slot with timers
	slots    [wheelLevels][wheelSlots][]*Timer
	// least is the earliest due instant of each occupied slot; 0 means that Next has to
	// look for it.
	least    [wheelLevels][wheelSlots]int64
	ready    []*Timer // due timers, sorted
	cascades int      // how often a slot was spread over the levels below
}

// Begin sets the instant of an empty wheel, ms.
func (w *Wheel) Begin(now int64) { w.now = now }

// Len returns how many timers are in the wheel.
func (w *Wheel) Len() int { return w.size }

// Spread returns how often a slot was spread over the levels below, a measure of the work
// done.
func (w *Wheel) Spread() int { return w.cascades }

// Has reports whether t is where its fields say, for checks. A due timer is not looked
// for.
func (w *Wheel) Has(t *Timer) bool {
	if t.level < 0 {
		return true
	}
	slot := w.slots[t.level][t.slot]
	return int(t.index) < len(slot) && slot[t.index] == t
}

// Arm puts t into the wheel at due, ms, and takes it out first if it is in it.
func (w *Wheel) Arm(t *Timer, due int64) {
	if t.level != notArmed {
		if t.Due == due {
			return
		}
		w.Disarm(t)
	}
	t.Due = due
	w.size++
	w.place(t)
}

// place puts t where it belongs: into ready if it is due, else into the level of the
// highest group of bits in which its instant differs from now.
func (w *Wheel) place(t *Timer) {
	if t.Due <= w.now {
		t.level = inReady
		i := sort.Search(len(w.ready), func(i int) bool { return t.before(w.ready[i]) })
		w.ready = append(w.ready, nil)
		copy(w.ready[i+1:], w.ready[i:])
		w.ready[i] = t
		return
	}
	level := (bits.Len64(uint64(t.Due^w.now)) - 1) / wheelBits
	level = min(level, wheelLevels-1)
	slot := int(t.Due>>(level*wheelBits)) & (wheelSlots - 1)
	t.level, t.slot, t.index = int8(level), uint8(slot), int32(len(w.slots[level][slot]))
	if len(w.slots[level][slot]) == 0 || t.Due < w.least[level][slot] {
		w.least[level][slot] = t.Due // unknown stays unknown: no instant is before 0
	}
	w.slots[level][slot] = append(w.slots[level][slot], t)
	w.occupied[level] |= 1 << slot
}

// Disarm takes t out of the wheel; it does nothing if t is not armed.
func (w *Wheel) Disarm(t *Timer) {
	switch t.level {
	case notArmed:
		return
	case isHeld:
		t.level = notArmed
		return
	case inReady:
		i := sort.Search(len(w.ready), func(i int) bool { return !w.ready[i].before(t) })
		w.ready = append(w.ready[:i], w.ready[i+1:]...)
	default:
		s := w.slots[t.level][t.slot]
		last := s[len(s)-1]
		s[t.index], last.index = last, t.index
		s[len(s)-1] = nil
		w.slots[t.level][t.slot] = s[:len(s)-1]
		if len(s) == 1 {
			w.occupied[t.level] &^= 1 << t.slot
		}
		if t.Due == w.least[t.level][t.slot] {
			w.least[t.level][t.slot] = 0
		}
	}
	t.level = notArmed
	w.size--
}

// first returns the occupied slot that begins first, and the instant at which it begins.
// Lower levels come first: their slots lie before those of higher levels.
func (w *Wheel) first() (level, slot int, start int64, ok bool) {
	for level = range wheelLevels {
		if w.occupied[level] == 0 {
			continue
		}
		slot = bits.TrailingZeros64(w.occupied[level])
		above := w.now >> ((level + 1) * wheelBits) << ((level + 1) * wheelBits)
		return level, slot, above | int64(slot)<<(level*wheelBits), true
	}
	return 0, 0, 0, false
}

// Pop takes out and returns the earliest timer due at or before limit, nil if there is
// none. It opens slots on the way, so the wheel may move on, up to limit.
//
// REQUIRES: limit does not go back.
func (w *Wheel) Pop(limit int64) *Timer {
	for {
		if len(w.ready) > 0 {
			t := w.ready[0]
			if t.Due > limit {
				return nil
			}
			w.ready = w.ready[1:]
			t.level = notArmed
			w.size--
			return t
		}
		level, slot, start, ok := w.first()
		if !ok || start > limit {
			w.now = max(w.now, limit)
			return nil
		}
		w.open(level, slot, start)
	}
}

// open moves now to the start of a slot and spreads its timers: those that are due become
// ready, the others move to lower levels.
func (w *Wheel) open(level, slot int, start int64) {
	timers := w.slots[level][slot]
	w.slots[level][slot] = nil
	w.occupied[level] &^= 1 << slot
	w.now = start
	if level > 0 {
		w.cascades++
	}
	for _, t := range timers {
		if t.Due > start {
			w.place(t)
			continue
		}
		t.level = inReady
		w.ready = append(w.ready, t)
	}
	sort.Slice(w.ready, func(i, j int) bool { return w.ready[i].before(w.ready[j]) })
}

// Next returns the earliest due instant, ms, 0 if the wheel is empty. It looks through a
// slot only after the earliest timer of it was disarmed.
func (w *Wheel) Next() int64 {
	if len(w.ready) > 0 {
		return w.ready[0].Due
	}
	level, slot, _, ok := w.first()
	if !ok {
		return 0
	}
	if w.least[level][slot] == 0 {
		earliest := w.slots[level][slot][0].Due
		for _, t := range w.slots[level][slot] {
			earliest = min(earliest, t.Due)
		}
		w.least[level][slot] = earliest
	}
	return w.least[level][slot]
}

// Peek returns the earliest timer due at or before limit and leaves it armed, nil if
// there is none.
//
// REQUIRES: limit does not go back.
func (w *Wheel) Peek(limit int64) *Timer {
	t := w.Pop(limit)
	if t != nil {
		w.Arm(t, t.Due)
	}
	return t
}

// Each calls f with timers due after mark that the next pops up to limit can return: at
// least n of them if there are as many, and possibly more, because it takes whole slots.
// Ready ones come first. The wheel does not change.
func (w *Wheel) Each(limit int64, n int, mark int64, f func(*Timer)) {
	seen := 0
	for _, t := range w.ready {
		if t.Due > limit || seen >= n {
			return
		}
		if t.Due > mark {
			f(t)
			seen++
		}
	}
	for level := range wheelLevels {
		for slots := w.occupied[level]; slots != 0; slots &= slots - 1 {
			for _, t := range w.slots[level][bits.TrailingZeros64(slots)] {
				if t.Due <= limit && t.Due > mark {
					f(t)
					seen++
				}
			}
			if seen >= n {
				return
			}
		}
	}
}

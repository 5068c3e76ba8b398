package audit

import "math"

// reversibleFor is how long after a conversion it can be taken back at least, in ms of event time.
const reversibleFor = 30 * 24 * 3_600_000

// reversibleUntil returns until when, by event time, a goal that was counted can be taken back.
func (ch *chain) reversibleUntil(h *Hit) (end int64, ok bool) {
	for _, g := range ch.def.Goals {
		if g.ID != h.Goal || g.ReverseOn == "" || h.reversed {
			continue
		}
		end = h.time + reversibleFor
		if window := ch.windowEnd(g); window != math.MaxInt64 {
			end = max(end, window)
		}
		return end, true
	}
	return 0, false
}

// reverseGoals takes back the goals that the event reverses, in the order in which the definition
// names the goals.
func (ch *chain) reverseGoals(a *Auditor, e *Event) {
	for _, g := range ch.def.Goals {
		for i := range ch.hits {
			h := &ch.hits[i]
			end, ok := ch.reversibleUntil(h)
			if g.ID != h.Goal || !ok || e.Time < h.time || e.Time > end || !ch.live() && a.now > end+measuredAfter {
				continue
			}
			m := Match{Event: g.ReverseOn, Property: g.Match.Property}
			if m.holds(e, ch.trigger, ch.customer) {
				h.reversed = true
				a.writeConversion(ch, h, e, true)
				a.note(NoteReversal)
				if !ch.live() {
					a.note(NoteReversalEnded)
				}
			}
		}
	}
}

// reverseByEarlier takes the goal back that was just counted, if its reversal came before it in the
// log but happened after it.
func (ch *chain) reverseByEarlier(a *Auditor) {
	h := &ch.hits[len(ch.hits)-1]
	end, ok := ch.reversibleUntil(h)
	if !ok {
		return
	}
	for _, e := range byTime(ch.customer.recentEvents()) {
		if e == ch.trigger || e.Time <= h.time || e.Time > end || h.reversed {
			continue
		}
		for _, g := range ch.def.Goals {
			m := Match{Event: g.ReverseOn, Property: g.Match.Property}
			if g.ID == h.Goal && m.holds(e, ch.trigger, ch.customer) {
				h.reversed = true
				a.writeConversion(ch, h, e, true)
				a.note(NoteReversedBefore)
			}
		}
	}
}

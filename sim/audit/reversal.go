package audit

import "math"

// reverseFor is how long after a conversion it can be taken back at least, ms.
const reverseFor = 30 * 24 * 3_600_000

// reversible is until when, event time, a goal that was counted can be taken back.
func (ch *chain) reversible(h *Hit) (end int64, ok bool) {
	for _, g := range ch.def.Goals {
		if g.ID != h.Goal || g.ReverseOn == "" || h.reversed {
			continue
		}
		end = h.time + reverseFor
		if window := ch.until(g); window != math.MaxInt64 {
			end = max(end, window)
		}
		return end, true
	}
	return 0, false
}

// reverse takes back what the event says was undone, in the order in which the definition names
// the goals.
func (ch *chain) reverse(a *Auditor, e *Event) {
	for _, g := range ch.def.Goals {
		for i := range ch.hits {
			h := &ch.hits[i]
			end, ok := ch.reversible(h)
			if g.ID != h.Goal || !ok || e.Time < h.time || e.Time > end || !ch.live() && a.now > end+measured {
				continue
			}
			m := Match{Event: g.ReverseOn, Property: g.Match.Property}
			if m.holds(e, ch.trigger, ch.customer) {
				h.reversed = true
				a.converts(ch, h, e, true)
				a.note(NoteReversal)
				if !ch.live() {
					a.note(NoteReversalEnded)
				}
			}
		}
	}
}

// takenBack: a reversal that came before the goal, and happened after it, takes it back when
// that comes.
func (ch *chain) takenBack(a *Auditor) {
	h := &ch.hits[len(ch.hits)-1]
	end, ok := ch.reversible(h)
	if !ok {
		return
	}
	for _, e := range byTime(ch.customer.memory()) {
		if e == ch.trigger || e.Time <= h.time || e.Time > end || h.reversed {
			continue
		}
		for _, g := range ch.def.Goals {
			m := Match{Event: g.ReverseOn, Property: g.Match.Property}
			if g.ID == h.Goal && m.holds(e, ch.trigger, ch.customer) {
				h.reversed = true
				a.converts(ch, h, e, true)
				a.note(NoteReversedBefore)
			}
		}
	}
}

// converts writes a conversion or its reversal down.
func (a *Auditor) converts(ch *chain, h *Hit, e *Event, back bool) {
	c := Conversion{
		Campaign: ch.def.Name, Customer: ch.customer.id, Entry: ch.entry, Goal: h.Goal, Step: h.step,
		Value: h.Value, Currency: h.Currency, At: e.Time, Reversal: back,
	}
	if back {
		c.Value = -c.Value
	}
	a.conversions = append(a.conversions, c)
	ch.converting(a, h.Goal, !back)
}

// shown is the goal of the chain's row: the primary one, if it was reached, else the one that ended the
// chain, else the first. What was taken back does not show.
func (ch *chain) shown() (Hit, bool) {
	for _, g := range ch.def.Goals {
		if !g.Primary {
			continue
		}
		for _, h := range ch.hits {
			if h.Goal == g.ID && !h.reversed {
				return h, true
			}
		}
	}
	if ch.outcome == Converted && !ch.hits[ch.endedBy].reversed {
		return ch.hits[ch.endedBy], true
	}
	for _, h := range ch.hits {
		if !h.reversed {
			return h, true
		}
	}
	return Hit{}, false
}

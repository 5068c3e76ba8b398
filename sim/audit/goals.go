package audit

import (
	"math"
	"strings"
)

// hasReached reports whether the goal was counted for the chain.
func (ch *chain) hasReached(goal string) bool {
	for _, h := range ch.hits {
		if h.Goal == goal {
			return true
		}
	}
	return false
}

// measures reports whether a goal is measured at the event's time. Event time decides about the end
// of the window, however late the record comes to a live chain.
func (ch *chain) measures(a *Auditor, g Goal, e *Event) bool {
	if e.Time < ch.relevantFrom {
		return false
	}
	end := ch.windowEnd(g)
	if end == math.MaxInt64 {
		return ch.live() // without a window: as long as the chain lives
	}
	return e.Time <= end && (ch.live() || a.now <= end+measuredAfter)
}

// windowEnd returns the last instant of a goal's window; the end of time where there is no end.
func (ch *chain) windowEnd(g Goal) int64 {
	switch {
	case g.Window == 0 || g.FromDelivery && !ch.delivered:
		return math.MaxInt64
	case g.FromDelivery:
		return ch.lastDelivery + g.Window.Milliseconds()
	}
	return ch.enteredAt + g.Window.Milliseconds()
}

// goalValue returns the value and the currency of a goal. A value that is a sum of two properties
// fails if one of them is no number.
func (ch *chain) goalValue(a *Auditor, g Goal, e *Event) (value float64, currency string) {
	text, _ := e.Properties[g.Currency].(string)
	currency = strings.TrimSpace(text)
	if len(currency) == 3 && strings.Trim(strings.ToLower(currency), letters) == "" {
		if currency != strings.ToUpper(currency) {
			a.note(NoteCurrency)
		}
		currency = strings.ToUpper(currency)
	}
	if g.PlusProperty == "" {
		return a.amount(e.Properties[g.ValueProperty]), currency
	}
	first, second := e.Properties[g.ValueProperty], e.Properties[g.PlusProperty]
	if first == nil || second == nil {
		return 0, currency
	}
	x, isNumber := number(first)
	y, isNumberToo := number(second)
	if !isNumber || !isNumberToo {
		a.note(NoteFault)
		a.faults = append(a.faults, Fault{ch.def.Name, ch.customer.id, ch.entry, a.now})
		return 0, currency
	}
	return x + y, currency
}

const letters = "abcdefghijklmnopqrstuvwxyz"

// Fault is an expression of a chain that could not be evaluated.
type Fault struct {
	Campaign string
	Customer string
	Entry    int
	At       int64
}

// Faults returns all so far.
func (a *Auditor) Faults() []Fault { return a.faults }

// shownGoal returns the goal of the chain's row: the primary one, if it was reached, else the one
// that ended the chain, else the first. One that was taken back does not show.
func (ch *chain) shownGoal() (Hit, bool) {
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
	if ch.outcome == Converted && !ch.hits[ch.endingHit].reversed {
		return ch.hits[ch.endingHit], true
	}
	for _, h := range ch.hits {
		if !h.reversed {
			return h, true
		}
	}
	return Hit{}, false
}

// writeConversion adds the row of a goal that was reached, or with reversal taken back.
func (a *Auditor) writeConversion(ch *chain, h *Hit, e *Event, back bool) {
	c := Conversion{
		Campaign: ch.def.Name, Customer: ch.customer.id, Entry: ch.entry, Goal: h.Goal, Step: h.step,
		Value: h.Value, Currency: h.Currency, At: e.Time, Reversal: back,
	}
	if back {
		c.Value = -c.Value
	}
	a.conversions = append(a.conversions, c)
	ch.written()
	ch.updateConverted(a, h.Goal, !back)
}

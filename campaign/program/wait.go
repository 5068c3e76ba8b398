package program

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// Wait keeps a chain at the step until one of some events comes, or the timeout is over.
type Wait struct {
	inward

	// For are the events that close the wait, each leading to its own step. The first that matches
	// counts.
	For []Matcher
	// Timeout counts from the arrival at the step, ms; 0: it waits without end.
	Timeout int64
	// FromEntry (since: entry) also accepts an event that came after the entry but before the chain
	// was at the step. Otherwise a customer who was faster than the campaign would be waited for in
	// vain.
	FromEntry bool
	// OnTimeout is the step that the timeout leads to; empty: the next one.
	OnTimeout string
	// RestartOn is an event that begins the timeout anew, at most MaxRestarts times; nil: none
	// does.
	RestartOn   *Matcher
	MaxRestarts uint32
}

// Word implements Verb.
func (*Wait) Word() string { return "wait" }

// exprs calls nothing: the matchers of waits are among those of the program, see Matchers.
func (*Wait) exprs(func(*expr.Expr)) {}

// matchers calls f with what closes the wait, then with what restarts it.
func (w *Wait) matchers(f func(*Matcher)) {
	for i := range w.For {
		f(&w.For[i])
	}
	if w.RestartOn != nil {
		f(w.RestartOn)
	}
}

// targets returns where the events and the timeout lead; a wait without a timeout only has its
// events.
func (w *Wait) targets(next string) []string {
	var all []string
	for i := range w.For {
		all = append(all, cmp.Or(w.For[i].Goto, next))
	}
	if w.OnTimeout != "" {
		return append(all, w.OnTimeout)
	}
	if w.Timeout == 0 && len(all) > 0 {
		return all
	}
	return append(all, next)
}

// silentTargets is where the timeout leads, nothing without one.
func (w *Wait) silentTargets(next string) []string {
	switch {
	case w.OnTimeout != "":
		return []string{w.OnTimeout}
	case w.Timeout > 0:
		return []string{next}
	}
	return nil // waits for good
}

// Timer implements Verb.
func (w *Wait) Timer() Timer { return Timer{Kind: FromStep, After: w.Timeout, Early: len(w.For) > 0} }

func (w *Wait) onTimer(_ *customer.Chain, next string) string { return cmp.Or(w.OnTimeout, next) }

func (*Wait) afterFailure() string { return "" }

// LooksBack reports whether a wait of the program accepts what came since the entry. Then the
// machine remembers recent events of the customer.
func (p *Program) LooksBack() bool {
	for i := range p.Steps {
		if w, ok := p.Steps[i].Verb.(*Wait); ok && w.FromEntry {
			return true
		}
	}
	return false
}

// OpenWait returns the wait in which a chain rests, and its index; nil when it rests at another
// step, or has not begun the wait because of a pause.
func (p *Program) OpenWait(ch *customer.Chain) (*Wait, int) {
	s, at := p.Step(ch.Step)
	if s == nil || ch.Still {
		return nil, 0
	}
	w, _ := s.Verb.(*Wait)
	return w, at
}

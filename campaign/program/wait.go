package program

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// Wait rests until an event comes or the timeout is over.
type Wait struct {
	inward

	For         []Matcher
	Timeout     int64 // ms; 0: without an end
	FromEntry   bool  // since: entry
	OnTimeout   string
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

// LooksBack says whether a wait of the program asks for what came since the entry.
func (p *Program) LooksBack() bool {
	for i := range p.Steps {
		if w, ok := p.Steps[i].Verb.(*Wait); ok && w.FromEntry {
			return true
		}
	}
	return false
}

// OpenWait is the wait in which a chain rests, and its index; nil when it rests in another
// step, or before the wait because of a pause.
func (p *Program) OpenWait(ch *customer.Chain) (*Wait, int) {
	s, at := p.Step(ch.Step)
	if s == nil || ch.Still {
		return nil, 0
	}
	w, _ := s.Verb.(*Wait)
	return w, at
}

package program

import "github.com/nudge-engine/nudge/campaign/customer"

// Reached returns which steps some path leads to, by index; the last element stands for the end of
// the list. unclear[i] says that the targets of step i are not known, because it has a mistake: it
// may lead to any later step. A step that goes back goes on to the next in the list when its loop
// is used up.
func (p *Program) Reached(unclear []bool) []bool {
	reached := make([]bool, len(p.Steps)+1)
	reached[0] = true
	for changed := true; changed; {
		changed = false
		visit := func(at int) {
			changed = changed || !reached[at]
			reached[at] = true
		}
		for i := range p.Steps {
			if !reached[i] {
				continue
			}
			for at := i + 1; unclear[i] && at < len(reached); at++ {
				visit(at)
			}
			for _, target := range p.Targets(i) {
				if at, ok := p.StepIndex[target]; ok {
					if visit(at); at <= i {
						visit(i + 1)
					}
				}
			}
		}
	}
	return reached
}

// Targets returns the ids of the steps that can follow step i.
func (p *Program) Targets(i int) []string { return p.Steps[i].Verb.targets(p.After(i)) }

// OnTimer returns the id of the step at which a chain that rests at the step with index at goes on
// when its timer fires.
func (p *Program) OnTimer(ch *customer.Chain, at int) string {
	if ch.Still {
		return ch.Step // it has not begun the step
	}
	return p.Steps[at].Verb.onTimer(ch, p.After(at))
}

// AfterFailure returns the step to which a chain is moved that went on from s, when a delivery of s
// fails for good; empty: it stays where it is.
func (s *Step) AfterFailure() string { return s.Verb.afterFailure() }

// NextSend returns the index of the send to which a resting chain comes by its timer; -1 when it
// comes to something else first. Timers that lead to sends are those whose lateness customers
// notice.
func (p *Program) NextSend(ch *customer.Chain) int {
	s, at := p.Step(ch.Step)
	if s == nil {
		return -1
	}
	i, known := p.StepIndex[p.OnTimer(ch, at)]
	if !known {
		return -1
	}
	if _, sends := p.Steps[i].Verb.(*Send); !sends {
		return -1
	}
	return i
}

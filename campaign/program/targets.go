package program

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
)

// Reached says which steps some path leads to. A step that goes back goes on to the
// next in the list in the end; one that is unclear may lead to any later one.
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

// Targets are the steps that can follow step i.
func (p *Program) Targets(i int) []string {
	next := p.After(i)
	switch v := p.Steps[i].Verb.(type) {
	case *Exit:
		return nil
	case *Experiment:
		return v.targets(next)
	case *Call:
		return v.targets(next)
	case *Branch:
		var all []string
		for _, a := range v.Arms {
			all = append(all, a.Goto)
		}
		if len(v.Arms) > 0 && v.Arms[len(v.Arms)-1].When == nil {
			return all
		}
		return append(all, next)
	case *Wait:
		var all []string
		for _, m := range v.For {
			if m.Goto != "" {
				all = append(all, m.Goto)
			} else {
				all = append(all, next)
			}
		}
		if v.OnTimeout != "" {
			return append(all, v.OnTimeout)
		}
		if v.Timeout == 0 && len(all) > 0 {
			return all
		}
		return append(all, next)
	case *Send:
		return v.targets(next)
	default:
		return []string{next}
	}
}

func (c *Call) targets(next string) []string {
	if c.OnFail == "" {
		return []string{next}
	}
	return []string{next, c.OnFail}
}

// targets are the steps that can follow a send whose next step in the list is next.
func (s *Send) targets(next string) []string {
	all := []string{next}
	for _, target := range [...]string{s.OnFail, s.OnDrop.Goto} {
		if target != "" {
			all = append(all, target)
		}
	}
	return all
}

func (x *Experiment) targets(next string) (all []string) {
	for i := range x.Variants {
		if x.Variants[i].Goto != "" {
			all = append(all, x.Variants[i].Goto)
		} else {
			all = append(all, next)
		}
	}
	return all
}

// OnTimer is the step at which a chain that rests in the step at index at goes on when its
// timer fires.
func (p *Program) OnTimer(ch *customer.Chain, at int) string {
	if ch.Still {
		return ch.Step // it has not begun the step
	}
	next := p.After(at)
	switch v := p.Steps[at].Verb.(type) {
	case *Wait:
		return cmp.Or(v.OnTimeout, next)
	case *Call: // no reply in time is a failure
		return cmp.Or(v.OnFail, next)
	case *Send:
		if ch.Held != nil {
			return ch.Step // it is decided again
		}
	case *Delay, *Until, *Branch, *Exit, *SetProfile, *Emit, *Start, *Experiment:
	}
	return next
}

// NextSend is the index of the send to which a resting chain comes by its timer; -1 when
// it comes to something else first.
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

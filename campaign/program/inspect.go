package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Earliest is how long after the entry each step can be reached at the earliest, in
// ms, by step id: waits that an event can close count as nothing.
func (p *Program) Earliest() map[string]int64 {
	earliest := map[string]int64{}
	if len(p.Steps) == 0 {
		return earliest
	}
	earliest[p.Steps[0].ID] = 0
	for i := range p.Steps { // goto leads forward, so each step is final when it is looked at
		at, reached := earliest[p.Steps[i].ID]
		if !reached {
			continue
		}
		leave := at + p.shortest(i, at)
		for _, target := range p.Targets(i) {
			if old, known := earliest[target]; !known || leave < old {
				earliest[target] = leave
			}
		}
	}
	return earliest
}

// shortest is how long a chain that comes to step i after at rests there at least.
func (p *Program) shortest(i int, at int64) int64 {
	switch v := p.Steps[i].Verb.(type) {
	case *Delay:
		if v.FromEntry {
			return max(v.For-at, 0)
		}
		return v.For
	case *Wait:
		if len(v.For) == 0 {
			return v.Timeout
		}
	default: // nobody rests at the others, or nobody knows how long
	}
	return 0
}

// Rests says whether a chain can outlive the record that starts it.
func (p *Program) Rests() bool {
	for i := range p.Steps {
		switch p.Steps[i].Verb.(type) {
		case *Send, *Branch, *Exit, *Emit, *Experiment, *SetProfile, *Start:
		default:
			return true
		}
	}
	return false
}

// TriggerWhere is the source of the trigger's condition, empty when it has none.
func (p *Program) TriggerWhere() string {
	switch t := p.Trigger.(type) {
	case *EventTrigger:
		return expr.SourceOf(t.Where)
	case *CountTrigger:
		return expr.SourceOf(t.Where)
	case *InactivityTrigger:
		return expr.SourceOf(t.Where)
	case *StreakTrigger:
		return expr.SourceOf(t.Where)
	default:
		return ""
	}
}

// TriggerText is equal for two campaigns with the same trigger.
func (p *Program) TriggerText() string { return p.WrittenTrigger }

// Emits are the names of the events that the program's steps make.
func (p *Program) Emits() []string {
	var names []string
	for i := range p.Steps {
		if e, ok := p.Steps[i].Verb.(*Emit); ok {
			names = append(names, e.Event)
		}
	}
	return names
}

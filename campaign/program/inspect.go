package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Earliest returns how long after the entry each step can be reached at the earliest, in ms, by
// step id; steps that no path reaches are absent. A wait that an event can close counts as nothing.
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
		leave := at + p.Steps[i].Verb.Timer().shortest(at)
		for _, target := range p.Targets(i) {
			if old, known := earliest[target]; !known || leave < old {
				earliest[target] = leave
			}
		}
	}
	return earliest
}

// Rests reports whether a chain can outlive the record that starts it.
func (p *Program) Rests() bool {
	for i := range p.Steps {
		if p.Steps[i].Verb.Timer().Kind != NoTimer {
			return true
		}
	}
	return false
}

// TriggerWhere returns the source of the trigger's condition, empty when it has none.
func (p *Program) TriggerWhere() string { return expr.SourceOf(p.Trigger.where()) }

// TriggerText returns a text that is equal for two campaigns with the same trigger.
func (p *Program) TriggerText() string { return p.WrittenTrigger }

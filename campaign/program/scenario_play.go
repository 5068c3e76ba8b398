package program

import (
	"fmt"
	"sort"
	"strings"
)

// Prepare makes a program what it is in this scenario: nobody is held out unless it says
// so, and each chain takes the variants that it names.
func (s *Scenario) Prepare(p *Program) {
	if !s.Holdout {
		p.Policy.Holdout = nil
	}
	for i := range p.Steps {
		x, ok := p.Steps[i].Verb.(*Experiment)
		if !ok {
			continue
		}
		forced := x.Index(s.Variants[p.Steps[i].ID])
		if forced < 0 {
			continue
		}
		for j := range x.Variants {
			x.Variants[j].Weight = 0
		}
		x.Variants[forced].Weight = 100
	}
}

// Check says which of the variants that the scenario names no campaign has.
func (s *Scenario) Check(programs []*Program) error {
	var missing []string
	for step, variant := range s.Variants { //nudge:unordered sorted below
		found := false
		for _, p := range programs {
			if named, _ := p.Step(step); named != nil {
				x, ok := named.Verb.(*Experiment)
				found = found || ok && x.Index(variant) >= 0
			}
		}
		if !found {
			missing = append(missing, fmt.Sprintf("variants: no experiment %q has a variant %q", step, variant))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	sort.Strings(missing)
	return fmt.Errorf("campaign: %s", strings.Join(missing, "; "))
}

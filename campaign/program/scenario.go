package program

import (
	"fmt"
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/campaign/event"
)

// KindScenario is the kind of a test of campaigns; a server does not take it.
const KindScenario = "Scenario"

// Scenario is a test of campaigns on a virtual clock.
type Scenario struct {
	Name      string
	Campaigns []string          // that take part; empty: all
	Variants  map[string]string // step -> variant that every chain takes
	At        int64             // when it begins, ms
	Holdout   bool              // holdouts count; else nobody is held out
	Steps     []ScenarioStep
}

// ScenarioStep is one thing that happens, and what must have been sent by then.
type ScenarioStep struct {
	Line     int
	Customer string       // empty: an event without a customer, for all whom it concerns
	Call     *event.Event // without id and time; nil: the clock moves on
	Advance  int64        // ms
	Expect   []Expectation
	Expected bool // there is an expect, perhaps an empty one
}

// Expectation is a delivery handed off since the last expect; empty fields hold for
// whatever they are.
type Expectation struct {
	Campaign, Step, Channel, Variant, Customer string
}

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

package program

import (
	"fmt"
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/campaign/event"
)

// KindScenario is the kind of a test of campaigns; a server does not take it.
const KindScenario = "Scenario"

// Scenario is a test of campaigns on a virtual clock: it lists what happens and what must be sent.
type Scenario struct {
	Name string
	// Campaigns are the names of those that take part; empty: all.
	Campaigns []string
	// Variants says which variant every chain takes, by the id of the experiment's step. So the
	// scenario does not depend on the bucket that the customer's id falls into.
	Variants map[string]string
	// At is the instant at which it begins, Unix ms.
	At int64
	// Holdout says that holdouts count; otherwise nobody is held out.
	Holdout bool
	Steps   []ScenarioStep
}

// ScenarioStep is one thing that happens, and what must have been sent by then.
type ScenarioStep struct {
	// Line is where the step begins in the file, for messages.
	Line int
	// Customer is empty for an event without a customer, such as a broadcast.
	Customer string
	// Call is the event, without id and time; nil: only the clock moves on.
	Call *event.Event
	// Advance is how far the clock moves, ms.
	Advance int64
	Expect  []Expectation
	// Expected says that there is an expect, perhaps an empty one: then nothing must have been
	// sent.
	Expected bool
}

// Expectation is a delivery handed off since the last expect. An empty field accepts any value.
type Expectation struct {
	Campaign, Step, Channel, Variant, Customer string
}

// Prepare changes a program for this scenario: nobody is held out unless it says so, and each chain
// takes the variants that it names. p must not be shared.
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

// Check returns an error that lists the variants named by the scenario that no campaign has.
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

package program

import "github.com/nudge-engine/nudge/campaign/event"

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

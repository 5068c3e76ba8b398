package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Mismatch is an expectation of a scenario that was not fulfilled.
type Mismatch struct {
	// Line is the line of the step in its file.
	Line int
	// Want is what the step expects, Got what was handed off since the expectation before.
	Want, Got []string
}

// String returns the mismatch as a message.
func (m Mismatch) String() string {
	return fmt.Sprintf("line %d: expected %s; handed off %s", m.Line, listed(m.Want), listed(m.Got))
}

// listed returns items as text; "nothing" for none.
func listed(items []string) string {
	if len(items) == 0 {
		return "nothing"
	}
	return strings.Join(items, ", ")
}

// RunScenario plays a scenario against the definitions in docs and returns the expectations
// that were not fulfilled. The error is for a scenario that cannot be played. A scenario
// that names campaigns runs only those; one partition suffices, because their number does
// not show.
func RunScenario(lang *expr.Language, docs []parse.Parsed, sc *program.Scenario) ([]Mismatch, error) {
	taking, err := takingPart(docs, sc)
	if err != nil {
		return nil, err
	}
	var programs []*program.Program
	for _, d := range taking {
		if d.Campaign != nil {
			programs = append(programs, d.Campaign)
		}
	}
	if err := sc.Check(programs); err != nil {
		return nil, err
	}
	sent := new(handedOff)
	config := Config{Lang: lang, Documents: taking, Partitions: 1, Sink: sent, Prepare: sc.Prepare}
	s, err := New(config, sc.At)
	if err != nil {
		return nil, err
	}
	var wrong []Mismatch
	now := sc.At
	for i := range sc.Steps {
		step := &sc.Steps[i]
		// A step may advance the clock and then have a call.
		now += step.Advance
		if step.Call != nil {
			// Ids are numbered by steps, so that the same scenario gives the same
			// deliveries.
			e := *step.Call
			e.Workspace, e.Customer, e.ID, e.Time = Workspace, step.Customer, fmt.Sprintf("step-%d", i+1), now
			err = s.Call(&e)
		} else {
			err = s.AdvanceTo(now)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", step.Line, err)
		}
		if !step.Expected {
			continue
		}
		if !sent.are(step.Expect) {
			wrong = append(wrong, Mismatch{Line: step.Line, Want: wanted(step.Expect), Got: sent.got()})
		}
		// The next expectation is about what follows.
		sent.deliveries = nil
	}
	return wrong, nil
}

// takingPart returns the documents of a scenario: its campaigns, and everything that is not
// a campaign or a scenario. It fails where a campaign that the scenario names is not
// defined.
func takingPart(docs []parse.Parsed, sc *program.Scenario) ([]parse.Parsed, error) {
	var taking []parse.Parsed
	missing := slices.Clone(sc.Campaigns)
	for _, d := range docs {
		if d.Campaign != nil && len(sc.Campaigns) > 0 && !slices.Contains(sc.Campaigns, d.Campaign.Name) {
			continue
		}
		if d.Campaign != nil {
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == d.Campaign.Name })
		}
		if d.Scenario == nil {
			taking = append(taking, d)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("campaign %q is not defined", missing[0])
	}
	return taking, nil
}

// handedOff is a Sink that keeps the deliveries handed off since the last expectation.
// Repeated attempts do not count.
type handedOff struct{ deliveries []output.Delivery }

// Delivery implements Sink.
func (h *handedOff) Delivery(d *output.Delivery) error {
	if d.Status == output.HandedOff && d.Attempt == 1 {
		h.deliveries = append(h.deliveries, *d)
	}
	return nil
}

// Decision implements Sink.
func (*handedOff) Decision(*output.Decision) error { return nil }

// Chain implements Sink.
func (*handedOff) Chain(*output.ChainRow) error { return nil }

// Goal implements Sink.
func (*handedOff) Goal(*output.GoalRow) error { return nil }

// are reports whether the deliveries are exactly the expected ones, in their order. A field
// that an expectation leaves out may have any value.
func (h *handedOff) are(want []program.Expectation) bool {
	return slices.EqualFunc(h.deliveries, want, func(d output.Delivery, e program.Expectation) bool {
		for _, pair := range [][2]string{
			{e.Campaign, d.Campaign},
			{e.Step, d.Step},
			{e.Channel, d.Channel},
			{e.Variant, d.Variant},
			{e.Customer, d.Customer},
		} {
			if pair[0] != "" && pair[0] != pair[1] {
				return false
			}
		}
		return true
	})
}

// got describes the deliveries for a mismatch.
func (h *handedOff) got() []string {
	var texts []string
	for i := range h.deliveries {
		d := &h.deliveries[i]
		texts = append(texts, described(program.Expectation{
			Campaign: d.Campaign, Step: d.Step, Channel: d.Channel, Variant: d.Variant, Customer: d.Customer,
		}))
	}
	return texts
}

// wanted describes expectations for a mismatch.
func wanted(all []program.Expectation) []string {
	var texts []string
	for _, e := range all {
		texts = append(texts, described(e))
	}
	return texts
}

// described returns what an expectation says, in the notation of a scenario.
func described(e program.Expectation) string {
	var parts []string
	for _, pair := range [][2]string{
		{"campaign", e.Campaign},
		{"step", e.Step},
		{"channel", e.Channel},
		{"variant", e.Variant},
		{"customer", e.Customer},
	} {
		if pair[1] != "" {
			parts = append(parts, pair[0]+": "+pair[1])
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

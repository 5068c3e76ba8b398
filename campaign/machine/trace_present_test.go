package machine

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// What the present of a customer explains in advance, the timer or the event of the same instant
// decides: each rule gives the same answer, with the same values.
func TestPresentForetellsTheDecision(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	compared := map[trace.Rule][2]int{} // how often yes and no
	for seed := range uint64(30) {
		id := fmt.Sprintf("c%d", seed)
		h := foretold{
			t: t, seed: seed, id: id, compared: compared, m: New(), explainer: New(),
			why: trace.NewTrace(lang, "w", id, ""),
		}
		h.live(guardedSets(t, lang))
	}
	for _, rule := range []trace.Rule{
		trace.RuleStatus, trace.RulePeriod, trace.RuleReentry, trace.RuleActive, trace.RuleAudience, trace.RuleGroup,
		trace.RuleConsent, trace.RuleQuiet, trace.RuleCap, trace.RuleConflict, trace.RuleDedupe,
	} {
		if n := compared[rule]; n[1] == 0 || n[0] == 0 && rule != trace.RuleStatus {
			t.Errorf("the rule %s was compared %d times with yes and %d times with no", rule, n[0], n[1])
		}
	}
	t.Log(compared)
}

// foretold compares what is explained in advance with what is decided, over one history.
type foretold struct {
	t        *testing.T
	seed     uint64
	id       string
	compared map[trace.Rule][2]int
	// m lives the history; explainer explains copies of the customer.
	m, explainer *Machine
	why          *trace.Trace // of both: taking expressions apart is kept
}

func (h *foretold) live(sets []*active.Set) {
	r, c := seeded(h.seed), customer.New("w", h.id, 0, 1)
	now := int64(1_772_359_200_000) // 2026-03-01T10:00:00Z
	for i := range 150 {
		set := sets[i/15%len(sets)]
		h.m.Use(set)
		end := now + r.Int64N(20*60_000)
		for { // each timer at its instant
			next := nextWake(c)
			if next == 0 || next > end {
				break
			}
			now = max(now, next)
			h.sends(h.present(set, c, now), h.traced(func() { h.m.Fire(c, now, now, new(output.Output)) }))
		}
		now = end
		h.m.Fire(c, now, now, new(output.Output))
		e := guardedEvent(r, c.ID, i, now)
		present := h.present(set, c, now)
		rows := h.traced(func() { h.m.Apply(c, &e, now, i == 0, new(output.Output)) })
		if e.Type == event.Track && i > 0 { // others change what the audience looks at
			h.entries(present, rows)
		}
	}
}

// nextWake is the instant of the customer's next chain timer; 0: there is none.
func nextWake(c *customer.Customer) (next int64) {
	for _, ch := range c.Chains {
		if due := ch.WakeAt(); due != 0 && due != customer.Never && (next == 0 || due < next) {
			next = due
		}
	}
	return next
}

// present are the rows that explain the customer at now.
func (h *foretold) present(set *active.Set, c *customer.Customer, now int64) []trace.RuleResult {
	copied, err := customer.Decode(c.AppendTo(nil), event.Names{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.why.Steps = nil
	h.explainer.Use(set)
	h.explainer.ExplainNow(copied, now, h.why)
	return h.why.Steps[0].Results
}

// traced are the rows of what f does.
func (h *foretold) traced(f func()) (rows []trace.RuleResult) {
	h.why.Steps = nil
	h.m.Observe(h.why)
	f()
	h.m.Observe(nil)
	for _, s := range h.why.Steps {
		rows = append(rows, s.Results...)
	}
	return rows
}

// sends compares the gates of the first channel that is decided; what follows may depend on it.
func (h *foretold) sends(present, rows []trace.RuleResult) {
	var first *trace.RuleResult
	for i := range rows {
		a := &rows[i]
		switch {
		case a.Decision != nil:
			return
		case a.Channel == "":
		case first == nil:
			first = a
			fallthrough
		case a.Channel == first.Channel && a.Entry == first.Entry && a.Campaign == first.Campaign:
			h.compare(present, a)
		}
	}
}

// entries compares the gates of the entries that an event asks for, up to what changes their
// answer: a decision about the campaign, or about any chain for the group.
func (h *foretold) entries(present, rows []trace.RuleResult) {
	rules := []trace.Rule{
		trace.RuleStatus, trace.RulePeriod, trace.RuleReentry, trace.RuleActive, trace.RuleAudience, trace.RuleGroup,
	}
	decided, changed := map[string]bool{}, false
	for i := range rows {
		a := &rows[i]
		switch {
		case decided[a.Campaign]:
		case a.Decision != nil:
			enters := a.Decision.Kind == output.Entered || a.Decision.Kind == output.Refreshed
			if enters && !changed {
				h.entered(present, a.Campaign)
			}
			decided[a.Campaign] = a.Decision.Kind != output.Erred
			changed = changed || decided[a.Campaign] && a.Decision.Kind != output.Refused
		case a.Entry == 0 && slices.Contains(rules, a.Rule) && (a.Rule != trace.RuleGroup || !changed):
			h.compare(present, a)
		}
	}
}

// entered wants that nothing refused the entry in advance.
func (h *foretold) entered(present []trace.RuleResult, campaign string) {
	for i := range present {
		a := &present[i]
		if a.Campaign == campaign && a.Entry == 0 && a.Answer == trace.No && a.Rule != trace.RuleHoldout {
			h.t.Errorf("seed %d: a chain of %s started in spite of %+v", h.seed, campaign, *a)
		}
	}
}

// compare wants the same row in advance, if the rule is asked in advance.
func (h *foretold) compare(present []trace.RuleResult, a *trace.RuleResult) {
	for i := range present {
		b := &present[i]
		if b.Campaign != a.Campaign || b.Entry != a.Entry || b.Step != a.Step || b.Channel != a.Channel ||
			b.Rule != a.Rule || b.About != a.About || b.Key != a.Key {
			continue
		}
		if b.Answer != a.Answer || !reflect.DeepEqual(b.Facts, a.Facts) {
			h.t.Errorf("seed %d: the present says\n%+v\nand the decision\n%+v", h.seed, *b, *a)
			return
		}
		n := h.compared[a.Rule]
		n[map[trace.Answer]int{trace.Yes: 0, trace.Note: 0, trace.No: 1}[a.Answer]]++
		h.compared[a.Rule] = n
		return
	}
}

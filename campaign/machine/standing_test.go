package machine

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
)

const asking = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: ask}
spec:
  trigger: {event: {name: Go}}
  reentry: {on_active: refresh}
  steps:
    - {id: ask, call: {url: "https://example.com", wait: true, timeout: 2h, on_fail: {goto: sorry}}}
    - {id: thanks, send: {channel: email}, goto: end}
    - {id: sorry, send: {channel: push}}
`

// A chain that waits for the reply of a call goes where on_fail says when none comes: that
// is the step that explain names, and whose sends it asks about.
func TestStandingOfAWaitingCall(t *testing.T) {
	m := New()
	m.Use(compileSet(t, asking))
	c := customer.New("w", "ann", 0, 1)
	e := event.Event{Workspace: "w", Customer: "ann", ID: "1", Type: event.Track, Name: "Go", Time: 1000}
	m.Apply(c, &e, 1000, true, new(output.Output))
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	why := trace.NewTrace(lang, "w", "ann", "")
	m.ExplainNow(c, 2000, why)
	then, gates := "", 0
	for _, a := range why.Steps[0].Results {
		for _, f := range a.Facts {
			if a.Rule == trace.RuleRest && f.Name == "then" {
				then = f.Value
			}
		}
		if a.Rule == trace.RuleConsent {
			if gates++; a.Step != "sorry" || a.Channel != "push" {
				t.Errorf("the next send is taken for %s on %s", a.Step, a.Channel)
			}
		}
	}
	if then != `"sorry"` || gates != 1 {
		t.Errorf("without a reply it goes to %s, and %d sends were asked about; want \"sorry\" and 1", then, gates)
	}
}

// A refresh restarts the timer also of a chain that waits for a reply.
func TestRefreshOfAWaitingCall(t *testing.T) {
	m := New()
	m.Use(compileSet(t, asking))
	c := customer.New("w", "ann", 0, 1)
	const later = 30 * 60_000
	for i, id := range []string{"1", "2"} {
		now := int64(1000 + i*later)
		e := event.Event{Workspace: "w", Customer: "ann", ID: id, Type: event.Track, Name: "Go", Time: now}
		m.Apply(c, &e, now, i == 0, new(output.Output))
	}
	if want := int64(1000 + later + 2*3_600_000); len(c.Chains) != 1 || c.Chains[0].Due != want {
		t.Errorf("the chain is due at %d; want %d", c.Chains[0].Due, want)
	}
}

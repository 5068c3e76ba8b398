package actors_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/stream"
)

const experimentCampaign = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: offer}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: bought, event: Bought, window: 2h, stop: false}]
  steps:
    - {id: text, experiment: {variants: [{id: a}, {id: b}], winner: {min_per_variant: 40, min_time: 4h}}}
    - {id: rest, delay: 30d}
`

// trialStart is 2026-03-01T10:10:00Z.
const trialStart = 1_772_359_800_000

// expose lets customers of one partition alone pass the experiment; n is that of the
// first. Every fifth buys, of variant b every second.
func (d *deployment) expose(t *testing.T, n, customers int) {
	t.Helper()
	done := make(chan error, 2*customers)
	sent, of := 0, map[bool]int{}
	track := func(customer, name string) {
		at, _ := d.now()
		e := event.Event{
			Workspace: "default", Customer: customer, ID: customer + name, Type: event.Track, Name: name, Time: at,
		}
		record := []stream.Record{{Kind: stream.KindEvent, Data: e.AppendTo(nil)}}
		if err := d.publisher.Add(0, record, func(err error) { done <- err }); err != nil {
			t.Fatal(err)
		}
		sent++
	}
	for i := n; customers > 0; i++ {
		customer := fmt.Sprintf("c%d", i)
		if stream.PartitionOf("default", customer, partitions) != 0 {
			continue
		}
		customers--
		b := program.Bucket("offer/text", customer) >= 5000
		track(customer, "Go")
		if of[b]++; of[b]%map[bool]int{false: 5, true: 2}[b] == 0 {
			track(customer, "Bought")
		}
	}
	for range sent {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// looks lets a decider look until all partitions have come to the clock's hour, or it has
// decided; what it said is appended to said. The idle partitions have only its ticks.
func (d *deployment) looks(t *testing.T, decider *actors.Decider, said []control.Decide) []control.Decide {
	t.Helper()
	at, _ := d.now()
	deadline := time.Now().Add(20 * time.Second)
	for behind := true; behind && len(said) == 0; {
		more, err := decider.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, more...)
		behind = false
		for p := range partitions {
			stats, err := d.engine.Stats(t.Context(), p)
			behind = behind || err != nil || stats.Now/unit.HourMillis < at/unit.HourMillis
		}
		if time.Now().After(deadline) {
			t.Fatal("the partitions do not come to the hour")
		}
	}
	more, err := decider.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return append(said, more...)
}

// The record of a decision is the same whether somebody looks at every hour, or comes
// back late after a restart, or restarts after every look; idle partitions do not hold
// it up; it is written once.
func TestDecisionDoesNotDependOnWhoLooks(t *testing.T) {
	const hours = 9
	run := func(every int, restart bool) []control.Decide {
		d := newDeployment(t, 0)
		d.clock.Store(trialStart)
		d.start(t)
		docs, err := parse.File(d.lang, "f", []byte(experimentCampaign))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.control.Apply(t.Context(), "default", []program.Document{docs[0].Document}); err != nil {
			t.Fatal(err)
		}
		decider := actors.NewDecider(d.control, d.now)
		var said []control.Decide
		for hour := range hours {
			if hour < 4 {
				d.expose(t, 10_000*hour, 40)
			}
			d.clock.Add(unit.HourMillis)
			if (hour+1)%every != 0 {
				continue
			}
			if restart {
				d.stop()
				d.start(t)
				decider = actors.NewDecider(d.control, d.now)
			}
			said = d.looks(t, decider, said)
		}
		trials, err := d.control.Experiments(t.Context())
		if err != nil || len(trials) != 1 || trials[0].Decided == nil || trials[0].Decided.Variant != "b" {
			t.Errorf("unexpected experiments %+v, error %v", trials, err)
		}
		d.stop()
		return said
	}
	text := func(all []control.Decide) string {
		b, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	hourly := run(1, false)
	if len(hourly) != 1 || hourly[0].Variant != "b" || hourly[0].Reason != output.ReasonConfidence {
		t.Fatalf("unexpected decisions %s", text(hourly))
	}
	t.Log(text(hourly))
	for name, got := range map[string][]control.Decide{
		"late": run(hours, false), "late, after a restart": run(hours, true), "a restart at each look": run(1, true),
		"every three hours": run(3, true),
	} {
		if text(got) != text(hourly) {
			t.Errorf("%s: %s\nwant %s", name, text(got), text(hourly))
		}
	}
}

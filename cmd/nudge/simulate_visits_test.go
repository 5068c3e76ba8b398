package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const visitCampaigns = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: birthday}
spec:
  trigger: {date: {path: customer.traits.birthday, repeat: yearly, at: "10:00"}}
  steps: [{id: wish, send: {channel: console, inline: {body: "Happy birthday"}}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: lead}
spec:
  trigger:
    webhook:
      mapping: {userId: $.contact.id, phone: "$.contact.phones[0]", source: $.source}
      required: [phone]
      types: {phone: e164}
      defaults: {source: web}
  steps: [{id: call, send: {channel: console, inline: {body: "{{ trigger.properties.phone }} {{ trigger.properties.source }}"}}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: morning}
spec:
  trigger: {schedule: {cron: "0 9 * * mon", zone: Europe/Kyiv}}
  audience: customer.traits.n > 2400.0
  steps:
    - {id: mail, send: {channel: console, inline: {body: "{{ trigger.properties.at }}"}}}
    - {id: rest, delay: 1h}
    - {id: more, send: {channel: console, inline: {body: more}}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: storm}
spec:
  trigger: {broadcast: {event: Storm Warning, audience: customer.traits.region in event.properties.regions}}
  steps: [{id: warn, send: {channel: console, inline: {body: "Storm in {{ customer.traits.region }}"}}}]
`

// A broadcast, a schedule, dates and webhooks over more customers than one step visits:
// everybody is reached once, in the order of the contract, with any number of
// partitions.
func TestVisitsReachEverybody(t *testing.T) {
	// shows: 7-9, 28, 30, 59, 62, 63, 72
	const customers = 2500
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	campaigns := write("c.yaml", visitCampaigns)
	var calls strings.Builder
	north := 0
	for n := range customers {
		region := []string{"north", "south", "west"}[n%3]
		if region != "west" {
			north++
		}
		fmt.Fprintf(&calls, `{"type":"identify","userId":"u%d","timestamp":"2026-03-01T00:00:00Z",`+
			`"traits":{"n":%d,"region":"%s","birthday":"--03-%02d"}}`+"\n", n*7919%customers, n, region, 1+n%28)
	}
	calls.WriteString(`{"type":"track","event":"Storm Warning","timestamp":"2026-03-01T00:00:00Z","messageId":"b1","properties":{"regions":["north","south"]}}
{"type":"track","event":"Storm Warning","timestamp":"2026-03-01T00:00:01Z","messageId":"b1","properties":{"regions":["west"]}}
{"type":"webhook","campaign":"lead","timestamp":"2026-03-01T00:00:02Z","body":{"contact":{"id":77,"phones":["+380441234567"]}}}
`)
	events := write("e.ndjson", calls.String())
	results := map[string]map[string]string{}
	for _, partitions := range []string{"1", "4", "16"} {
		out := filepath.Join(dir, partitions)
		code, _, errs := runTool(t, "simulate", "--campaigns", campaigns, "--events", events, "--out", out,
			"--partitions", partitions, "--until", "2026-03-09T08:00:00Z")
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		results[partitions] = map[string]string{}
		for _, name := range []string{"deliveries.ndjson", "chains.ndjson", "decisions.ndjson", "summary.json"} {
			text, err := os.ReadFile(filepath.Join(out, name))
			if err != nil || len(text) == 0 {
				t.Fatalf("%s: %v", name, err)
			}
			results[partitions][name] = string(text)
			if string(text) != results["1"][name] {
				t.Errorf("%s differs with %s partitions", name, partitions)
			}
		}
	}
	got, before := map[string]int{}, ""
	for line := range strings.Lines(results["1"]["deliveries.ndjson"]) {
		var d struct{ At, Due, Campaign, Step, Customer string }
		if err := json.Unmarshal([]byte(line), &d); err != nil || d.At != d.Due {
			t.Fatalf("%s: %v", line, err)
		}
		got[d.Campaign+" "+d.Step+" "+d.At[:13]]++
		if place := d.At + " " + d.Customer; place < before {
			t.Fatalf("%s comes after %s", place, before)
		}
		before = d.At + " " + d.Customer
	}
	want := map[string]int{
		"storm warn 2026-03-01T00": north, "lead call 2026-03-01T00": 1,
		"morning mail 2026-03-02T07": 99, "morning more 2026-03-02T08": 99,
		"morning mail 2026-03-09T07": 99, "morning more 2026-03-09T08": 99,
	}
	for day := 1; day <= 8; day++ {
		for n := range customers {
			if 1+n%28 == day {
				want[fmt.Sprintf("birthday wish 2026-03-%02dT10", day)]++
			}
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("unexpected deliveries\n got %v\nwant %v", got, want)
	}
	if !strings.Contains(results["1"]["deliveries.ndjson"], `"message":{"body":"+380441234567 web"}`) {
		t.Error("the webhook's message is not there")
	}
}

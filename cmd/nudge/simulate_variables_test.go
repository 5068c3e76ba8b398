package main

import "testing"

// A message can name what a chain knows: its customer, its trigger, its variant.
func TestSimulateVariables(t *testing.T) {
	const definitions = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: all}
spec:
  trigger: {event: {name: Go}}
  steps:
    - {id: tag, set: {tags: [vip, new]}}
    - {id: way, experiment: {variants: [{id: a, weight: 1}, {id: b, weight: 0}]}}
    - id: say
      send:
        channel: email
        inline:
          who: "{{ customer.id }} {{ customer.created_at }} {% for t in customer.tags %}{{ t }},{% endfor %}"
          what: "{{ trigger.name }} {{ trigger.id }} {{ trigger.time | date: '%d.%m.%Y %H:%M' }}"
          how: "{{ chain.key }} {{ chain.entered_at }} {{ chain.variants.way }} {{ campaign.name }}"
`
	const calls = `{"type":"track","userId":"c","event":"Go","messageId":"m1","timestamp":"2026-03-01T10:00:00.5Z"}` + "\n"
	files := simulated(t, definitions, calls)
	sameLines(t, fields(t, files["deliveries.ndjson"], "message"),
		`{"who":"c 2026-03-01T10:00:00.500Z new,vip,","what":"Go m1 01.03.2026 10:00",`+
			`"how":" 2026-03-01T10:00:00.500Z a all"}`)
}

package simulate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// Amounts in different currencies have no sum: each has its figure.
func TestFigures(t *testing.T) {
	type amount struct {
		currency string
		value    int64 // units
	}
	for _, x := range []struct {
		amounts []amount
		json    string
		text    string
	}{
		{nil, `{"revenue":0}`, "0"},
		{[]amount{{"", 0}, {"EUR", 10}}, `{"revenue":10}`, "10"},
		{[]amount{{"EUR", 10}, {"EUR", -10}}, `{"revenue":0}`, "0"},
		{[]amount{{"USD", 5}, {"EUR", 10}, {"USD", 2}}, `{"revenue":null,"revenues":{"EUR":10,"USD":7}}`, "10 EUR, 7 USD"},
		{[]amount{{"", 5}, {"EUR", 10}}, `{"revenue":null,"revenues":{"":5,"EUR":10}}`, "5, 10 EUR"},
	} {
		var p simulate.Purse
		for _, a := range x.amounts {
			p.Add(a.currency, unit.Money(a.value)*1_000_000)
		}
		var row struct {
			Revenue  simulate.Revenue  `json:"revenue"`
			Revenues simulate.Revenues `json:"revenues,omitempty"`
		}
		row.Revenue, row.Revenues = p.Figures()
		text, err := json.Marshal(row)
		if err != nil || string(text) != x.json || p.String() != x.text {
			t.Errorf("%v: unexpected %s, %q, error %v; want %s, %q", x.amounts, text, &p, err, x.json, x.text)
		}
	}
}

// A shop that sells in two currencies sees two figures, never their sum.
func TestRevenueByCurrency(t *testing.T) {
	const shop = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: shop}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: paid, event: Paid, value: event.properties.total, currency: event.properties.currency, window: 3d}]
  steps: [{id: rest, delay: 1h}]
`
	var calls []event.Event
	for i, paid := range []string{`{"total":"10.50","currency":"EUR"}`, `{"total":7,"currency":"USD"}`, `{"total":2,"currency":"EUR"}`} {
		who, at := fmt.Sprintf("c%d", i), int64(1_772_359_200_000+i*1000)
		calls = append(calls,
			event.Event{Workspace: "default", Customer: who, ID: who + "go", Type: event.Track, Name: "Go", Time: at},
			event.Event{
				Workspace: "default", Customer: who, ID: who + "paid", Type: event.Track, Name: "Paid", Time: at + 500,
				Properties: []byte(paid),
			})
	}
	files := run(t, shop, calls, 2)
	if text := string(files["summary.json"]); !strings.Contains(text, `"revenue": null,
      "revenues": {
        "EUR": 12.5,
        "USD": 7
      },`) || strings.Contains(text, "19.5") {
		t.Errorf("unexpected summary\n%s", text)
	}
	if text := string(files["chains.ndjson"]); !strings.Contains(text, `"value":10.5,`) ||
		!strings.Contains(text, `"held_out":false,"currency":"USD"}`) {
		t.Errorf("unexpected chains\n%s", text)
	}
}

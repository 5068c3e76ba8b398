package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A message id counts as a duplicate for a day of log time, exactly, however many other
// calls its partition saw meanwhile: the partitions do not show.
func TestSimulateDuplicates(t *testing.T) {
	const definitions = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: order}
spec:
  trigger: {event: {name: Order}}
  steps: [{id: s, send: {channel: email}}]
`
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	var calls strings.Builder
	call := func(user, event, id string, after time.Duration) {
		fmt.Fprintf(&calls, `{"type":"track","userId":%q,"event":%q,"messageId":%q,"timestamp":%q}`+"\n", user, event, id,
			start.Add(after).Format("2006-01-02T15:04:05.000Z"))
	}
	call("ann", "Order", "m1", 0)
	call("ann", "Order", "m1", 0)
	for i := range 9000 {
		call(fmt.Sprintf("u%d", i%50), "Page Viewed", fmt.Sprintf("o%d", i), time.Duration(i+1)*time.Second)
	}
	call("ann", "Order", "m1", 24*time.Hour-time.Millisecond) // a duplicate
	call("ann", "Order", "m1", 24*time.Hour)                  // none any more
	call("ann", "Order", "m1", 40*time.Hour)                  // a duplicate of that one
	call("ann", "Order", "m1", 80*time.Hour)
	one := simulated(t, definitions, calls.String())
	if n := strings.Count(one["deliveries.ndjson"], "\n"); n != 3 {
		t.Errorf("%d deliveries; want 3\n%s", n, one["deliveries.ndjson"])
	}
	for name, text := range simulated(t, definitions, calls.String(), "--partitions", "5") {
		if text != one[name] {
			t.Errorf("%s: the partitions show", name)
		}
	}
}

package customer

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/unit"
)

// Beyond maxOccurrences a counter counts by the minute: it says so, stays bounded, and
// is off by what fits into one slot at most.
func TestWindowByTheMinute(t *testing.T) {
	// shows: 106
	w := Window{}
	day := int64(unit.DayMillis)
	for i := range int64(100_000) {
		w.Add(i*1000, []Sum{{Property: "n", Total: 1}}, i*1000-30*day)
		if len(w.Items) > maxOccurrences {
			t.Fatalf("%d items", len(w.Items))
		}
		if w.Approximate() != (i >= maxOccurrences) {
			t.Fatalf("%d occurrences: approximate %v", i+1, w.Approximate())
		}
	}
	if w.Width != firstWidth {
		t.Errorf("slots of %d ms", w.Width)
	}
	count := uint64(0)
	for _, o := range w.Within(99_999_000, day/2) {
		count += o.Count
		if len(o.Sums) != 1 || o.Sums[0].Total != unit.Money(o.Count) {
			t.Fatalf("a slot of %d has the sums %v", o.Count, o.Sums)
		}
	}
	if want := uint64(day / 2 / 1000); count > want || count+60 < want {
		t.Errorf("%d in half a day; want about %d", count, want)
	}
	restored(t, &Customer{Workspace: "w", ID: "a", Windows: []Window{w}})
}

// One occurrence a minute fills the slots of a minute too: they double.
func TestWindowSlotsDouble(t *testing.T) {
	w := Window{}
	for i := range int64(maxOccurrences + 1) {
		w.Add(i*firstWidth, nil, -1)
	}
	if w.Width != 2*firstWidth || len(w.Items) != maxOccurrences/2+1 {
		t.Errorf("%d slots of %d ms", len(w.Items), w.Width)
	}
}

package backfill

import (
	"errors"
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/internal/wire"
)

func TestFillRecordGolden(t *testing.T) {
	records := map[string]Record{
		"fill_counter.v1": {
			Workspace: "w",
			Customer:  "c",
			K:         3,
			N:         4,
			Fill: active.BackfillCounts{Ask: 1, Counter: customer.Counter{
				Count: 5, First: 1_772_359_200_000, Last: 1_772_359_260_000,
				Sums: []customer.Sum{{Property: "total", Total: 12_500_000}},
			}},
		},
		"fill_window.v1": {
			Workspace: "w",
			Customer:  "c",
			K:         3,
			N:         5,
			Fill: active.BackfillCounts{Ask: 2, Width: 60_000, Items: []customer.Occurrence{
				{Time: 1_772_359_200_000, Count: 2, Sums: []customer.Sum{{Property: "total", Total: 1}}},
				{Time: 1_772_359_260_000, Count: 1},
			}},
		},
		"fill_mark.v1": {Workspace: "w", K: 3, N: 6, First: 7, Upto: 9, Done: true},
	}
	for name, want := range records {
		b := want.Encode()
		goldentest.Bytes(t, name, b)
		if got, err := Decode(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: unexpected record %+v, error %v", name, got, err)
		}
		want.Fill.Width = -1
		if _, err := Decode(want.Encode()); want.Fill.Items != nil && !errors.Is(err, wire.ErrCorrupt) {
			t.Errorf("%s: slots of no width: %v; want ErrCorrupt", name, err)
		}
		for n := range b {
			if _, err := Decode(b[:n]); !errors.Is(err, wire.ErrCorrupt) {
				t.Fatalf("%s: prefix of %d bytes: unexpected error %v; want ErrCorrupt", name, n, err)
			}
		}
	}
}

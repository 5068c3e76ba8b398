package erasure

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// Jobs of earlier versions are read as they were written; their form does not change.
func TestStoredForm(t *testing.T) {
	const stored = `{"hash":"h","requested":"2026-01-02T03:04:05Z","recorded":"2026-01-02T03:04:06Z",` +
		`"state_removed":"2026-01-02T03:04:07Z","state_copies_gone_by":"2026-01-02T03:34:07Z",` +
		`"rows_deleted":"2026-01-02T03:04:08Z","log_gone_by":"2026-01-03T03:04:08Z","done":true,"failure":"f",` +
		`"workspace":"w","customers":["a","b"],"places":[{"partition":1,"seq":2,"effect":3}]}`
	at := func(text string) *time.Time {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return &when
	}
	want := job{
		Receipt: Receipt{
			Hash: "h", Requested: *at("2026-01-02T03:04:05Z"), Recorded: at("2026-01-02T03:04:06Z"),
			StateRemoved: at("2026-01-02T03:04:07Z"), StateCopiesGoneBy: at("2026-01-02T03:34:07Z"),
			RowsDeleted: at("2026-01-02T03:04:08Z"), LogGoneBy: at("2026-01-03T03:04:08Z"), Done: true, Failure: "f",
		},
		Workspace: "w", Customers: []string{"a", "b"}, Places: []position{{Partition: 1, Seq: 2, Effect: 3}},
	}
	got, err := decodeJob([]byte(stored))
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, error %v; want %+v", got, err, want)
	}
	if text, err := json.Marshal(want); err != nil || string(text) != stored {
		t.Errorf("written as %s, error %v; want %s", text, err, stored)
	}
}

package control_test

import (
	"testing"

	"github.com/nudge-engine/nudge/actors/shard/control"
)

func TestControlRecords(t *testing.T) {
	skip := control.Record{K: 3, Skip: &control.Skip{Partition: 2, Seq: 7, Index: 1, Why: "w", Rebased: 9}}
	got, err := control.Decode(skip.Encode())
	if err != nil || *got.Skip != *skip.Skip {
		t.Errorf("got %+v, error %v", got, err)
	}
	records := []control.Record{skip, {K: 4, Skip: &control.Skip{Partition: 1, Seq: 8}}}
	if skips := control.SkipsOf(records, 2); len(skips) != 1 || skips[control.RecordPosition{Seq: 7, Index: 1}] != "w" {
		t.Errorf("unexpected skips %v", skips)
	}
	for _, bad := range []string{`{"k":1}`, `{"k":0,"skip":{}}`, `{"k":1,"skip":{},"genesis":{}}`} {
		if _, err := control.Decode([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

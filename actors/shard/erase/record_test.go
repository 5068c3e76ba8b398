package erase

import (
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
)

func TestEraseGolden(t *testing.T) {
	e := Record{Workspace: "default", Customer: "ann", Key: Fingerprint([]byte("a key for tests"))}
	goldentest.Bytes(t, "erase.v1", e.AppendTo(nil))
	if got, err := Decode(e.AppendTo(nil)); err != nil || got != e {
		t.Errorf("unexpected record %+v, error %v", got, err)
	}
}

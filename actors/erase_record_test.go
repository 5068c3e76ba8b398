package actors

import (
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
)

func TestEraseGolden(t *testing.T) {
	e := Erase{Workspace: "default", Customer: "ann", Key: EraseFingerprint([]byte("a key for tests"))}
	goldentest.Bytes(t, "erase.v1", e.AppendTo(nil))
	if got, err := DecodeErase(e.AppendTo(nil)); err != nil || got != e {
		t.Errorf("unexpected record %+v, error %v", got, err)
	}
}

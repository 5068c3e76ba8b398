package event

import (
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
)

func TestTransferCodec(t *testing.T) {
	tr := Transfer{
		Workspace: "w", Customer: "ann", Source: "anon:x", N: 7, Kind: TransferEvent, Body: []byte("body"),
	}
	goldentest.Bytes(t, "transfer.v1", tr.AppendTo(nil))
	if got, err := DecodeTransfer(tr.AppendTo(nil)); err != nil || !reflect.DeepEqual(got, tr) {
		t.Errorf("unexpected transfer %+v, error %v", got, err)
	}
	for n := range tr.AppendTo(nil) {
		if _, err := DecodeTransfer(tr.AppendTo(nil)[:n]); err == nil {
			t.Fatalf("a prefix of %d bytes is taken", n)
		}
	}
}

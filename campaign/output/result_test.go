package output

import (
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
)

func TestResultCodec(t *testing.T) {
	r := Result{Workspace: "default", Customer: "ann", Delivery: ID{9}, Attempt: 2, Verdict: Temporary, Detail: "HTTP 503"}
	b := r.AppendTo(nil)
	goldentest.Bytes(t, "result.v1", b)
	got, err := DecodeResult(b)
	if err != nil || got != r {
		t.Errorf("unexpected result %+v, error %v", got, err)
	}
	for _, more := range []Result{{Reply: `{"score":2}`}, {Reason: ReasonLimit}, {Reply: "{}", Reason: ReasonEgress}} {
		r.Reply, r.Reason = more.Reply, more.Reason
		if got, err := DecodeResult(r.AppendTo(nil)); err != nil || got != r {
			t.Errorf("unexpected result %+v, error %v", got, err)
		}
	}
}

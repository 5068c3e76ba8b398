package servertest_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// Poll ends with the first check that holds, with the limit, or with its context.
func TestPoll(t *testing.T) {
	n := 0
	counts := func() error {
		if n++; n < 3 {
			return servertest.ErrNotYet
		}
		return nil
	}
	if err := servertest.Poll(t.Context(), time.Minute, counts); err != nil || n != 3 {
		t.Errorf("%d checks, error %v; want 3 and none", n, err)
	}
	never := func() error { return servertest.ErrNotYet }
	if err := servertest.Poll(t.Context(), time.Millisecond, never); !errors.Is(err, servertest.ErrNotYet) {
		t.Errorf("after the limit: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := servertest.Poll(ctx, time.Minute, never); !errors.Is(err, servertest.ErrNotYet) {
		t.Errorf("after the end of the context: %v", err)
	}
}

// A free port can be listened on; of what a process printed the end can be shown.
func TestFreePortAndOutput(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", servertest.FreePort(t))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var o servertest.Output
	for _, text := range []string{"one ", "two"} {
		if _, err := o.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if o.String() != "one two" || o.Tail(3) != "two" || o.Tail(100) != "one two" {
		t.Errorf("kept %q, the end %q", o.String(), o.Tail(3))
	}
}

package stream

import (
	"context"
	"errors"
	"testing"
)

// A no of the embedded server that is not repeated is no failure of the log; one that
// stays is, and so is no answer at all.
func TestHealthIsBelievedWhenRepeated(t *testing.T) {
	no := errors.New("no")
	for said := range healthAsks + 2 {
		asked := 0
		err := believe(t.Context(), func() error {
			if asked++; asked <= said {
				return no
			}
			return nil
		})
		if healthy := said < healthAsks; healthy != (err == nil) || asked > healthAsks || !healthy && !errors.Is(err, no) {
			t.Errorf("after %d times no: error %v, asked %d times", said, err, asked)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	hang := make(chan struct{})
	defer close(hang)
	err := believe(ctx, func() error {
		cancel()
		<-hang
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("no answer is error %v", err)
	}
}

package warehouse

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/nudge-engine/nudge/stream"
)

// silent is a stream whose first reader never gives a message, and whose later ones do.
type silent struct {
	stream.Stream
	readers int
}

func (s *silent) Read(context.Context, uint64) (stream.Reader, error) {
	s.readers++
	return &silentReader{answers: s.readers > 1}, nil
}

type silentReader struct{ answers bool }

func (r *silentReader) Next(ctx context.Context) (stream.Message, error) {
	if r.answers {
		return stream.Message{Seq: 7}, nil
	}
	<-ctx.Done()
	return stream.Message{}, context.Cause(ctx)
}

func (*silentReader) Close() {}

// A message that does not come is an error that says which, and is read anew: rows never
// wait for a reader without a limit.
func TestSilentReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(silent)
		c := &cursor{stream: s}
		if _, err := c.get(t.Context(), 7); err == nil || !strings.Contains(err.Error(), "message 7 did not come") {
			t.Fatalf("unexpected error %v", err)
		}
		if m, err := c.get(t.Context(), 7); err != nil || m.Seq != 7 || s.readers != 2 {
			t.Errorf("the second try gives %d, error %v, from reader %d", m.Seq, err, s.readers)
		}
	})
}

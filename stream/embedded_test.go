package stream

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"
)

// Nobody else gets at the embedded log: not without its secret, and not with another one.
func TestEmbeddedLogIsOurs(t *testing.T) {
	l, err := OpenEmbedded(EmbeddedConfig{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, options := range [][]nats.Option{nil, {nats.Token("")}, {nats.Token("wrong")}, {nats.UserInfo("nudge", "")}} {
		conn, err := nats.Connect(l.server.ClientURL(), options...)
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("got %v; want a refusal", err)
		}
		if err == nil {
			conn.Close()
		}
	}
}

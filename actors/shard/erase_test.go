package shard

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// After the snapshot the store has nothing of an erased customer, and a replay from the
// beginning gives the same state.
func TestErasedLeavesNothing(t *testing.T) {
	w := newScriptWorld(t)
	w.clock = 1_772_359_200_000
	w.frame(t, "identify secret-name m1 {\"mail\": \"secret-mail\"}\ntrack bob m2 \"Go\"")
	w.snapshot(t)
	w.frame(t, "erase secret-name")
	w.snapshot(t)
	if err := w.store.Scan(nil, func(k, v []byte) error {
		if bytes.Contains(k, []byte("secret")) || bytes.Contains(v, []byte("secret")) {
			t.Errorf("the store still has %q: %q", k, v)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if c, _ := w.shard.Customer("default", "secret-name"); c != nil || !w.shard.Erased("default", "secret-name") {
		t.Errorf("unexpected customer %+v", c)
	}
	hash := w.shard.Meta().StateHash
	fresh := newScriptWorld(t)
	for i := range w.log {
		fresh.feed(t, &w.log[i])
	}
	fresh.snapshot(t)
	if got := fresh.shard.Meta().StateHash; got != hash {
		t.Errorf("a replay gives state %016x; want %016x", got, hash)
	}
}

// A program with another key would know the erased customer again as somebody new.
func TestEraseNeedsItsKey(t *testing.T) {
	e := erase.Record{Workspace: "default", Customer: "ann", Key: erase.Fingerprint(scriptKey)}
	s := New(Config{EraseKey: []byte("another key")})
	in := Input{At: Position{Seq: 1}, Frame: stream.Frame{Records: []stream.Record{
		{Kind: stream.KindErase, Data: e.AppendTo(nil)},
	}}}
	if _, err := s.Step(&in, new(effect.Effects)); !errors.Is(err, ErrEraseKey) {
		t.Errorf("unexpected error %v; want ErrEraseKey", err)
	}
}

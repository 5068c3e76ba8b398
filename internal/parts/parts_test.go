package parts

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// made is a Look at a memory log: when each stream was made, by hand.
type made map[string]time.Time

func (m made) Created(_ context.Context, name string) (time.Time, bool, error) {
	at, found := m[name]
	return at, found, nil
}

// opening notes the streams that are made.
type opening struct {
	stream.Log
	made made
}

func (o opening) Open(ctx context.Context, name string, options stream.Options) (stream.Stream, error) {
	if _, found := o.made[name]; !found {
		o.made[name] = time.Unix(0, int64(1000+len(o.made)))
	}
	return o.Log.Open(ctx, name, options)
}

// The register is stored; its bytes are read by later versions.
func TestRegisterIsStored(t *testing.T) {
	look, store := made{}, storage.NewMemory()
	log := opening{stream.NewMemory(time.Now), look}
	open := func() *Register {
		t.Helper()
		r, err := Open(log, look, store)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	g := Given{Node: "node", EraseKey: "feed"}
	for _, name := range []string{"CTL", "WH", "SEND_hook"} {
		if _, err := r.Open(t.Context(), name, stream.Options{MaxBytes: 1 << 20}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.Check(t.Context(), g), r.Complete("log", g, "rows")); err != nil {
		t.Fatal(err)
	}
	text, err := store.Get(storage.PartsKey())
	want := `{"format":1,"log":"log","node":"node","erase_key":"feed","rows":"rows",` +
		`"streams":{"CTL":1000,"SEND_hook":1002,"WH":1001}}`
	if err != nil || string(text) != want {
		t.Fatalf("stored is %s, error %v; want %s", text, err, want)
	}
	if err := open().Complete("another log", g, ""); !errors.Is(err, ErrLost) {
		t.Errorf("another log is taken: %v", err)
	}
	g.NodeLog = "log"
	g.Rows = Rows{Embedded: true, ID: "rows"}
	if err := open().Check(t.Context(), g); err != nil {
		t.Errorf("what is complete is refused: %v", err)
	}
	f := func(want string, given Given) {
		t.Helper()
		if err := open().Check(t.Context(), given); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", given, err, want)
		}
	}
	bad := g
	bad.EraseKey = "beef"
	f("erase_key: ", bad)
	bad = g
	bad.Node = "other"
	f("node.json: ", bad)
	bad = g
	bad.Rows.ID = ""
	f("clickhouse/: ", bad)
	look["WH"] = time.Unix(0, 5)
	f("WH: ", g)
	if _, err := open().Open(t.Context(), "WH", stream.Options{MaxBytes: 1}); !errors.Is(err, ErrLost) {
		t.Errorf("another stream is opened: %v", err)
	}
	delete(look, "SEND_hook")
	if said, err := open().Losses(t.Context(), g); err != nil || len(said) != 2 {
		t.Errorf("losses %q, error %v; want WH and SEND_hook", said, err)
	}
	b := new(storage.Batch)
	b.Set(storage.SinkKey("send/hook"), []byte("7"))
	if err := store.Commit(b); err != nil {
		t.Fatal(err)
	}
	if said, err := open().Accept(t.Context(), "log", g); err != nil || len(said) != 2 {
		t.Fatalf("accepted %q, error %v", said, err)
	}
	if position, err := store.Get(storage.SinkKey("send/hook")); err != nil || position != nil {
		t.Errorf("the position in a stream that is gone is still %s, error %v", position, err)
	}
	if err := open().Check(t.Context(), g); err != nil {
		t.Errorf("what was accepted is refused: %v", err)
	}
}

package recovery_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// log has the streams of one partition.
type log struct {
	*stream.Memory

	events, effects stream.Stream
	now             int64
}

func newLog(t *testing.T) *log {
	t.Helper()
	l := &log{now: 1_772_359_200_000}
	l.Memory = stream.NewMemory(func() time.Time { l.now++; return time.UnixMilli(l.now) })
	open := func(name string) stream.Stream {
		s, err := l.Open(t.Context(), name, stream.Options{MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	l.events, l.effects = open(stream.EventStream(0)), open(stream.EffectStream(0))
	return l
}

// appendTo adds a message and returns its position.
func appendTo(t *testing.T, s stream.Stream, data []byte) shard.Position {
	t.Helper()
	n, err := stream.AppendWait(t.Context(), s, stream.Append{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Get(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return shard.PositionOf(m)
}

func frame(kinds ...stream.Kind) []byte {
	var b stream.Builder
	for _, k := range kinds {
		b.Add(k, nil)
	}
	return b.Seal(1)
}

// message is an effect message that frame seq made under a semantics.
func message(seq, semantics uint64) (data []byte) {
	var c effect.Encoder
	e := effect.Effects{Seq: seq, Semantics: semantics, Drops: []effect.Drop{{Reason: "r"}}}
	c.Encode(&e, 1, func(_ uint64, b []byte) { data = b })
	return data
}

func TestCheckEvents(t *testing.T) {
	l := newLog(t)
	first := appendTo(t, l.events, frame(stream.KindTick))
	second := appendTo(t, l.events, frame(stream.KindTick))
	third := appendTo(t, l.events, frame(stream.KindTick))
	other := second
	other.Hash++
	check := func(name string, at shard.Position, want error) {
		t.Helper()
		if err := recovery.CheckEvents(t.Context(), l.events, at); !errors.Is(err, want) {
			t.Errorf("%s: got %v; want %v", name, err, want)
		}
	}
	check("nothing applied", shard.Position{}, nil)
	check("in the middle", second, nil)
	check("at the end", third, nil)
	check("beyond the end", shard.Position{Seq: 4}, shard.ErrContinuity)
	check("another message", other, shard.ErrContinuity)
	if err := l.events.Trim(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	check("just before what is left", second, nil)
	check("a gap", first, shard.ErrContinuity)
	if err := l.Rollback(stream.EventStream(0), 2); err != nil {
		t.Fatal(err)
	}
	appendTo(t, l.events, frame(stream.KindTick, stream.KindTick))
	check("the number was used again", third, shard.ErrContinuity)
	if err := l.Rollback(stream.EventStream(0), 2); err != nil {
		t.Fatal(err)
	}
	appendTo(t, l.events, frame(stream.KindLost))
	check("it stands for a frame that is lost", third, nil)
}

func TestCheckEffects(t *testing.T) {
	l := newLog(t)
	appendTo(t, l.events, frame(stream.KindTick))
	last := appendTo(t, l.effects, message(1, 7))
	for _, c := range []struct {
		name    string
		n, hash uint64
		want    error
	}{
		{"none emitted", 0, 0, nil},
		{"the same", 1, last.Hash, nil},
		{"another", 1, last.Hash + 1, shard.ErrContinuity},
		{"more than there are", 2, 0, shard.ErrContinuity},
	} {
		if err := recovery.CheckEffects(t.Context(), l.effects, c.n, c.hash); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v; want %v", c.name, err, c.want)
		}
	}
	if err := recovery.CheckOrigin(t.Context(), l.events, l.effects); err != nil {
		t.Errorf("the frame of the last effect is there: got %v", err)
	}
	appendTo(t, l.effects, message(2, 7))
	if err := recovery.CheckOrigin(t.Context(), l.events, l.effects); !errors.Is(err, shard.ErrContinuity) {
		t.Errorf("the frame of the last effect is lost: got %v; want ErrContinuity", err)
	}
}

// Another semantics goes on only where everything is drained, and writes itself into the
// snapshot first.
func TestTakeOver(t *testing.T) {
	l, store := newLog(t), storage.NewMemory()
	take := func(name string, semantics uint64, want error) {
		t.Helper()
		err := recovery.TakeOver(t.Context(), store, 0, semantics, l.events, l.effects)
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v; want %v", name, err, want)
		}
	}
	stored := func() uint64 {
		t.Helper()
		b, err := store.Get(storage.MetaKey(0))
		if err != nil {
			t.Fatal(err)
		}
		m, err := shard.DecodeMeta(b)
		if err != nil {
			t.Fatal(err)
		}
		return m.Semantics
	}
	take("nothing stored", 8, nil)
	at := appendTo(t, l.events, frame(stream.KindTick))
	out := appendTo(t, l.effects, message(1, 7))
	take("no snapshot, effects of another semantics", 8, shard.ErrSemantics)
	m := shard.Meta{Semantics: 7, Applied: at, Emitted: 1, LastHash: out.Hash}
	b := new(storage.Batch)
	b.Set(storage.MetaKey(0), m.Encode())
	if err := store.Commit(b); err != nil {
		t.Fatal(err)
	}
	take("the same semantics", 7, nil)
	appendTo(t, l.events, frame(stream.KindTick))
	take("a frame is not applied", 8, shard.ErrSemantics)
	if got := stored(); got != 7 {
		t.Errorf("the snapshot is of semantics %d; want 7 still", got)
	}
	if err := l.Rollback(stream.EventStream(0), 1); err != nil {
		t.Fatal(err)
	}
	take("drained", 8, nil)
	if got := stored(); got != 8 {
		t.Errorf("the snapshot is of semantics %d; want 8", got)
	}
}

package actors_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// Another semantics goes on only where the one before has drained, for all partitions
// or none, and its effects say so (R1).
func TestSemantics(t *testing.T) {
	d := newDeployment(t, 0)
	d.start(t)
	apply(t, d)
	d.send(t, 0, 30)
	d.drain(t)
	last := partitions - 1
	d.tick(t, last)
	d.semantics = effect.Semantics + 1
	if err := d.tryStart(t); !errors.Is(err, shard.ErrSemantics) {
		t.Fatalf("one partition has not drained: unexpected error %v; want ErrSemantics", err)
	}
	d.publisher.Close(context.Background())
	if m := meta(t, d.store, 0); m.Semantics != effect.Semantics {
		t.Fatalf("partition 0 was taken over, and partition %d not", last)
	}
	d.semantics = 0
	d.start(t)
	d.send(t, 1, 30)
	d.drain(t)
	before, err := d.effects[0].Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	d.semantics, d.refuses = effect.Semantics+1, errors.New("it says matches(data)")
	if err := d.tryStart(t); !errors.Is(err, shard.ErrSemantics) || !errors.Is(err, d.refuses) {
		t.Fatalf("a definition in force is refused: unexpected error %v; want ErrSemantics and why", err)
	}
	d.publisher.Close(context.Background())
	if m := meta(t, d.store, 0); m.Semantics != effect.Semantics {
		t.Fatal("a partition was taken over whose definitions have no meaning")
	}
	d.refuses = nil
	d.start(t)
	d.send(t, 2, 30)
	d.drain(t)
	for n := uint64(1); ; n++ {
		raw, err := d.effects[0].Get(t.Context(), n)
		if errors.Is(err, stream.ErrNotFound) && n > before.Last+1 {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		want := uint64(effect.Semantics)
		if n > before.Last {
			want++
		}
		if m, err := effect.DecodeMessage(raw.Data); err != nil || m.Semantics != want {
			t.Errorf("effect message %d has semantics %d, error %v; want %d", n, m.Semantics, err, want)
		}
	}

	d.semantics = 0
	d.tick(t, 0)
	if err := d.tryStart(t); !errors.Is(err, shard.ErrSemantics) {
		t.Errorf("the old program comes back: unexpected error %v; want ErrSemantics", err)
	}
	d.publisher.Close(context.Background())
	err = recovery.TakeOver(t.Context(), storage.NewMemory(), 0, effect.Semantics+1, d.events[0], d.effects[0])
	if !errors.Is(err, shard.ErrSemantics) {
		t.Errorf("replay from the first record under the new semantics: unexpected error %v; want ErrSemantics", err)
	}
}

func meta(t *testing.T, store storage.Store, partition int) shard.Meta {
	t.Helper()
	b, err := store.Get(storage.MetaKey(partition))
	if err != nil {
		t.Fatal(err)
	}
	m, err := shard.DecodeMeta(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tick appends a frame that nobody has applied.
func (d *deployment) tick(t *testing.T, partition int) {
	t.Helper()
	var b stream.Builder
	b.Add(stream.KindTick, nil)
	at, err := now()
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.AppendWait(t.Context(), d.events[partition], stream.Append{Data: b.Seal(at)})
	if err != nil {
		t.Fatal(err)
	}
}

func apply(t *testing.T, d *deployment) {
	t.Helper()
	docs, err := parse.File(d.lang, "f", []byte(engineCampaign))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.control.Apply(t.Context(), "default", []program.Document{docs[0].Document}); err != nil {
		t.Fatal(err)
	}
}

// drain stops when all that is in the log is applied.
func (d *deployment) drain(t *testing.T) {
	t.Helper()
	d.publisher.Close(context.Background())
	for p := range partitions {
		for {
			info, err := d.events[p].Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d.engine.Acked(p) == info.Last {
				break
			}
			<-d.engine.Changed(p)
		}
	}
	d.engine.Stop(context.Background())
}

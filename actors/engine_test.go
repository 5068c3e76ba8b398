package actors_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

const partitions = 3

// deployment is an engine over a log and a store in memory.
type deployment struct {
	log       *stream.Memory
	store     *storage.Memory
	events    []stream.Stream
	effects   []stream.Stream
	lang      *expr.Language
	limit     int64
	semantics uint64
	refuses   error // of every definition, by this program
	mark      func(partition int, seq uint64, index int)
	clock     atomic.Int64 // ms; 0: the real one

	expectHalts bool // set by the test's goroutine, read by a shard's after it was asked

	publisher *stream.Publisher
	engine    *actors.Engine
	control   *actors.Controller
}

func newDeployment(t *testing.T, memoryLimit int64) *deployment {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	d := &deployment{log: stream.NewMemory(time.Now), store: storage.NewMemory(), lang: lang, limit: memoryLimit}
	for p := range partitions {
		d.events = append(d.events, d.open(t, stream.EventStream(p)))
		d.effects = append(d.effects, d.open(t, stream.EffectStream(p)))
	}
	return d
}

func (d *deployment) open(t *testing.T, name string) stream.Stream {
	t.Helper()
	s, err := d.log.Open(t.Context(), name, stream.Options{MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func now() (int64, error) { return time.Now().UnixMilli(), nil }

func (d *deployment) now() (int64, error) {
	if at := d.clock.Load(); at != 0 {
		return at, nil
	}
	return now()
}

func (d *deployment) start(t *testing.T) {
	t.Helper()
	if err := d.tryStart(t); err != nil {
		t.Fatal(err)
	}
	if err := d.control.Attach(t.Context(), d.engine, d.publisher); err != nil {
		t.Fatal(err)
	}
}

func (d *deployment) tryStart(t *testing.T) error {
	t.Helper()
	var err error
	d.control, err = actors.OpenController(t.Context(), d.open(t, stream.ControlStream),
		control.Genesis{LogID: "log", Partitions: partitions, Semantics: effect.Semantics})
	if err != nil {
		t.Fatal(err)
	}
	d.publisher = stream.NewPublisher(d.events, d.now, slog.New(slog.DiscardHandler))
	d.engine = actors.NewEngine(actors.EngineConfig{
		Events: d.events, Effects: d.effects, Store: d.store, Publisher: d.publisher, Clock: d.now, Node: "n", Epoch: 1,
		Compile: func(workspace string, doc *program.Document) (program.Definition, error) {
			p, err := parse.Document(d.lang, workspace, doc)
			return p, errors.Join(err, d.refuses)
		},
		Logger: slog.New(slog.DiscardHandler), MemoryLimit: d.limit, Semantics: d.semantics, SnapshotEvery: 20 * time.Millisecond,
		Mark: d.mark,
		OnHalt: func(p int, err error) {
			if !d.expectHalts {
				t.Errorf("partition %d halted: %v", p, err)
			}
		},
	})
	return d.engine.Start(t.Context())
}

// silent is a stream that cannot be asked.
type silent struct{ stream.Stream }

func (silent) Info(context.Context) (stream.Info, error) { return stream.Info{}, stream.ErrNoAnswer }

// A log that gives no answer at start ends the start; a halt would need a person.
func TestStartWithoutAnswerHaltsNothing(t *testing.T) {
	d := newDeployment(t, 0)
	d.events[1] = silent{d.events[1]}
	halts := 0
	e := actors.NewEngine(actors.EngineConfig{
		Events: d.events, Effects: d.effects, Store: d.store, Clock: now, Node: "n", Epoch: 1,
		Logger: slog.New(slog.DiscardHandler), OnHalt: func(int, error) { halts++ },
	})
	if err := e.Start(t.Context()); !errors.Is(err, stream.ErrNoAnswer) {
		t.Errorf("unexpected error %v; want %v", err, stream.ErrNoAnswer)
	}
	e.Stop(t.Context())
	if halts != 0 {
		t.Errorf("%d partitions halted; want none", halts)
	}
}

func (d *deployment) stop() {
	d.publisher.Close(context.Background())
	d.engine.Stop(context.Background())
}

// send publishes one event for each of the customers and waits until it is durable.
func (d *deployment) send(t *testing.T, round, customers int) {
	t.Helper()
	done := make(chan error, customers)
	for c := range customers {
		e := event.Event{
			Workspace: "default",
			Customer:  fmt.Sprintf("c%d", c),
			ID:        fmt.Sprintf("%d/%d", round, c),
			Type:      event.Track,
			Name:      "E",
			Time:      time.Now().UnixMilli(),
		}
		p := stream.PartitionOf(e.Workspace, e.Customer, partitions)
		record := []stream.Record{{Kind: stream.KindEvent, Data: e.AppendTo(nil)}}
		if err := d.publisher.Add(p, record, func(err error) { done <- err }); err != nil {
			t.Fatal(err)
		}
	}
	for range customers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// view polls a customer until check is satisfied.
func (d *deployment) view(t *testing.T, id string, check func(*view.Customer) error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		v, err := d.engine.View(t.Context(), "default", id)
		if err == nil && v == nil {
			err = errors.New("no such customer")
		}
		if err == nil {
			err = check(v)
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("customer %s: %v", id, err)
		}
	}
}

const engineCampaign = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: each}
spec:
  trigger: {event: {name: E}}
  reentry: {on_active: parallel}
  audience: customer.count("E") >= 1
  steps:
    - {id: rest, delay: 300ms}
    - {id: say, send: {channel: console}}
`

// The shell applies everything, fires timers by its own ticks, takes snapshots,
// passivates and wakes customers, and goes on where it was after a stop.
func TestEngine(t *testing.T) {
	for _, limit := range []int64{0, 1} {
		t.Run(fmt.Sprintf("memory=%d", limit), func(t *testing.T) {
			const customers, rounds = 50, 4
			d := newDeployment(t, limit)
			for round := range rounds {
				d.start(t)
				docs, err := parse.File(d.lang, "f", []byte(engineCampaign))
				if err != nil {
					t.Fatal(err)
				}
				applied, err := d.control.Apply(t.Context(), "default", []program.Document{docs[0].Document})
				if err != nil || applied[0].Version != 1 || applied[0].Changed != (round == 0) {
					t.Fatalf("unexpected %+v, error %v", applied, err)
				}
				d.send(t, round, customers)
				for c := range customers {
					d.view(t, fmt.Sprintf("c%d", c), func(v *view.Customer) error {
						if len(v.Counters) != 1 || v.Counters[0].Count != uint64(round+1) || len(v.Pending) != round+1 {
							return fmt.Errorf(
								"counters %+v, %d pending; want %d of each",
								v.Counters,
								len(v.Pending),
								round+1,
							)
						}
						return nil
					})
				}
				d.stop()
			}
			d.checkEffects(t, customers*rounds)
		})
	}
}

// A panic ends a shard in the middle of a frame; it is made anew from its snapshot and
// the log while events go on to come, and nothing is lost or decided twice.
func TestPanicStartsAnew(t *testing.T) {
	const customers, rounds, after = 50, 12, 20
	d := newDeployment(t, 0)
	var panics [partitions]atomic.Int64
	d.mark = func(p int, seq uint64, index int) {
		if seq > after && index >= 0 && panics[p].CompareAndSwap(0, 1) {
			panic("a bug")
		}
	}
	d.start(t)
	docs, err := parse.File(d.lang, "f", []byte(engineCampaign))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.control.Apply(t.Context(), "default", []program.Document{docs[0].Document}); err != nil {
		t.Fatal(err)
	}
	for round := range rounds {
		d.send(t, round, customers)
	}
	for c := range customers {
		d.view(t, fmt.Sprintf("c%d", c), func(v *view.Customer) error {
			if len(v.Counters) != 1 || v.Counters[0].Count != rounds || len(v.Pending) != rounds {
				return fmt.Errorf("counters %+v, %d pending; want %d", v.Counters, len(v.Pending), rounds)
			}
			return nil
		})
	}
	for p := range panics {
		if panics[p].Load() == 0 {
			t.Errorf("partition %d did not panic", p)
		}
	}
	d.stop()
	d.checkEffects(t, customers*rounds)
}

// checkEffects reads the effect streams: numbered without gaps, one delivery an
// event, all ids different.
func (d *deployment) checkEffects(t *testing.T, want int) {
	t.Helper()
	ids := map[output.ID]bool{}
	for _, s := range d.effects {
		info, err := s.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for n := uint64(1); n <= info.Last; n++ {
			raw, err := s.Get(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			m, err := effect.DecodeMessage(raw.Data)
			if err != nil || m.N != n {
				t.Fatalf("message %d reads as %d, error %v", n, m.N, err)
			}
			for _, v := range m.Deliveries {
				if v.Status == output.HandedOff && ids[v.ID] {
					t.Errorf("delivery %s was handed off twice", v.ID)
				}
				ids[v.ID] = true
			}
		}
	}
	if len(ids) != want {
		t.Errorf("unexpected %d deliveries; want %d", len(ids), want)
	}
}

// A log that lost its tail is found out at start: the partition halts, and
// nothing new is passed over (R7).
func TestRolledBackLogHalts(t *testing.T) {
	d := newDeployment(t, 0)
	d.start(t)
	d.send(t, 0, 30)
	for p := range partitions {
		info, err := d.events[p].Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for d.engine.Acked(p) < info.Last && t.Context().Err() == nil {
			<-d.engine.Changed(p)
		}
	}
	d.stop()
	for p := range partitions {
		info, err := d.events[p].Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.log.Rollback(stream.EventStream(p), info.Last-1); err != nil {
			t.Fatal(err)
		}
	}
	halted := 0
	e := actors.NewEngine(actors.EngineConfig{
		Events: d.events, Effects: d.effects, Store: d.store, Clock: now, Logger: slog.New(slog.DiscardHandler),
		Publisher: stream.NewPublisher(d.events, now, slog.New(slog.DiscardHandler)),
		Compile:   func(string, *program.Document) (program.Definition, error) { return program.Definition{}, nil },
		OnHalt: func(_ int, err error) {
			if !errors.Is(err, shard.ErrContinuity) {
				t.Errorf("unexpected error %v; want ErrContinuity", err)
			}
			halted++
		},
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.Stop(context.Background())
	if halted != partitions {
		t.Errorf("%d partitions halted; want %d", halted, partitions)
	}
	if _, err := e.View(t.Context(), "default", "c1"); !errors.Is(err, shard.ErrContinuity) {
		t.Errorf("a halted partition answers %v; want ErrContinuity", err)
	}
}

// A log that loses its tail while the engine runs is found out at the next check.
func TestRolledBackWhileRunning(t *testing.T) {
	d := newDeployment(t, 0)
	d.start(t)
	defer d.stop()
	d.send(t, 0, 30)
	for p := range partitions {
		if err := d.engine.CheckContinuity(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		info, err := d.events[p].Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for d.engine.SavedSeq(p) < info.Last && t.Context().Err() == nil {
			if _, err := d.engine.Stats(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.log.Rollback(stream.EventStream(p), info.Last-1); err != nil {
			t.Fatal(err)
		}
		d.expectHalts = true
		if err := d.engine.CheckContinuity(t.Context(), p); !errors.Is(err, shard.ErrContinuity) ||
			!errors.Is(d.engine.Halted(p), shard.ErrContinuity) {
			t.Errorf("partition %d: unexpected %v, halted %v; want ErrContinuity", p, err, d.engine.Halted(p))
		}
	}
}

// Another number of partitions than the log's is refused with both numbers.
func TestPartitionsAreForLife(t *testing.T) {
	d := newDeployment(t, 0)
	ctl := d.open(t, stream.ControlStream)
	if _, err := actors.OpenController(t.Context(), ctl, control.Genesis{Partitions: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := actors.OpenController(
		t.Context(),
		ctl,
		control.Genesis{Partitions: 4},
	); !errors.Is(
		err,
		actors.ErrPartitions,
	) {
		t.Errorf("unexpected error %v; want ErrPartitions", err)
	}
}

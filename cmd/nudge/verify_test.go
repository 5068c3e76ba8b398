package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// dataDir is a server's data directory made by the real parts, without the server.
type dataDir struct {
	dir       string
	log       *stream.JetStream
	store     *storage.Pebble
	events    stream.Stream
	effects   stream.Stream
	publisher *stream.Publisher
	engine    *actors.Engine
	control   *actors.Controller
	lang      *expr.Language
}

// stillClock stands still, so that what is kept in a data directory does not
// expire before a later run opens it.
func stillClock() (int64, error) { return 1_772_359_200_000, nil }

// startDataDir opens the parts; the engine is not started.
func startDataDir(t *testing.T, dir string) *dataDir {
	t.Helper()
	return startDataDirAt(t, dir, stillClock)
}

// startDataDirAt is startDataDir with a clock.
func startDataDirAt(t *testing.T, dir string, clock func() (int64, error)) *dataDir {
	t.Helper()
	d := &dataDir{dir: dir}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if d.log, err = stream.OpenEmbedded(stream.EmbeddedConfig{Dir: filepath.Join(dir, "log"), Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	if d.store, err = storage.OpenPebble(storage.PebbleConfig{Dir: filepath.Join(dir, "state")}); err != nil {
		t.Fatal(err)
	}
	open := func(name string) stream.Stream {
		s, err := d.log.Open(t.Context(), name, stream.Options{MaxBytes: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	d.events, d.effects = open(stream.EventStream(0)), open(stream.EffectStream(0))
	if d.control, err = actors.OpenController(t.Context(), open(stream.ControlStream),
		control.Genesis{LogID: "log", Partitions: 1, Semantics: effect.Semantics}); err != nil {
		t.Fatal(err)
	}
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	d.publisher = stream.NewPublisher([]stream.Stream{d.events}, clock, quiet)
	d.engine = actors.NewEngine(actors.EngineConfig{
		Events: []stream.Stream{d.events}, Effects: []stream.Stream{d.effects}, Store: d.store, Publisher: d.publisher,
		Clock: clock, Node: "n", Epoch: 1, Logger: quiet,
		Compile: func(workspace string, doc *program.Document) (program.Definition, error) {
			return parse.Document(lang, workspace, doc)
		},
	})
	d.lang = lang
	return d
}

// openDataDir opens the parts, starts the engine and applies a campaign.
func openDataDir(t *testing.T, dir string) *dataDir {
	t.Helper()
	d := startDataDir(t, dir)
	if err := d.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.control.Attach(t.Context(), d.engine, d.publisher); err != nil {
		t.Fatal(err)
	}
	docs, err := parse.File(d.lang, "f", []byte("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: each}\nspec:\n"+
		"  trigger: {event: {name: E}}\n  reentry: {on_active: parallel}\n  steps: [{id: say, send: {channel: console}}, {id: rest, delay: 1h}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.control.Apply(t.Context(), "default", []program.Document{docs[0].Document}); err != nil {
		t.Fatal(err)
	}
	return d
}

// send publishes events, each in a frame of its own, and waits until all are applied.
func (d *dataDir) send(t *testing.T, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		e := event.Event{
			Workspace: "default", Customer: fmt.Sprintf("c%d", n%7), ID: strconv.Itoa(n), Type: event.Track, Name: "E",
			Time: 1_772_359_200_000,
		}
		done := make(chan error, 1)
		record := []stream.Record{{Kind: stream.KindEvent, Data: e.AppendTo(nil)}}
		if err := d.publisher.Add(0, record, func(err error) { done <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	info, err := d.events.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for d.engine.Acked(0) < info.Last && t.Context().Err() == nil {
		<-d.engine.Changed(0)
	}
}

// stop stops the engine, which takes a last snapshot, and keeps log and store open.
func (d *dataDir) stop() {
	d.publisher.Close(context.Background())
	d.engine.Stop(context.Background())
}

func (d *dataDir) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(d.store.Close(), d.log.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	verify := func(ok bool, want string) {
		t.Helper()
		code, out, errs := runTool(t, "verify", "--data", dir)
		if (code == 0) != ok || !strings.Contains(out+errs, want) {
			t.Errorf("exit %d: %s%s; want %q", code, out, errs, want)
		}
	}
	d := openDataDir(t, dir)
	d.send(t, 0, 30)
	d.stop()
	d.close(t)
	verify(true, "partition 0: ok: frames 1..")

	// The log is trimmed behind a checkpoint: the replay begins there.
	d = openDataDir(t, dir)
	if err := d.store.Checkpoint("1", 2); err != nil {
		t.Fatal(err)
	}
	begin := d.engine.SavedSeq(0)
	d.send(t, 30, 60)
	d.stop()
	if err := d.events.Trim(t.Context(), begin-1); err != nil {
		t.Fatal(err)
	}
	d.close(t)
	verify(true, fmt.Sprintf("partition 0: ok: frames %d..", begin+1))

	// A customer that was changed behind the engine's back is found out.
	d = openDataDir(t, dir)
	d.stop()
	key := storage.CustomerKey(0, "default", "c1")
	value, err := d.store.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	value[len(value)-1] ^= 1
	b := new(storage.Batch)
	b.Set(key, value)
	if err := d.store.Commit(b); err != nil {
		t.Fatal(err)
	}
	d.close(t)
	verify(false, "the stored customers have hash")
}

// An effect message that the fold would not have made is found out.
func TestVerifyComparesEffects(t *testing.T) {
	dir := t.TempDir()
	d := openDataDir(t, dir)
	d.send(t, 0, 5)
	d.stop()
	info, err := d.effects.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	forged := effect.Effects{Seq: 99, Output: output.Output{Decisions: []output.Decision{{Customer: "nobody"}}}}
	new(effect.Encoder).Encode(&forged, info.Last+1, func(_ uint64, data []byte) {
		if _, err := stream.AppendWait(t.Context(), d.effects, stream.Append{Data: data}); err != nil {
			t.Fatal(err)
		}
	})
	// One more frame, whose effect gets the number that is taken.
	e := event.Event{Workspace: "default", Customer: "c1", ID: "x", Type: event.Track, Name: "E", Time: 1}
	var frame stream.Builder
	frame.Add(stream.KindEvent, e.AppendTo(nil))
	now, _ := stillClock()
	if _, err := stream.AppendWait(t.Context(), d.events, stream.Append{Data: frame.Seal(now)}); err != nil {
		t.Fatal(err)
	}
	d.close(t)
	code, out, errs := runTool(t, "verify", "--data", dir)
	if code == 0 || !strings.Contains(out, "differs from the one in the log") {
		t.Errorf("exit %d: %s%s; want the difference named", code, out, errs)
	}
}

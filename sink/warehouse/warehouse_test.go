package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/stream"
)

// conform is what every warehouse does.
func conform(t *testing.T, w warehouse.Warehouse) {
	t.Helper()
	ctx := t.Context()
	for range 2 { // the second time there is nothing to do
		if err := w.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	table := func(block uint64) *warehouse.Table {
		at := []time.Time{time.UnixMilli(1_772_359_200_123).UTC(), time.UnixMilli(1).UTC()}
		texts := []string{"a", "Київ"}
		return &warehouse.Table{Name: "dead_letters", Rows: 2, Columns: []warehouse.Column{
			{Name: "workspace", Type: "LowCardinality(String)", Values: texts},
			{Name: "customer", Type: "String", Values: texts},
			{Name: "at", Type: "DateTime64(3, 'UTC')", Values: at},
			{Name: "block", Type: "UInt64", Values: []uint64{block, block}},
		}}
	}
	has := func(block, want uint64) {
		t.Helper()
		if n, err := w.Has(ctx, "dead_letters", block); err != nil || n != want {
			t.Errorf("block %d: unexpected %d rows, error %v; want %d", block, n, err, want)
		}
	}
	has(1, 0)
	for range 3 {
		if err := w.Insert(ctx, "log-1", table(1)); err != nil {
			t.Fatal(err)
		}
	}
	has(1, 2)
	if err := w.Insert(ctx, "log-2", table(2)); err != nil {
		t.Fatal(err)
	}
	has(1, 2)
	has(2, 2)
	// Rows of an erased customer go, those of others stay, also of a name that needs quotes.
	for range 2 {
		if err := w.Erase(ctx, "Київ", []string{"nobody", "o'hara\\", "Київ"}); err != nil {
			t.Fatal(err)
		}
	}
	has(1, 1)
	has(2, 1)
}

func TestMemoryConforms(t *testing.T) { conform(t, warehouse.NewMemory()) }

func TestClickHouseConforms(t *testing.T) { conform(t, openEngine(t)) }

// A migration that a crash cut off, or whose end was forgotten, is done again.
func TestMigrationIsDoneAgain(t *testing.T) {
	w, url := startEngine(t)
	for _, forgotten := range []string{"version = 3", "1"} {
		execute(t, url, "ALTER TABLE nudge.migrations DELETE WHERE "+forgotten+" SETTINGS mutations_sync = 1")
		execute(t, url, "DROP VIEW nudge.chains")
		if err := w.Migrate(t.Context()); err != nil {
			t.Errorf("migrations with %s forgotten: %v", forgotten, err)
		}
	}
}

// An engine that knows a token takes the insert for done although no row of it is there: so
// the writer looks afterwards, and tries another token.
func TestTokenWithoutRows(t *testing.T) {
	w, url := startEngine(t)
	if err := w.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	table := &warehouse.Table{Name: "dead_letters", Rows: 1, Columns: []warehouse.Column{
		{Name: "customer", Type: "String", Values: []string{"ann"}},
		{Name: "block", Type: "UInt64", Values: []uint64{7}},
	}}
	insert := func(token string, want uint64) {
		t.Helper()
		if err := w.Insert(t.Context(), token, table); err != nil {
			t.Fatal(err)
		}
		if n, err := w.Has(t.Context(), "dead_letters", 7); err != nil || n != want {
			t.Errorf("token %s: %d rows, error %v; want %d", token, n, err, want)
		}
	}
	insert("log-7", 1)
	execute(t, url, "ALTER TABLE nudge.dead_letters DELETE WHERE 1 SETTINGS mutations_sync = 2")
	insert("log-7", 0)
	insert("log-7-1", 1)
}

// execute runs a statement in the engine.
func execute(t *testing.T, url, statement string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(statement))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s, error %v", statement, response.Status, text, err)
	}
}

func openEngine(t *testing.T) *warehouse.ClickHouse {
	t.Helper()
	w, _ := startEngine(t)
	return w
}

// ownerPassword is of the user default of the engine under test.
const ownerPassword = "test-owner-pass-0001"

// startEngine starts a clickhoused of its own.
func startEngine(t *testing.T) (w *warehouse.ClickHouse, url string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "clickhoused")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program,
		"github.com/nudge-engine/nudge/cmd/clickhoused")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	serve := exec.CommandContext(ctx, program, "serve", "--data", filepath.Join(dir, "data"), "--listen", address)
	serve.Env = append(os.Environ(), "CLICKHOUSED_PASSWORD="+ownerPassword)
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = serve.Wait() })
	w, err = warehouse.Open("http://default:"+ownerPassword+"@"+address, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	deadline := time.Now().Add(time.Minute)
	for w.Migrate(t.Context()) != nil {
		if time.Now().After(deadline) {
			t.Fatal("the engine did not start in a minute")
		}
	}
	return w, "http://default:" + ownerPassword + "@" + address
}

// source is one partition with n frames of two events each, of which the second
// of every third frame is a duplicate, and one decision a frame.
func source(t *testing.T, n uint64) warehouse.Source {
	t.Helper()
	log := stream.NewMemory(func() time.Time { return time.UnixMilli(1).UTC() })
	events, err := log.Open(t.Context(), "EV_0", stream.Options{MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	effects, err := log.Open(t.Context(), "FX_0", stream.Options{MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= n; seq++ {
		var b stream.Builder
		for i := range 2 {
			e := event.Event{Workspace: "w", Customer: "c", ID: fmt.Sprintf("%d/%d", seq, i), Type: event.Track, Name: "E"}
			b.Add(stream.KindEvent, e.AppendTo(nil))
		}
		put(t, events, b.Seal(int64(seq)))
		e := effect.Effects{Seq: seq, Output: output.Output{Decisions: []output.Decision{{Customer: "c"}}}}
		if seq%3 == 0 {
			e.Drops = []effect.Drop{{Index: 1, Reason: output.Deduplicate}}
		}
		new(effect.Encoder).Encode(&e, seq, func(_ uint64, data []byte) { put(t, effects, data) })
	}
	return warehouse.Source{Events: events, Effects: effects, Acked: func() uint64 { return n }}
}

func put(t *testing.T, s stream.Stream, data []byte) {
	t.Helper()
	if _, err := stream.AppendWait(t.Context(), s, stream.Append{Data: data}); err != nil {
		t.Fatal(err)
	}
}

// Every row once, although the warehouse refuses, lies (applies and reports a
// failure), and the writer is stopped and started at any moment.
func TestWriterWritesEveryRowOnce(t *testing.T) {
	const frames = 300
	m := warehouse.NewMemory()
	rng := rand.New(rand.NewPCG(1, 2)) // asked under m's lock
	m.Fail = func() bool { return rng.IntN(8) == 0 }
	m.Lie = func() bool { return rng.IntN(4) == 0 }
	lost := 0
	m.Lose = func() bool {
		lose := rng.IntN(6) == 0
		if lose {
			lost++
		}
		return lose
	}
	src := source(t, frames)
	state, err := stream.NewMemory(time.Now).Open(t.Context(), "WH", stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for {
		w, err := warehouse.NewWriter(warehouse.WriterConfig{
			Warehouse: m, Sources: []warehouse.Source{src}, State: state, LogID: "log", Linger: time.Millisecond,
			Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		if w.Position(0) == frames {
			break
		}
		if runs++; runs > 200 {
			t.Fatalf("position %d after %d runs; want %d", w.Position(0), runs, frames)
		}
		// A run is cut off soon, at a moment that differs from run to run.
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(runs%40)*10*time.Millisecond)
		w.Run(ctx)
		cancel()
	}
	if n := m.Rows("events"); n != 2*frames-frames/3 {
		t.Errorf("unexpected %d events; want %d", n, 2*frames-frames/3)
	}
	if n := m.Rows("decisions"); n != frames {
		t.Errorf("unexpected %d decisions; want %d", n, frames)
	}
	seen := map[string]bool{}
	for _, table := range m.Tables["events"] {
		for _, c := range table.Columns {
			if ids, ok := c.Values.([]string); ok && c.Name == "message_id" {
				for _, id := range ids {
					if seen[id] || strings.HasSuffix(id, "/1") && divisible(id) {
						t.Errorf("event %s is there twice, or was a duplicate", id)
					}
					seen[id] = true
				}
			}
		}
	}
	if lost == 0 {
		t.Error("no insert was lost: the test did not try what it should")
	}
	t.Logf("%d runs, %d inserts lost", runs, lost)
}

func divisible(id string) bool {
	var seq int
	if _, err := fmt.Sscanf(id, "%d/", &seq); err != nil {
		return false
	}
	return seq%3 == 0
}

// Frames that left the log before they were written are a counted gap, also out
// of a block that is sealed already; the rest is written.
func TestWriterPassesOverAGap(t *testing.T) {
	const frames = 300
	src := source(t, frames)
	state, err := stream.NewMemory(time.Now).Open(t.Context(), "WH", stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	m := warehouse.NewMemory()
	m.Fail = func() bool { return true }
	run := func(limit time.Duration) *warehouse.Writer {
		t.Helper()
		w, err := warehouse.NewWriter(warehouse.WriterConfig{
			Warehouse: m, Sources: []warehouse.Source{src}, State: state, LogID: "log", Linger: time.Millisecond,
			Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		done := make(chan struct{})
		go func() { w.Run(ctx); close(done) }()
		for w.Position(0) < frames && ctx.Err() == nil {
		}
		cancel()
		<-done
		return w
	}
	run(100 * time.Millisecond) // seals a block and cannot send it
	if err := src.Events.Trim(t.Context(), 150); err != nil {
		t.Fatal(err)
	}
	if err := src.Effects.Trim(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	m.Fail = nil
	w := run(20 * time.Second)
	if w.Position(0) != frames || w.EffectPosition(0) != frames || w.Gaps() != 150+100 {
		t.Errorf("position %d and %d, %d gaps; want %d, %d, 250", w.Position(0), w.EffectPosition(0), w.Gaps(), frames, frames)
	}
	if n := m.Rows("events"); n != 2*150-50 {
		t.Errorf("unexpected %d events; want %d", n, 2*150-50)
	}
	if n := m.Rows("decisions"); n != 200 {
		t.Errorf("unexpected %d decisions; want 200", n)
	}
}

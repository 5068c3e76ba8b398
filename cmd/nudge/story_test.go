package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/explain"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

const workspace = "default"

// story makes a data directory step by step: the log of a real nats-server, snapshots and
// checkpoints of Pebble, at the instants that a test says. What is sent succeeds at once.
type story struct {
	dir    string
	lang   *expr.Language
	log    *stream.JetStream
	store  *storage.Pebble
	events stream.Stream
	ctl    stream.Stream
	shard  *shard.Shard
	k      uint64
	clock  int64 // ms
	lines  int
	known  []*program.Program // ever applied
	// after is called when a frame is applied; may be nil.
	after func()
}

func newStory(t *testing.T, dir string) *story {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	s := &story{dir: dir, lang: lang, clock: at(t, "2026-03-01T10:00:00Z")}
	s.shard = shard.New(shard.Config{Compile: func(workspace string, d *program.Document) (program.Definition, error) {
		return parse.Document(lang, workspace, d)
	}})
	s.open(t)
	s.control(t, control.Record{Genesis: &control.Genesis{LogID: "log", Partitions: 1, Semantics: effect.Semantics}})
	return s
}

func at(t *testing.T, text string) int64 {
	t.Helper()
	ms, err := instant("at", text)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func (s *story) open(t *testing.T) {
	t.Helper()
	var err error
	quiet := slog.New(slog.DiscardHandler)
	if s.log, err = stream.OpenEmbedded(
		stream.EmbeddedConfig{Dir: filepath.Join(s.dir, "log"), Logger: quiet},
	); err != nil {
		t.Fatal(err)
	}
	if s.store, err = storage.OpenPebble(storage.PebbleConfig{Dir: filepath.Join(s.dir, "state")}); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]*stream.Stream{stream.EventStream(0): &s.events, stream.ControlStream: &s.ctl} {
		if *to, err = s.log.Open(t.Context(), name, stream.Options{MaxBytes: 1 << 30}); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *story) close(t *testing.T) {
	t.Helper()
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.log.Close(); err != nil {
		t.Fatal(err)
	}
}

func (s *story) control(t *testing.T, c control.Record) {
	t.Helper()
	s.k++
	c.K = s.k
	if _, err := stream.AppendWait(t.Context(), s.ctl, stream.Append{Data: c.Encode()}); err != nil {
		t.Fatal(err)
	}
	s.step(t, stream.Record{Kind: stream.KindControl, Data: c.Encode()})
}

func (s *story) apply(t *testing.T, text string) {
	t.Helper()
	files := []definition.File{{Name: "input", Text: []byte(text)}}
	docs, err := definition.Parse(s.lang, files, definition.Options{Loose: true})
	if err != nil {
		t.Fatal(err)
	}
	a := &control.Apply{Workspace: workspace}
	for i := range docs {
		if p := docs[i].Campaign; p != nil {
			s.known = append(s.known, p)
		}
		d := docs[i].Document
		d.Version = uint32(s.k)
		a.Documents = append(a.Documents, d)
	}
	s.control(t, control.Record{Apply: a})
}

// step appends a frame and applies it, and then what the channels answered.
func (s *story) step(t *testing.T, records ...stream.Record) {
	t.Helper()
	for len(records) > 0 {
		var frame stream.Builder
		for _, r := range records {
			frame.Add(r.Kind, r.Data)
		}
		seq, err := stream.AppendWait(t.Context(), s.events, stream.Append{Data: frame.Seal(s.clock)})
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.events.Get(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		in, err := shard.DecodeInput(m)
		if err != nil {
			t.Fatal(err)
		}
		records = nil
		for done := false; !done; {
			var out effect.Effects
			if done, err = s.shard.Step(&in, &out); err != nil || len(out.DeadLetters) > 0 {
				t.Fatal(err, out.DeadLetters)
			}
			s.shard.Encode(&out, func(uint64, []byte) {})
			for i := range out.Deliveries {
				if d := &out.Deliveries[i]; d.Status == output.HandedOff {
					r := output.Result{
						Workspace: d.Workspace, Customer: d.Customer, Delivery: d.ID, Attempt: d.Attempt,
						Verdict: output.Accepted,
					}
					records = append(records, stream.Record{Kind: stream.KindResult, Data: r.AppendTo(nil)})
				}
			}
		}
		if s.after != nil {
			s.after()
		}
	}
}

// calls are recorded calls, one a line, each a frame. One without a timestamp happens at
// the clock's instant.
func (s *story) calls(t *testing.T, input string) {
	t.Helper()
	reader := ingest.NewRecorded(workspace)
	reader.Knows(s.known)
	for line := range strings.Lines(input) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if !strings.Contains(line, `"timestamp"`) {
			line = fmt.Sprintf(`{"timestamp": %q, `, unit.FormatTime(s.clock)) + strings.TrimPrefix(line, "{")
		}
		s.lines++
		events, err := reader.Read([]byte(line), fmt.Sprintf("e%d", s.lines))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for i := range events {
			kind := stream.KindEvent
			if events[i].Customer == "" {
				kind = stream.KindBroadcast
			}
			s.step(t, stream.Record{Kind: kind, Data: events[i].AppendTo(nil)})
		}
		for s.shard.HasBulkScan() {
			s.step(t, stream.Record{Kind: stream.KindTick})
		}
	}
}

// advance lets time pass; each timer fires at its instant.
func (s *story) advance(t *testing.T, length string) {
	t.Helper()
	d, err := unit.ParseDuration(length)
	if err != nil {
		t.Fatal(err)
	}
	end := s.clock + d
	for due := s.shard.NextDue(); due != 0 && due <= end; due = s.shard.NextDue() {
		s.clock = max(due, s.clock)
		s.step(t, stream.Record{Kind: stream.KindTick})
	}
	s.clock = end
}

// snapshot makes what was computed durable.
func (s *story) snapshot(t *testing.T) {
	t.Helper()
	if err := s.store.Commit(s.shard.Snapshot()); err != nil {
		t.Fatal(err)
	}
	s.shard.Saved()
}

// checkpoint keeps a copy of the store; trimmed drops the log before it.
func (s *story) checkpoint(t *testing.T, trimmed bool) {
	t.Helper()
	s.snapshot(t)
	if err := s.store.Checkpoint(time.UnixMilli(s.clock).UTC().Format("20060102T150405.000Z"), 2); err != nil {
		t.Fatal(err)
	}
	if trimmed {
		if err := s.events.Trim(t.Context(), s.shard.Applied().Seq-1); err != nil {
			t.Fatal(err)
		}
	}
}

// tool runs a command over the directory, which is closed meanwhile.
func (s *story) tool(t *testing.T, args ...string) (out, errs string) {
	t.Helper()
	s.close(t)
	defer s.open(t)
	code, out, errs := runTool(t, append(args, "--data", s.dir)...)
	if code != 0 {
		return fmt.Sprintf("exit %d: %s", code, errs), errs
	}
	return out, errs
}

// view is the customer as the shard has them, as `nudge customer` shows it.
func (s *story) view(t *testing.T, customer string) string {
	t.Helper()
	v := s.shard.PastView(workspace, customer, nil)
	if v == nil {
		return ""
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// present is what a running server explains; it changes nothing of the customer.
func (s *story) present(t *testing.T, customer, name string) string {
	t.Helper()
	c, _ := s.shard.Customer(workspace, customer)
	before := c.AppendTo(nil)
	trace := trace.NewTrace(s.lang, workspace, customer, name)
	if found, _, err := s.shard.Explain(trace, s.clock); err != nil || !found {
		t.Fatalf("%s: found %v, error %v", customer, found, err)
	}
	if string(c.AppendTo(nil)) != string(before) {
		t.Errorf("to explain %s changes them", customer)
	}
	var text strings.Builder
	if err := explain.Of(trace, 0, 0).Text(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

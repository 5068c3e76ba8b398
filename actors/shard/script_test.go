package shard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// TestScripts tells the behaviour of a shard as stories: testdata/script/*.txt.
// Commands:
//
//	apply                    the input is definitions, put in force
//	decide CAMPAIGN STEP VARIANT  the winner of an experiment
//	tally                    what is counted for experiments: matured by an hour, converted of these
//	at TIME                  the clock of the next frames
//	advance DURATION         ticks at each instant at which a timer is due
//	frame [t=TIME]           one frame; each line is a record:
//	                           track CUSTOMER ID "Name" {properties} [time=TIME] [zone=NAME] [historical]
//	                           identify CUSTOMER ID {traits}
//	                           broadcast ID "Name" {properties}
//	                           result CUSTOMER accepted|temporary|permanent|{reply}
//	                           alias ANONYMOUS ID CUSTOMER
//	                           erase CUSTOMER
//	                           {a definition}
//	carry [again]            what customers who merged sent on, as one frame; again: all of
//	                         it since the beginning, as after a crash of the carrier
//	restart                  snapshot, and a new shard from the store
//	crash                    a new shard from the last snapshot, then the log again
//
// The second time every customer falls asleep after each frame, which must not show.
func TestScripts(t *testing.T) {
	t.Run("awake", func(t *testing.T) { runScripts(t, false) })
	t.Run("asleep", func(t *testing.T) { runScripts(t, true) })
}

func runScripts(t *testing.T, asleep bool) {
	t.Helper()
	datadriven.Walk(t, "testdata/script", func(t *testing.T, path string) {
		t.Helper()
		w := newScriptWorld(t)
		w.asleep = asleep
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			w.out.Reset()
			switch d.Cmd {
			case "apply":
				w.apply(t, d.Input)
			case "decide":
				w.ctl++
				c := control.Record{K: w.ctl, Decide: &control.Decide{Workspace: "default", Winner: active.Winner{
					Campaign: d.CmdArgs[0].Key, Step: d.CmdArgs[1].Key, Variant: d.CmdArgs[2].Key,
				}}}
				w.step(t, stream.Record{Kind: stream.KindControl, Data: c.Encode()})
			case "tally":
				w.tally()
			case "at":
				w.clock = instant(t, d.CmdArgs[0].Key)
			case "advance":
				w.advance(t, d.CmdArgs[0].Key)
			case "frame":
				w.frame(t, d.Input)
			case "carry":
				w.carry(t, len(d.CmdArgs) > 0)
			case "restart":
				w.snapshot(t)
				w.recover(t)
			case "crash":
				w.recover(t)
			default:
				t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			}
			return w.out.String()
		})
	})
}

var scriptKey = []byte("a key for tests")

type scriptWorld struct {
	lang   *expr.Language
	shard  *Shard
	store  *storage.Memory
	log    []Input
	clock  int64
	ctl    uint64
	out    strings.Builder
	sent   []output.Delivery
	moving []event.Transfer // made by the log so far
	moved  int              // of them carried
	silent bool
	asleep bool              // customers fall asleep after each frame
	wrote  map[uint64]uint64 // hash of each effect message
}

func newScriptWorld(t *testing.T) *scriptWorld {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	w := &scriptWorld{lang: lang, store: storage.NewMemory(), wrote: map[uint64]uint64{}}
	w.recover(t)
	return w
}

func (w *scriptWorld) compile(workspace string, d *program.Document) (program.Definition, error) {
	return parse.Document(w.lang, workspace, d)
}

func instant(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

func (w *scriptWorld) apply(t *testing.T, text string) {
	t.Helper()
	record, err := w.control(text)
	if err != nil {
		fmt.Fprintln(&w.out, err)
		return
	}
	w.step(t, record)
	fmt.Fprintln(&w.out, "ok")
}

// control is the next control record, of definitions.
func (w *scriptWorld) control(text string) (stream.Record, error) {
	docs, err := parse.File(w.lang, "input", []byte(text))
	if err != nil {
		return stream.Record{}, err
	}
	w.ctl++
	c := control.Record{K: w.ctl, Apply: &control.Apply{Workspace: "default"}}
	for _, d := range docs {
		d.Document.Version = uint32(w.ctl)
		c.Apply.Documents = append(c.Apply.Documents, d.Document)
	}
	return stream.Record{Kind: stream.KindControl, Data: c.Encode()}, nil
}

func (w *scriptWorld) step(t *testing.T, records ...stream.Record) {
	t.Helper()
	seq := uint64(len(w.log) + 1)
	in := Input{At: Position{Seq: seq}, Frame: stream.Frame{Time: w.clock, Records: records}}
	w.log = append(w.log, in)
	w.feed(t, &in)
	if w.asleep {
		w.sleep(t)
	}
}

// sleep lets everybody fall asleep.
func (w *scriptWorld) sleep(t *testing.T) {
	t.Helper()
	for range 2 { // after the first round nobody counts as used
		w.snapshot(t)
		w.shard.Passivate(len(w.shard.customers.all))
	}
	if n := len(w.shard.customers.awake); n > 0 {
		t.Fatalf("%d customers are awake", n)
	}
	if err := w.shard.Check(); err != nil {
		t.Fatal(err)
	}
}

func (w *scriptWorld) feed(t *testing.T, in *Input) {
	t.Helper()
	for {
		if workspace, after, n, wanted := w.shard.BulkScanPage(); wanted {
			ids, err := storage.CustomersAfter(w.store, 0, workspace, after, n)
			if err != nil {
				t.Fatal(err)
			}
			w.shard.SetBulkScanPage(ids)
		}
		for _, key := range w.shard.Needs(in) {
			workspace, id, _ := strings.Cut(key, "\x00")
			v, err := w.store.Get(storage.CustomerKey(0, workspace, id))
			if err == nil {
				err = w.shard.Load(key, v)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		var out effect.Effects
		done, err := w.shard.Step(in, &out)
		if err != nil {
			t.Fatal(err)
		}
		w.shard.Encode(&out, func(n uint64, data []byte) { w.check(t, n, data) })
		w.print(&out)
		if done {
			return
		}
	}
}

// check reads every message back: what is written is what was decided, and a replay
// writes the same.
func (w *scriptWorld) check(t *testing.T, n uint64, data []byte) {
	t.Helper()
	m, err := effect.DecodeMessage(data)
	if err != nil || m.N != n {
		t.Fatalf("effect message %d reads as %d, error %v", n, m.N, err)
	}
	if before, again := w.wrote[n]; again && before != hashBytes(data) {
		t.Fatalf("effect message %d differs when the log is read again", n)
	}
	w.wrote[n] = hashBytes(data)
}

func (w *scriptWorld) print(out *effect.Effects) {
	for _, d := range out.Deliveries {
		if d.Status == output.HandedOff {
			w.sent = append(w.sent, d)
		}
	}
	if w.silent {
		return
	}
	for i := range out.Transfers { // as they are read from FX
		m, err := event.DecodeTransfer(out.Transfers[i].AppendTo(nil))
		if err != nil {
			panic(err)
		}
		w.moving = append(w.moving, m)
	}
	for _, d := range out.Decisions {
		fmt.Fprintf(&w.out, "%s %s %s", stamp(d.At), d.Kind, d.Customer)
		for _, part := range []string{d.Campaign, d.Key, d.Step, string(d.Reason), d.Detail} {
			if part != "" {
				fmt.Fprintf(&w.out, " %s", part)
			}
		}
		if d.Entry > 1 {
			fmt.Fprintf(&w.out, " #%d", d.Entry)
		}
		fmt.Fprintln(&w.out)
	}
	for _, g := range out.Goals {
		fmt.Fprintf(&w.out, "  goal %s after %q value %s %s\n", g.Goal, g.Step, g.Value, g.Currency)
	}
	for _, d := range out.Drops {
		fmt.Fprintf(&w.out, "  dropped record %d: %s\n", d.Index, d.Reason)
	}
	for _, l := range out.DeadLetters {
		fmt.Fprintf(&w.out, "  dead letter of %s: %s %s\n", l.Customer, l.Reason, l.Detail)
	}
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("01-02T15:04:05") }

func (w *scriptWorld) advance(t *testing.T, text string) {
	t.Helper()
	d, err := unit.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	end := w.clock + d
	for {
		due := w.shard.NextDue()
		if due == 0 || due > end {
			break
		}
		w.clock = max(due, w.clock)
		w.step(t, stream.Record{Kind: stream.KindTick})
	}
	w.clock = end
}

// carry appends transfers to the log, as the carrier does.
func (w *scriptWorld) carry(t *testing.T, again bool) {
	t.Helper()
	from := w.moved
	if again {
		from = 0
	}
	w.moved = len(w.moving)
	var records []stream.Record
	for i := range w.moving[from:] {
		records = append(records, stream.Record{Kind: stream.KindTransfer, Data: w.moving[from+i].AppendTo(nil)})
	}
	w.step(t, records...)
}

func (w *scriptWorld) snapshot(t *testing.T) {
	t.Helper()
	if err := w.store.Commit(w.shard.Snapshot()); err != nil {
		t.Fatal(err)
	}
	w.shard.Saved()
}

// recover starts a new shard from the store and feeds it the rest of the log.
func (w *scriptWorld) recover(t *testing.T) {
	t.Helper()
	w.shard = New(Config{Compile: w.compile, MemoryLimit: 1, EraseKey: scriptKey})
	if err := w.shard.Recover(w.store); err != nil {
		t.Fatal(err)
	}
	w.silent = true
	for i := range w.log[w.shard.Applied().Seq:] {
		w.feed(t, &w.log[int(w.shard.Applied().Seq)])
		_ = i
	}
	w.silent = false
}

func (w *scriptWorld) frame(t *testing.T, input string) {
	t.Helper()
	var records []stream.Record
	for line := range strings.Lines(input) {
		if line = strings.TrimSpace(line); line != "" {
			records = append(records, w.record(t, line))
		}
	}
	w.step(t, records...)
}

func (w *scriptWorld) record(t *testing.T, line string) stream.Record {
	t.Helper()
	if strings.HasPrefix(line, "{") {
		record, err := w.control(line)
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	verb, rest, _ := strings.Cut(line, " ")
	customer, rest, _ := strings.Cut(rest, " ")
	switch verb {
	case "broadcast":
		name, properties, _ := strings.Cut(strings.TrimPrefix(rest, `"`), `"`)
		e := event.Event{
			Workspace: "default", ID: customer, Type: event.Track, Name: name, Time: w.clock,
			Properties: []byte(strings.TrimSpace(properties)),
		}
		return stream.Record{Kind: stream.KindBroadcast, Data: e.AppendTo(nil)}
	case "erase":
		e := erase.Record{Workspace: "default", Customer: customer, Key: erase.Fingerprint(scriptKey)}
		return stream.Record{Kind: stream.KindErase, Data: e.AppendTo(nil)}
	case "alias":
		id, into, _ := strings.Cut(rest, " ")
		e := event.Event{
			Workspace: "default", Customer: customer, ID: id, Type: event.Alias, Name: "$alias", Time: w.clock,
			Properties: []byte(fmt.Sprintf(`{"userId":%q}`, into)),
		}
		return stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)}
	case "track", "identify":
		id, rest, _ := strings.Cut(rest, " ")
		e := event.Event{
			Workspace: "default", Customer: customer, ID: id, Type: event.Identify,
			Name: "$identify", Time: w.clock,
		}
		if verb == "track" {
			e.Type = event.Track
			name, after, ok := strings.Cut(strings.TrimPrefix(rest, `"`), `"`)
			if !ok {
				t.Fatalf("no quoted name in %q", line)
			}
			e.Name, rest = name, strings.TrimSpace(after)
		}
		if end := strings.LastIndexByte(rest, '}'); end >= 0 {
			if verb == "track" {
				e.Properties = []byte(rest[:end+1])
			} else {
				e.Traits = []byte(rest[:end+1])
			}
			rest = rest[end+1:]
		}
		for _, option := range strings.Fields(rest) {
			if at, ok := strings.CutPrefix(option, "time="); ok {
				e.Time = instant(t, at)
			}
			if name, ok := strings.CutPrefix(option, "zone="); ok {
				e.Context = fmt.Appendf(nil, `{"timezone":%q}`, name)
			}
			e.Historical = e.Historical || option == "historical"
		}
		return stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)}
	case "result": // of the last delivery to the customer
		for i := len(w.sent) - 1; i >= 0; i-- {
			if d := w.sent[i]; d.Customer == customer {
				verdict := map[string]output.Verdict{
					"accepted":  output.Accepted,
					"temporary": output.Temporary, "permanent": output.Permanent,
				}[rest]
				r := output.Result{
					Workspace: "default", Customer: customer, Delivery: d.ID, Attempt: d.Attempt,
					Verdict: verdict,
				}
				if verdict == 0 { // a reply
					r.Verdict, r.Reply = output.Accepted, rest
				}
				return stream.Record{Kind: stream.KindResult, Data: r.AppendTo(nil)}
			}
		}
	}
	t.Fatalf("record %q is not understood", line)
	return stream.Record{}
}

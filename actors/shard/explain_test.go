package shard

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// Records that were not applied are part of the explanation of their customer: one that
// came twice, one that ingest refused, one that was passed over, one that panicked.
func TestTraceSaysWhatIsADeadLetter(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	trace := trace.NewTrace(lang, "w", "ann", "")
	s := New(Config{Trace: trace, Skips: control.Skips{control.RecordPosition{Seq: 1, Index: 3}: "ended the process"}})
	event2 := func(customer, id string) stream.Record {
		e := event.Event{Workspace: "w", Customer: customer, ID: id, Type: event.Track, Name: "E", Time: 1}
		return stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)}
	}
	reject, err := json.Marshal(stream.Reject{Workspace: "w", Customer: "ann", Code: "type", Message: "no text"})
	if err != nil {
		t.Fatal(err)
	}
	in := Input{At: Position{Seq: 1}, Frame: stream.Frame{Time: 1000, Records: []stream.Record{
		event2("ann", "m1"), event2("ann", "m1"), event2("bob", "m1"), event2("ann", "m2"), event2("bob", "m1"),
		{Kind: stream.KindReject, Data: reject},
	}}}
	var out effect.Effects
	if done, err := s.Step(&in, &out); !done || err != nil {
		t.Fatal(done, err)
	}
	s.runner.run(s.customers.get(Key("w", "ann")), &out, func() { panic("a bug") }, func(string) {})
	var got []string
	for _, o := range trace.Steps {
		for _, a := range o.Results {
			got = append(got, string(a.Decision.Kind)+" "+string(a.Decision.Reason)+" "+o.ID+" "+a.Decision.Detail)
		}
	}
	want := []string{
		"duplicate  m1 ", "dead_letter skipped  ended the process", "dead_letter rejected  type: no text",
		"dead_letter panic  what was asked and decided just before is undone: panic: a bug",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the trace has %q; want %q", got, want)
	}
	s.runner.run(s.customers.get(Key("w", "ann")), &out, func() {
		s.runner.machine.Apply(s.customers.get(Key("w", "ann")).c, &event.Event{
			Workspace: "w", Customer: "ann", ID: "m3", Type: event.Identify, Name: "$identify", Time: 1000,
			Traits: []byte(`{"consent": {"sms": 7}}`),
		}, 1000, false, &out.Output)
	}, func(detail string) { t.Error(detail) })
	if last := trace.Steps[len(trace.Steps)-1]; last.ID != "m3" {
		t.Errorf("the machine after a panic is not observed: the last occasion is %+v", last)
	}
}

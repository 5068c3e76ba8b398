package effect_test

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/internal/wire"
)

// full has a row of every kind with something in every field.
func full() *effect.Effects {
	e := &effect.Effects{Seq: 42, Part: 1, Now: 1_772_359_200_000, Semantics: 1}
	e.Deliveries = []output.Delivery{{
		ID: output.ID{1}, Workspace: "w", Campaign: "c", Version: 2, Customer: "ann", Key: "k", Entry: 3, Step: "s",
		Channel: "email", Variant: "a", Status: output.HandedOff, Reason: output.ReasonLate, TriggerID: "m1", At: 5,
		Due: 4, Expires: 6, Attempt: 1, Values: []byte(`{}`),
	}}
	e.Decisions = []output.Decision{{
		Workspace: "w", Campaign: "c", Version: 2, Customer: "ann", Key: "k", Entry: 3, Step: "s",
		Kind: output.Refused, Reason: output.ReasonAudience, Detail: "d", EventID: "m1", At: 5,
	}}
	e.Chains = []output.ChainRow{{
		Workspace: "w", Campaign: "c", Version: 2, Customer: "ann", Key: "k", Entry: 3, EnteredAt: 1, EndedAt: 2,
		Outcome: output.ByGoal, Goal: "g", Value: 1_500_000, HasValue: true,
	}}
	e.Goals = []output.GoalRow{{
		Workspace: "w", Campaign: "c", Version: 2, Customer: "ann", Key: "k", Entry: 3, Goal: "g", Step: "s",
		Value: 1_500_000, HasValue: true, Currency: "EUR", EventID: "m2", At: 9,
	}}
	e.Drops = []effect.Drop{{Index: 7, Reason: output.Deduplicate}}
	e.DeadLetters = []effect.DeadLetter{{
		Workspace: "w", Customer: "ann", Index: 8, Reason: output.ReasonPanic, Field: "f", Detail: "d",
		Raw: []byte("raw"), At: 5,
	}}
	return e
}

// What only some rows have survives too, and costs the others nothing.
func TestMessageTails(t *testing.T) {
	e := full()
	e.Chains[0].Variants = []output.Passed{{Step: "offer", Variant: "a"}}
	e.Goals[0].Reversal = true
	e.Deliveries[0].Detail = "HTTP 410: no such user"
	e.Transfers = []event.Transfer{
		{Workspace: "w", Customer: "ann", Source: "anon:x", N: 1, Kind: event.TransferPart, Body: []byte("part")},
		{Workspace: "w", Customer: "ann", Source: "anon:x", N: 2, Kind: event.TransferState},
	}
	new(effect.Encoder).Encode(e, 1, func(_ uint64, data []byte) {
		if m, err := effect.DecodeMessage(data); err != nil || !reflect.DeepEqual(&m.Effects, e) {
			t.Errorf("unexpected message %+v, error %v", m.Effects, err)
		}
	})
}

// The ways to decode agree, and the texts of DecodeShared cost nothing.
func TestDecodeShared(t *testing.T) {
	e := full()
	e.Transfers = []event.Transfer{{Workspace: "w", Customer: "ann", Source: "anon:x", N: 1, Body: []byte("part")}}
	new(effect.Encoder).Encode(e, 1, func(_ uint64, data []byte) {
		names := event.Names{}
		shared, err := effect.DecodeShared(data, names)
		if err != nil || !reflect.DeepEqual(&shared.Effects, e) {
			t.Errorf("unexpected message %+v, error %v", shared.Effects, err)
		}
		out, err := effect.DecodeOutgoing(data, names)
		want := effect.Effects{Seq: e.Seq, Part: e.Part, Now: e.Now, Semantics: e.Semantics}
		want.Deliveries, want.Transfers = e.Deliveries, e.Transfers
		if err != nil || !reflect.DeepEqual(out.Effects, want) {
			t.Errorf("unexpected outgoing message %+v, error %v", out.Effects, err)
		}
		allocs := testing.AllocsPerRun(100, func() { _, _ = effect.DecodeOutgoing(data, names) })
		if allocs > 4 { // decoders, and a slice for each of the two kinds
			t.Errorf("%v allocations for two rows", allocs)
		}
	})
}

func TestMessageGolden(t *testing.T) {
	e := full()
	var messages [][]byte
	next := new(effect.Encoder).Encode(e, 10, func(_ uint64, data []byte) { messages = append(messages, data) })
	if next != 11 || len(messages) != 1 {
		t.Fatalf("unexpected %d messages, next %d; want 1, 11", len(messages), next)
	}
	goldentest.Bytes(t, "message.v1", messages[0])
	m, err := effect.DecodeMessage(messages[0])
	if err != nil {
		t.Fatal(err)
	}
	if m.N != 10 || m.Semantics != 1 || !reflect.DeepEqual(&m.Effects, e) {
		t.Errorf("unexpected message\n got %+v\nwant %+v", m.Effects, *e)
	}
	for n := range messages[0] {
		if _, err := effect.DecodeMessage(messages[0][:n]); err == nil && n > 0 {
			// A cut between two rows reads as a shorter message: the log keeps
			// messages whole, and its frames are checked by hash.
			continue
		} else if n == 0 || !errors.Is(err, wire.ErrCorrupt) {
			if n == 0 && errors.Is(err, wire.ErrCorrupt) {
				continue
			}
			t.Fatalf("prefix of %d bytes: unexpected error %v", n, err)
		}
	}
}

// Effects that do not fit one message are cut by size alone, keep their order,
// and no message is over the limit.
func TestMessageSplit(t *testing.T) {
	e := &effect.Effects{Seq: 1}
	for i := range 3000 {
		e.Decisions = append(e.Decisions, output.Decision{Customer: strconv.Itoa(i), Detail: strings.Repeat("x", 500)})
	}
	var got []output.Decision
	var messages [][]byte
	numbers := uint64(1)
	next := new(effect.Encoder).Encode(e, 1, func(n uint64, data []byte) {
		if len(data) > effect.MaxMessage || n != numbers {
			t.Fatalf("message %d of %d bytes; want number %d, at most %d bytes", n, len(data), numbers, effect.MaxMessage)
		}
		numbers++
		messages = append(messages, data)
	})
	for _, data := range messages { // now: a later message must not touch an earlier one
		m, err := effect.DecodeMessage(data)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Decisions...)
	}
	if next < 3 || !reflect.DeepEqual(got, e.Decisions) {
		t.Errorf("%d decisions in %d messages; want %d in several, in order", len(got), next-1, len(e.Decisions))
	}
	none := func(uint64, []byte) { t.Error("empty effects made a message") }
	if new(effect.Encoder).Encode(&effect.Effects{Seq: 1}, 5, none) != 5 {
		t.Error("empty effects used a number")
	}
}

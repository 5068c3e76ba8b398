package shard_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// frameOf is frame seq with records.
func frameOf(seq uint64, records ...stream.Record) *shard.Input {
	return &shard.Input{
		At:    shard.Position{Seq: seq, Time: int64(seq), Hash: seq},
		Frame: stream.Frame{Time: 1000 * int64(seq), Records: records},
	}
}

func trackOf(id string) stream.Record {
	e := event.Event{Workspace: "w", Customer: "ann", ID: id, Type: event.Track, Name: "E", Time: 1000}
	return stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)}
}

// A skip makes a dead letter of the one record it names; those around it are applied.
func TestSkip(t *testing.T) {
	var marks []string
	s := shard.New(shard.Config{
		Skips: control.Skips{{Seq: 1, Index: 1}: "it ended the process"},
		Mark:  func(seq uint64, index int) { marks = append(marks, fmt.Sprintf("%d/%d", seq, index)) },
	})
	var out effect.Effects
	if done, err := s.Step(frameOf(1, trackOf("a"), trackOf("b"), trackOf("c")), &out); !done || err != nil {
		t.Fatalf("done %v, error %v", done, err)
	}
	if len(out.DeadLetters) != 1 || len(out.Drops) != 1 || out.Drops[0].Index != 1 {
		t.Fatalf("dead letters %+v, drops %+v; want record 1 alone", out.DeadLetters, out.Drops)
	}
	if l := out.DeadLetters[0]; l.Reason != output.ReasonSkipped || l.Detail != "it ended the process" || l.Customer != "ann" {
		t.Errorf("unexpected dead letter %+v", l)
	}
	if want := []string{"1/-1", "1/0", "1/1", "1/2", "0/0"}; !slices.Equal(marks, want) {
		t.Errorf("marks %v; want %v", marks, want)
	}
}

// A frame that the disk damaged is not passed over unless somebody said so.
func TestLostFrame(t *testing.T) {
	lost := stream.Record{Kind: stream.KindLost}
	s := shard.New(shard.Config{})
	var out effect.Effects
	if _, err := s.Step(frameOf(1, lost), &out); !errors.Is(err, shard.ErrLost) || s.Applied().Seq != 0 {
		t.Fatalf("error %v, applied %d; want ErrLost and 0", err, s.Applied().Seq)
	}
	s = shard.New(shard.Config{Skips: control.Skips{{Seq: 1}: "accepted"}})
	if done, err := s.Step(frameOf(1, lost), &out); !done || err != nil || len(out.DeadLetters) != 1 {
		t.Errorf("accepted: done %v, error %v, dead letters %+v", done, err, out.DeadLetters)
	}
	if _, err := s.Step(frameOf(2, lost), &out); !errors.Is(err, shard.ErrLost) {
		t.Errorf("another frame: error %v; want ErrLost", err)
	}
}

package plan_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/sink/dispatch/plan"
)

func delivery(channel, customer string, status output.Status) output.Delivery {
	return output.Delivery{Channel: channel, Customer: customer, Status: status}
}

// A queue takes what was handed off and what it does not have yet.
func TestBatches(t *testing.T) {
	upTo := map[string]uint64{"email": 4, "sms": 5}
	has := func(channel string) (uint64, error) { return upTo[channel], nil }
	var b plan.Batches
	for n, deliveries := range [][]output.Delivery{
		{delivery("sms", "a", output.HandedOff), delivery("email", "b", output.HandedOff)},
		{
			delivery("sms", "c", output.HandedOff), delivery("email", "d", output.HandedOff),
			delivery("push", "e", output.StatusDropped), delivery("push", "f", output.HandedOff),
		},
		{delivery("email", "g", output.HandedOff)},
	} {
		if err := b.Add(uint64(n)+4, deliveries, has); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, channel := range b.Channels() {
		for _, d := range b.Of(channel) {
			got[channel] += d.Customer
		}
	}
	if !slices.Equal(b.Channels(), []string{"email", "push"}) || got["email"] != "dg" || got["push"] != "f" {
		t.Errorf("channels %v with %v", b.Channels(), got)
	}
	failure := errors.New("no stream")
	err := b.Add(7, []output.Delivery{delivery("new", "h", output.HandedOff)}, func(string) (uint64, error) { return 0, failure })
	if !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
}

// Of each source the transfers come one after the other; sources do not wait for each other.
func TestNextTransfers(t *testing.T) {
	all := []event.Transfer{
		{Workspace: "w", Source: "a", N: 1},
		{Workspace: "w", Source: "a", N: 2},
		{Workspace: "w", Source: "b", N: 1},
		{Workspace: "v", Source: "a", N: 1},
		{Workspace: "w", Source: "a", N: 3},
	}
	numbers := func(all []event.Transfer) (n []uint64) {
		for i := range all {
			n = append(n, all[i].N)
		}
		return n
	}
	now, rest := plan.NextTransfers(all)
	if !slices.Equal(numbers(now), []uint64{1, 1, 1}) || !slices.Equal(numbers(rest), []uint64{2, 3}) {
		t.Errorf("now %v, rest %v", numbers(now), numbers(rest))
	}
}

func TestAfter(t *testing.T) {
	behind := errors.New("behind")
	for _, c := range []struct {
		may  bool
		err  error
		want plan.Step
	}{{true, nil, plan.Send}, {false, nil, plan.Drop}, {false, behind, plan.AskAgain}, {true, behind, plan.AskAgain}} {
		if got := plan.After(c.may, c.err); got != c.want {
			t.Errorf("after %v, %v: step %d, want %d", c.may, c.err, got, c.want)
		}
	}
}

// Whatever the order in which batches end, the position is behind the first that has not.
func TestProgress(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		from, n := uint64(rng.IntN(5)), 1+rng.IntN(12)
		p, done := plan.NewProgress(from), map[uint64]bool{}
		for _, i := range rng.Perm(n) {
			at := from + 1 + uint64(i)
			p.Complete(at)
			p.Complete(at) // said twice
			done[at] = true
			want := from
			for done[want+1] {
				want++
			}
			if p.UpTo() != want {
				t.Fatalf("after %v: up to %d, want %d", done, p.UpTo(), want)
			}
		}
	}
	p := plan.NewProgress(2)
	p.Complete(4)
	p.Complete(8)
	p.SkipTo(3) // the queue was trimmed
	if p.UpTo() != 4 {
		t.Errorf("up to %d, want 4", p.UpTo())
	}
	p.SkipTo(7)
	p.SkipTo(3) // said late
	if p.UpTo() != 8 {
		t.Errorf("up to %d, want 8", p.UpTo())
	}
	const far = 1 << 62 // position by position this would not end
	p.Complete(far + 1)
	p.SkipTo(far)
	if p.UpTo() != far+1 {
		t.Errorf("up to %d, want %d", p.UpTo(), uint64(far+1))
	}
}

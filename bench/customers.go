package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// Customers is the report of the scenario of that name.
type Customers struct {
	Scenario string `json:"scenario"`
	Count    int    `json:"count"`
	// BytesPerCustomer is the live heap of those to whom nothing happens for some
	// seconds: customer, chain, timer, and one id in the dedupe set.
	BytesPerCustomer float64 `json:"bytes_per_customer"`
	// AwakeBytes is the same right after a snapshot, when all are in use.
	AwakeBytes float64 `json:"bytes_per_customer_awake"`
	// DirtyBytes is the same before the snapshot, when all are listed as changed.
	DirtyBytes float64 `json:"bytes_per_customer_dirty"`
	// StoredBytes is what a customer weighs in the store, key and all.
	StoredBytes float64  `json:"stored_bytes_per_customer"`
	FoldPerSec  float64  `json:"folds_per_second"` // events through the shard, one core, effects encoded
	Weights     *Weights `json:"weights"`
	Correct     bool     `json:"correct"`
	Wrong       []string `json:"wrong,omitempty"`
}

const waitingCampaign = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: waiting}
spec:
  trigger: {event: {name: Cart Updated, where: event.properties.value >= 20}}
  steps:
    - {id: pause, delay: 24h}
    - {id: remind, send: {channel: console, inline: {body: "Your cart waits."}}}
`

// customersFrame is how many events a frame has.
const customersFrame = 1000

// maxCustomers is far above what fits into the memory of most machines.
const maxCustomers = 100_000_000

// MeasureCustomers folds one event a customer through a shard in this process.
// After it each customer has one live chain and one timer.
func MeasureCustomers(ctx context.Context, count int, p *Progress) (*Customers, error) {
	if count < 1 || count > maxCustomers {
		return nil, fmt.Errorf("--count %d: must be from 1 to %d", count, maxCustomers)
	}
	r, err := weighCustomers(ctx, count, p)
	if err == nil {
		r.Weights, err = MeasureWeights(ctx, p)
	}
	return r, err
}

func weighCustomers(ctx context.Context, count int, p *Progress) (*Customers, error) {
	shard, err := newWaitingShard()
	if err != nil {
		return nil, err
	}
	p.Stage("folding one event each of %s customers", thousands(count))
	r := &Customers{Scenario: "customers", Count: count}
	each := func(bytes uint64) float64 { return math.Round(10*float64(bytes)/float64(count)) / 10 }
	before := liveHeap()
	began := time.Now()
	if err := fold(ctx, shard, count, p); err != nil {
		return nil, err
	}
	r.FoldPerSec = math.Round(float64(count) / time.Since(began).Seconds())
	r.DirtyBytes = each(liveHeap() - before)
	r.StoredBytes = each(uint64(shard.Snapshot().Bytes()))
	shard.Saved()
	r.AwakeBytes = each(liveHeap() - before)
	fallAsleep(shard, count)
	r.BytesPerCustomer = each(liveHeap() - before)
	r.check(shard, count)
	return r, nil
}

// check looks at a customer at each end of the range.
func (r *Customers) check(shard *shard.Shard, count int) {
	for _, i := range []int{0, count - 1} {
		c, _ := shard.Customer("default", customerID(i))
		if c == nil || len(c.Chains) != 1 || c.NextDue() == 0 {
			r.Wrong = append(r.Wrong, fmt.Sprintf("customer %d has no live chain with a timer", i))
		}
	}
	r.Correct = len(r.Wrong) == 0
	runtime.KeepAlive(shard)
}

func customerID(i int) string { return fmt.Sprintf("customer-%d", i) }

func newWaitingShard() (*shard.Shard, error) { return newShard(waitingCampaign) }

// newShard is a shard with the definitions of texts in force.
func newShard(texts ...string) (*shard.Shard, error) {
	shards, err := newShards(texts, 1)
	if err != nil {
		return nil, err
	}
	return shards[0], nil
}

// foldStart is the log time at which the customers come, in ms.
const foldStart = 1_800_000_000_000

// fold brings the customers in, a frame at a time.
func fold(ctx context.Context, shard *shard.Shard, count int, p *Progress) error {
	return foldEvents(ctx, shard, count, p, func(i int) event.Event {
		return event.Event{
			Customer: customerID(i), ID: fmt.Sprintf("bench-0-%d", i),
			Name: cartUpdated, Properties: []byte(`{"cart_id":"c1","value":42}`),
		}
	})
}

// foldEvents applies count track calls, a frame at a time.
func foldEvents(ctx context.Context, s *shard.Shard, count int, p *Progress,
	event2 func(i int) event.Event,
) error {
	var out effect.Effects
	for from := 0; from < count; from += customersFrame {
		if err := ctx.Err(); err != nil {
			return err
		}
		var b stream.Builder
		for i := from; i < min(from+customersFrame, count); i++ {
			e := event2(i)
			e.Workspace, e.Type = "default", event.Track
			if e.Time == 0 {
				e.Time = foldStart
			}
			b.Add(stream.KindEvent, e.AppendTo(nil))
		}
		frame, err := stream.DecodeFrame(b.Seal(foldStart))
		if err != nil {
			return err
		}
		in := shard.Input{At: shard.Position{Seq: s.Applied().Seq + 1}, Frame: frame}
		if err := step(s, &in, &out); err != nil {
			return err
		}
		p.Note("%s events", thousands(from))
	}
	return nil
}

// step applies a frame and drops what it decided.
func step(shard *shard.Shard, in *shard.Input, out *effect.Effects) error {
	out.Reset()
	done, err := shard.Step(in, out)
	if err == nil && !done {
		err = errors.New("bench: a frame without due timers was not done in one step")
	}
	if err == nil && len(out.DeadLetters) > 0 {
		err = fmt.Errorf("bench: a record was put aside: %s", out.DeadLetters[0].Detail)
	}
	if err == nil {
		shard.Encode(out, func(uint64, []byte) {})
	}
	return err
}

// liveHeap is the heap that is in use, after everything unused was freed.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

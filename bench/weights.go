package bench

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/event"
)

// Weights are bytes of live heap, of customers to whom nothing happens for some seconds.
type Weights struct {
	Idle    float64 `json:"idle_customer"`   // one event, no chain; customer and one id in the dedupe set
	Chain   float64 `json:"further_chain"`   // with its timer and trigger event
	Counter float64 `json:"further_counter"` // of an event name: number and last time
	Window  float64 `json:"further_bucket"`  // of a counter with a window: one more bucket in use
	// ActivationMicroseconds is the processor time that the first event after a rest takes
	// longer than the next: the customer is read from their bytes.
	ActivationMicroseconds float64 `json:"activation_us"`
}

// weighAs are the customers of a weight; their frames and ids in the dedupe set weigh the
// same whatever they hold, so that two of them differ by what is asked.
const weighAs = 20_000

// MeasureWeights weighs what a customer can have.
func MeasureWeights(ctx context.Context, p *Progress) (*Weights, error) {
	r := new(Weights)
	p.Stage("weighing what a customer can have")
	idle, err := weigh(ctx, weighAs, 1, waitingCampaign, productViewed, nil)
	if err != nil {
		return nil, err
	}
	r.Idle = idle
	for _, w := range []struct {
		to   *float64
		text string
		name string
		more func(i int) string
	}{
		{&r.Chain, keyedChain(), cartUpdated, cart},
		{&r.Counter, counting(""), "", nil},
		{&r.Window, counting(`, "30d"`), "Kind 0", nil},
	} {
		const few, many = 2, 12
		var bytes [2]float64
		for k, n := range []int{few, many} {
			if bytes[k], err = weigh(ctx, weighAs, n, w.text, w.name, w.more); err != nil {
				return nil, err
			}
		}
		*w.to = math.Round(10*(bytes[1]-bytes[0])/(many-few)) / 10
	}
	r.ActivationMicroseconds, err = activation(ctx)
	return r, err
}

func cart(i int) string { return fmt.Sprintf(`{"cart_id":"c%d","value":42}`, i) }

// keyedChain is a campaign whose chains are told apart by their cart.
func keyedChain() string {
	const rules = "  reentry: {key: event.properties.cart_id, max_active: 1}\n"
	return strings.Replace(waitingCampaign, "  steps:", rules+"  steps:", 1)
}

// counting is a campaign that asks for twelve counters.
func counting(window string) string {
	var asked []string
	for i := range 12 {
		asked = append(asked, fmt.Sprintf(`customer.count("Kind %d"%s) > 1000000`, i, window))
	}
	audience := "  audience: '" + strings.Join(asked, " || ") + "'\n  steps:"
	return strings.Replace(waitingCampaign, "  steps:", audience, 1)
}

// weigh folds n events for each of count customers, lets them rest and says how many bytes
// of live heap one has. An empty name has an event of another kind each time; events
// without properties of their own are a day apart.
func weigh(ctx context.Context, count, n int, text, name string, properties func(i int) string) (float64, error) {
	before := liveHeap()
	shard, err := newShard(text)
	if err != nil {
		return 0, err
	}
	for i := range n {
		e := event.Event{Name: name, Properties: []byte(`{"value":42}`)}
		if name == "" {
			e.Name = fmt.Sprintf("Kind %d", i)
		}
		if properties != nil {
			e.Properties = []byte(properties(i))
		}
		if err := foldEvents(ctx, shard, count, nil, func(k int) event.Event {
			each := e
			each.Customer, each.ID = customerID(k), fmt.Sprintf("bench-%d-%d", i, k)
			if properties == nil { // what starts a chain must not be old
				each.Time = foldStart - int64(n-i)*dayMillis
			}
			return each
		}); err != nil {
			return 0, err
		}
	}
	fallAsleep(shard, count)
	bytes := float64(liveHeap()-before) / float64(count)
	runtime.KeepAlive(shard)
	return math.Round(10*bytes) / 10, nil
}

const dayMillis = 24 * 60 * 60 * 1000

// fallAsleep has nothing happen to customers until none counts as used.
func fallAsleep(shard *shard.Shard, count int) {
	for range 3 { // after the first round nobody counts as used
		shard.Passivate(count)
		shard.Snapshot()
		shard.Saved()
	}
}

// activation is what the first event after a rest costs more than the one after it.
func activation(ctx context.Context) (float64, error) {
	shard, err := newWaitingShard()
	if err != nil {
		return 0, err
	}
	if err := fold(ctx, shard, weighAs, nil); err != nil {
		return 0, err
	}
	round := 0
	once := func() (float64, error) {
		round++
		runtime.GC()
		began := ownTime()
		err := foldEvents(ctx, shard, weighAs, nil, func(i int) event.Event {
			return event.Event{
				Customer: customerID(i), ID: fmt.Sprintf("again-%d-%d", round, i), Name: productViewed,
				Properties: []byte(`{"value":42}`),
			}
		})
		return float64((ownTime() - began).Microseconds()) / weighAs, err
	}
	var least [2]float64 // of three rounds each, what other work disturbed least
	for i := range 3 {
		fallAsleep(shard, weighAs)
		for k := range least {
			us, err := once()
			if err != nil {
				return 0, err
			}
			if i == 0 || us < least[k] {
				least[k] = us
			}
		}
	}
	return math.Round(100*(least[0]-least[1])) / 100, nil
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/event"
)

// Growth is the report of the scenario of that name: what an event costs in a shard as
// something grows tenfold.
type Growth struct {
	Scenario string  `json:"scenario"`
	Curves   []Curve `json:"curves"`
}

// Curve is the cost along one axis.
type Curve struct {
	Of     string  `json:"of"` // customers, campaigns, chains of a customer, counters of a customer
	Points []Point `json:"points"`
	// Worst is the largest growth of the cost from one point to the next, each ten
	// times the one before; 10 would be a cost that grows with the size.
	Worst float64 `json:"worst_step"`
}

// Point is one measurement.
type Point struct {
	Size        int     `json:"size"`
	Microsecond float64 `json:"us_per_event"` // processor time; decode, step, encode
}

// growthEvents is how many events each point measures.
const growthEvents = 100_000

// MeasureGrowth measures every curve up to the given number of customers and campaigns.
func MeasureGrowth(ctx context.Context, customers, campaigns int, p *Progress) (*Growth, error) {
	if customers < 1000 || customers > maxCustomers {
		return nil, fmt.Errorf("--customers %d: must be from 1000 to %d", customers, maxCustomers)
	}
	if campaigns < 10 || campaigns > 10_000 {
		return nil, fmt.Errorf("--campaigns %d: must be from 10 to 10000", campaigns)
	}
	r := &Growth{Scenario: "growth"}
	for _, axis := range []struct {
		of       string
		from, to int
		measure  func(context.Context, int) (float64, error)
	}{
		{"customers", 1000, customers, growCustomers},
		{"campaigns", 10, campaigns, growCampaigns},
		{"chains of a customer", 1, 100, growChains},
		{"counters of a customer", 1, 100, growCounters},
	} {
		c := Curve{Of: axis.of}
		for size := axis.from; size <= axis.to; size *= 10 {
			p.Stage("%s %s", thousands(size), axis.of)
			us, err := axis.measure(ctx, size)
			if err != nil {
				return nil, err
			}
			if n := len(c.Points); n > 0 {
				c.Worst = max(c.Worst, math.Round(100*us/c.Points[n-1].Microsecond)/100)
			}
			c.Points = append(c.Points, Point{Size: size, Microsecond: us})
		}
		r.Curves = append(r.Curves, c)
	}
	return r, nil
}

// timed folds growthEvents events and says how much processor time one took, in us,
// garbage collection included. What is folded before it brings the shard to its size.
func timed(ctx context.Context, shard *shard.Shard, event func(i int) event.Event) (float64, error) {
	runtime.GC() // what came before is not paid here
	began := ownTime()
	if err := foldEvents(ctx, shard, growthEvents, nil, event); err != nil {
		return 0, err
	}
	each := float64((ownTime() - began).Microseconds()) / growthEvents
	if err := shard.Check(); err != nil {
		return 0, errors.Join(ErrWrong, err)
	}
	return math.Round(1000*each) / 1000, nil
}

// growCustomers: customers who have a chain and a timer; the events go round them.
func growCustomers(ctx context.Context, size int) (float64, error) {
	shard, err := newWaitingShard()
	if err == nil {
		err = fold(ctx, shard, size, nil)
	}
	if err != nil {
		return 0, err
	}
	return timed(ctx, shard, func(i int) event.Event {
		return event.Event{
			Customer: customerID(i * 7919 % size), ID: fmt.Sprintf("again-%d", i), Name: productViewed,
			Properties: []byte(`{"value":42}`),
		}
	})
}

// growCampaigns: active campaigns that look at the same three names.
func growCampaigns(ctx context.Context, size int) (float64, error) {
	shard, err := newShard(Workload{Campaigns: size}.Definitions("")...)
	if err != nil {
		return 0, err
	}
	return timed(ctx, shard, func(i int) event.Event {
		return event.Event{
			Customer: customerID(i % 1000), ID: fmt.Sprintf("e-%d", i), Name: productViewed,
			Properties: fmt.Appendf(nil, `{"score":%d,"value":42}`, i*7919%scores),
		}
	})
}

// growChains: each customer has that many live chains of one campaign, by key; the
// events concern none of them.
func growChains(ctx context.Context, size int) (float64, error) {
	const rules = "  reentry: {key: event.properties.cart_id, max_active: 1}\n" +
		"  stop: [{event: Cart Cleared, match: cart_id}]\n"
	keyed := strings.Replace(waitingCampaign, "  steps:", rules+"  steps:", 1)
	shard, err := newShard(keyed)
	if err != nil {
		return 0, err
	}
	const customers = 100
	if err := foldEvents(ctx, shard, size*customers, nil, func(i int) event.Event {
		return event.Event{
			Customer: customerID(i % customers), ID: fmt.Sprintf("in-%d", i), Name: cartUpdated,
			Properties: fmt.Appendf(nil, `{"cart_id":"c%d","value":42}`, i/customers),
		}
	}); err != nil {
		return 0, err
	}
	return timed(ctx, shard, func(i int) event.Event {
		return event.Event{
			Customer: customerID(i % customers), ID: fmt.Sprintf("e-%d", i), Name: productViewed,
			Properties: []byte(`{"value":42}`),
		}
	})
}

// growCounters: each customer has that many counters; each event counts in one.
func growCounters(ctx context.Context, size int) (float64, error) {
	var asked []string
	for i := range size {
		asked = append(asked, fmt.Sprintf(`customer.count("Kind %d") > 1000000`, i))
	}
	const perCampaign = 20 // expressions have a limit
	var texts []string
	for n := 0; len(asked) > 0; n++ {
		take := min(perCampaign, len(asked))
		audience := strings.Join(asked[:take], " || ")
		asked = asked[take:]
		text := strings.Replace(waitingCampaign, "{name: waiting}", fmt.Sprintf("{name: waiting-%d}", n), 1)
		texts = append(texts, strings.Replace(text, "  steps:", "  audience: '"+audience+"'\n  steps:", 1))
	}
	shard, err := newShard(texts...)
	if err != nil {
		return 0, err
	}
	kind := func(i int) event.Event {
		return event.Event{
			Customer: customerID(i % 100), ID: fmt.Sprintf("e-%d", i), Name: fmt.Sprintf("Kind %d", i/100%size),
			Properties: []byte(`{"value":42}`),
		}
	}
	if err := foldEvents(ctx, shard, 100*size, nil, kind); err != nil {
		return 0, err
	}
	return timed(ctx, shard, func(i int) event.Event { return kind(i + 100*size) })
}

// Table implements Report.
func (r *Growth) Table(w io.Writer) {
	fmt.Fprintln(w, "growth: us of processor time an event in a shard")
	for _, c := range r.Curves {
		var points []string
		for _, p := range c.Points {
			points = append(points, fmt.Sprintf("%s: %.2f", thousands(p.Size), p.Microsecond))
		}
		row(w, c.Of, "%s (at most x%.2f for ten times as many)", strings.Join(points, ", "), c.Worst)
	}
}

// Err implements Report.
func (r *Growth) Err() error { return nil }

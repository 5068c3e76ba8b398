package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/sink/dispatch"
)

// statsEvery is how long a shard's figures are used again, and how long a scrape waits for
// them.
const statsEvery = time.Second

// statsCache keeps the latest figures of all shards, so that a scrape, which reads a dozen
// gauges of each partition, asks each shard only once. It is safe for concurrent use.
type statsCache struct {
	n *Node
	// mu guards at and by. It is held while shards are asked, so that concurrent scrapes ask
	// once.
	mu sync.Mutex
	// at is when by was filled; zero: never.
	at time.Time
	// by has the figures by partition. Of a shard that did not answer, it keeps the last ones.
	by []shard.Stats
}

// newStatsCache returns an empty cache for the partitions that are open.
func newStatsCache(n *Node) *statsCache {
	return &statsCache{n: n, by: make([]shard.Stats, len(n.events))}
}

// get returns the figures of a partition, at most statsEvery old unless the shard does not
// answer.
func (c *statsCache) get(p int) shard.Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > statsEvery {
		ctx, cancel := context.WithTimeout(context.Background(), statsEvery)
		defer cancel()
		for p := range c.by {
			// A shard that is halted or stuck keeps its last figures.
			if s, err := c.n.engine.Stats(ctx, p); err == nil {
				c.by[p] = s
			}
		}
		c.at = time.Now()
	}
	return c.by[p]
}

// registerMetrics registers the gauges that are read from other parts when somebody asks.
// exposition.Families has the meaning and unit of each.
func (n *Node) registerMetrics() {
	cache := n.stats
	for p := range n.events {
		gauge := func(name string, f func(shard.Stats) float64) {
			n.metrics.NewGauge(fmt.Sprintf(`%s{partition="%d"}`, name, p), func() float64 { return f(cache.get(p)) })
		}
		gauge("nudge_customers_in_memory", func(s shard.Stats) float64 { return float64(s.Customers) })
		gauge("nudge_customer_bytes", func(s shard.Stats) float64 { return float64(s.CustomerBytes) })
		gauge("nudge_timers_pending", func(s shard.Stats) float64 { return float64(s.Timers) })
		gauge("nudge_dedupe_ids", func(s shard.Stats) float64 { return float64(s.DedupeIDs) })
		gauge("nudge_dedupe_window_seconds", func(s shard.Stats) float64 { return float64(s.DedupeWindow) / 1000 })
		gauge("nudge_erased_events_total", func(s shard.Stats) float64 { return float64(s.Erased) })
		gauge("nudge_effects_unacknowledged", func(s shard.Stats) float64 { return float64(s.Outbox) })
		// It counts what is overdue; a timer in the future, or none at all, is no lag.
		gauge("nudge_timer_lag_seconds", func(s shard.Stats) float64 {
			now, err := n.clock.Now()
			if err != nil || s.NextDue == 0 {
				return 0
			}
			return max(0, float64(now-s.NextDue)/1000)
		})
		n.metrics.NewGauge(fmt.Sprintf(`nudge_partition_halted{partition="%d"}`, p), func() float64 {
			if n.engine.Halted(p) != nil {
				return 1
			}
			return 0
		})
		n.metrics.NewGauge(fmt.Sprintf(`nudge_applied_sequence{partition="%d"}`, p),
			func() float64 { return float64(n.engine.Acked(p)) })
		n.metrics.NewGauge(fmt.Sprintf(`nudge_warehouse_lag_frames{partition="%d"}`, p),
			func() float64 { return float64(n.engine.Acked(p)) - float64(n.writer.Position(p)) })
	}
	n.metrics.NewGauge("nudge_clock_behind_seconds", func() float64 { return n.clockBehind().Seconds() })
	n.metrics.NewGauge("nudge_experiments_blocked", func() float64 { return float64(n.blocked.Load()) })
	n.metrics.NewGauge("nudge_warehouse_rows_total", func() float64 { return float64(n.writer.Rows()) })
	n.metrics.NewGauge("nudge_warehouse_failures_total", func() float64 { return float64(n.writer.Failures()) })
	n.metrics.NewGauge("nudge_warehouse_gap_frames_total", func() float64 { return float64(n.writer.Gaps()) })
}

// countSent counts an attempt by campaign, channel and result. Campaigns and channels are
// names of definitions that were applied, so the number of time series is bounded.
func (n *Node) countSent(d *output.Delivery, o dispatch.Outcome) {
	result := map[output.Verdict]string{
		output.Accepted: "accepted", output.Temporary: "temporary",
		output.Permanent: "permanent",
	}[o.Verdict]
	n.metrics.GetOrCreateCounter(fmt.Sprintf(`nudge_deliveries_total{campaign=%q,channel=%q,result=%q}`, d.Campaign,
		d.Channel, result)).Inc()
}

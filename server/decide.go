package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// How often decide looks for something to do.
const (
	// decideEvery is how often it is checked whether an hour of log time is full; the check
	// itself is cheap.
	decideEvery = time.Second
	// gaugeEvery is how often the metric of blocked experiments is refreshed without a
	// decision.
	gaugeEvery = time.Minute
)

// decide evaluates the experiments whenever an hour of log time is full, and logs each winner
// and each block, until ctx ends. docs/adr/0014-deciding-experiments.md says why full hours.
// Errors are tried again at the next tick: what is to be decided is computed from the log, so
// nothing is missed.
func (n *Node) decide(ctx context.Context) {
	decider := actors.NewDecider(n.control, n.clock.Now)
	ticker := time.NewTicker(decideEvery)
	defer ticker.Stop()
	gauged := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// What was decided before an error is in the log, and is logged too.
		said, err := n.lookAtExperiments(ctx, decider)
		for i := range said {
			n.logDecision(&said[i])
		}
		if err != nil && ctx.Err() == nil {
			n.log.Debug("experiments: no look", slog.Any("error", err)) // a halted partition says so itself
			continue
		}
		if len(said) > 0 || time.Since(gauged) > gaugeEvery {
			gauged = time.Now()
			n.gaugeExperiments(ctx)
		}
	}
}

// lookAtExperiments is one evaluation with a time limit, for a shard may hang. It returns what
// was recorded.
func (n *Node) lookAtExperiments(ctx context.Context, d *actors.Decider) ([]control.Decide, error) {
	limited, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	return d.Look(limited)
}

// logDecision logs a winner, or that an experiment is blocked, with the figures that it rests
// on. A block is an error in the log, since somebody has to look: the split itself is at
// fault.
func (n *Node) logDecision(d *control.Decide) {
	attributes := []any{
		slog.String("campaign", d.Campaign), slog.String("step", d.Step), slog.String("reason", string(d.Reason)),
		slog.String("hour", unit.FormatTime(d.Hour*unit.HourMillis)), slog.Any("figures", d.Arms),
		slog.Float64("mismatch", d.Mismatch),
	}
	if d.Variant == "" {
		n.log.Error("experiment blocked: chance does not give such shares of the variants", attributes...)
		return
	}
	n.log.Info("experiment decided", append(attributes, slog.String("winner", d.Variant))...)
}

// gaugeExperiments refreshes the count of blocked experiments, and logs an error when there
// are more experiments than the shards count for.
func (n *Node) gaugeExperiments(ctx context.Context) {
	trials, err := n.control.Experiments(ctx)
	if err != nil {
		return
	}
	blocked := int64(0)
	for i := range trials {
		if trials[i].Blocked() {
			blocked++
		}
	}
	n.blocked.Store(blocked)
	if len(trials) > experiment.MaxTallies {
		n.log.Error("more experiments look for a winner than are counted", slog.Int("experiments", len(trials)),
			slog.Int("limit", experiment.MaxTallies))
	}
}

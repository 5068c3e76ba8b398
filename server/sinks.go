package server

import (
	"context"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/server/admission"
	"github.com/nudge-engine/nudge/server/deploy"
	"github.com/nudge-engine/nudge/server/erasure"
	"github.com/nudge-engine/nudge/server/retention"
	"github.com/nudge-engine/nudge/sink/dispatch"
	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/stream"
)

// startSinks starts what reads behind the shards, and what watches over all.
func (n *Node) startSinks(ctx context.Context) error {
	guarding, stopGuards := context.WithCancel(context.Background())
	sinking, stopSinks := context.WithCancel(context.Background())
	n.stopGuards, n.stopSinks = stopGuards, stopSinks
	var err error
	if n.child != nil {
		n.warehouse, err = warehouse.OpenOwn(n.child.Address(), n.child.Secret)
	} else {
		n.warehouse, err = warehouse.Open(n.clickhouseURL().Reveal(), false)
	}
	if err != nil {
		return err
	}
	sources := make([]warehouse.Source, len(n.events))
	for p := range sources {
		sources[p] = warehouse.Source{
			Events: n.events[p], Effects: n.effects[p],
			Acked: func() uint64 { return n.engine.Acked(p) },
		}
	}
	if n.writer, err = warehouse.NewWriter(warehouse.WriterConfig{
		Warehouse: n.warehouse, Sources: sources,
		State: n.written, LogID: n.control.Genesis().LogID, Logger: n.log,
	}); err != nil {
		return err
	}
	if n.dispatch, err = dispatch.New(dispatch.Config{
		Log:       n.parts,
		Effects:   n.effects,
		Store:     n.store,
		Publisher: n.publisher,
		MaySend:   n.mayLeave, MaySendAll: n.engine.MayLeaveAll,
		Texts:   n.catalog.Texts,
		Channel: n.catalog.Channel, Rendering: n.rendering,
		MaxBytes: 1 << 30,
		Logger:   n.log,
		Sent:     n.countSent,
	}); err != nil {
		return err
	}
	n.deployer = deploy.New(deploy.Config{
		Control: n.control, Catalog: n.catalog, Dispatch: n.dispatch, Workspace: workspaceName, Logger: n.log,
	})
	if err := n.completeParts(); err != nil {
		return err
	}
	if err := n.checkPositions(ctx); err != nil {
		return err
	}
	n.guard, n.stats = n.newGuard(), newStatsCache(n)
	n.sinks.Go(func() { n.writer.Run(sinking) })
	n.sinks.Go(func() { n.dispatch.Run(sinking) })
	n.guards.Go(func() { n.guard.Run(guarding) })
	n.guards.Go(func() { n.newTrimmer().Run(guarding) })
	n.guards.Go(func() { n.decide(guarding) })
	n.guards.Go(func() { n.deployer.RunBackfills(guarding) })
	if n.eraser, err = erasure.Open(erasure.Config{
		Engine: n.engine, Publisher: n.publisher, Writer: n.writer, Warehouse: n.warehouse, Store: n.store,
		Partitions: len(n.events), Workspace: workspaceName, Key: n.keys.erase, Retention: n.settings.Retention,
		Logger: n.log,
	}); err != nil {
		return err
	}
	n.guards.Go(func() { n.eraser.Run(guarding) })
	if n.settings.NatsURL != "" { // nobody else can run an embedded log: the directory is locked
		n.guards.Go(func() { n.watchLease(guarding) })
	}
	n.registerMetrics()
	return nil
}

// newGuard makes what decides whether events are taken. It ends a server whose embedded log
// is unhealthy for long: that does not recover from a write error, but a restart does. A log
// elsewhere may come back.
func (n *Node) newGuard() *admission.Guard {
	return admission.New(admission.Config{
		Events: n.events, Effects: n.effects, Halted: n.engine.Halted, Healthy: n.logStore.Healthy,
		DataDir: n.settings.DataDir, MinFree: n.settings.MinFree, Logger: n.log,
		Dead: func(err error) {
			if n.settings.NatsURL != "" {
				return
			}
			select {
			case n.failed <- err:
			default:
			}
		},
	})
}

// newTrimmer makes what trims the log.
func (n *Node) newTrimmer() *retention.Trimmer {
	return retention.New(retention.Config{
		Events: n.events, Effects: n.effects, Keep: n.settings.Retention,
		Check: n.engine.CheckContinuity, Halted: n.engine.Halted, Logger: n.log,
		Needs: func(p int) retention.Needs {
			needs := retention.Needs{
				EventsWithoutRows:  n.engine.SavedSeq(p),
				EffectsWithoutRows: min(n.engine.SavedEffect(p), n.dispatch.Copied(p)),
			}
			if !n.control.Backfilling() { // it reads all events; where space runs short they go all the same
				needs.Events = min(needs.EventsWithoutRows, n.writer.Position(p))
			}
			needs.Effects = min(needs.EffectsWithoutRows, n.writer.EffectPosition(p))
			return needs
		},
	})
}

// mayLeave asks the shard; of a halted partition nothing leaves until it is back.
func (n *Node) mayLeave(ctx context.Context, d *output.Delivery, effect uint64) (bool, error) {
	may, err := n.engine.MayLeave(ctx, d, effect)
	if err != nil && n.engine.Halted(stream.PartitionOf(d.Workspace, d.Customer, len(n.events))) != nil {
		err = dispatch.ErrHalted
	}
	return may, err
}

// checkPositions halts the partitions whose log ended, at start, before what a
// sink has read of it: a tail was lost, and its numbers will be used again (R7).
func (n *Node) checkPositions(ctx context.Context) error {
	for p := range n.events {
		events, effects := n.writer.Position(p), max(n.writer.EffectPosition(p), n.dispatch.Copied(p))
		if n.engine.Halted(p) != nil || n.caughtUp[p] >= events && n.effectsAtStart[p] >= effects {
			continue
		}
		err := fmt.Errorf("%w: at start it ended at frame %d and effect %d, the sinks stand at %d and %d",
			shard.ErrContinuity, n.caughtUp[p], n.effectsAtStart[p], events, effects)
		if err := n.engine.Halt(ctx, p, err); err != nil {
			return err
		}
	}
	return nil
}

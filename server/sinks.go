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

// startSinks starts what reads behind the shards: the writer of rows and the dispatcher of
// deliveries. Then it starts what watches over the server: admission, trimming, decisions on
// experiments, backfills, erasure, the lease. Between the two it checks that the log did not
// lose what the sinks have read of it, before anything is sent or written.
func (n *Node) startSinks(ctx context.Context) error {
	// The contexts are independent of ctx, which ends with the start: stop ends the two groups
	// one after the other.
	guarding, stopGuards := context.WithCancel(context.Background())
	sinking, stopSinks := context.WithCancel(context.Background())
	n.stopGuards, n.stopSinks = stopGuards, stopSinks
	var err error
	// The embedded ClickHouse proves that it is this server's child before it gets a secret or
	// a row.
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
	// The writer finds out where it is from its stream, and starts nothing yet.
	if n.writer, err = warehouse.NewWriter(warehouse.WriterConfig{
		Warehouse: n.warehouse, Sources: sources,
		State: n.written, LogID: n.control.Genesis().LogID, Logger: n.log,
	}); err != nil {
		return err
	}
	// Deliveries are read from the effect streams, and each is asked of its shard before it
	// leaves.
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
	// All parts are open now, and can name each other.
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
	// An embedded log needs no watch: the lock of the directory keeps others away.
	if n.settings.NatsURL != "" {
		n.guards.Go(func() { n.watchLease(guarding) })
	}
	n.registerMetrics()
	return nil
}

// newGuard makes the guard that decides whether events are taken. When an embedded log stays
// unhealthy, the guard ends the server: the log does not recover from a write error, and a
// restart helps. A log by URL may come back by itself, so the server stays and refuses events.
func (n *Node) newGuard() *admission.Guard {
	return admission.New(admission.Config{
		Events: n.events, Effects: n.effects, Halted: n.engine.Halted, Healthy: n.logStore.Healthy,
		DataDir: n.settings.DataDir, MinFree: n.settings.MinFree, Logger: n.log,
		Dead: func(err error) {
			if n.settings.NatsURL != "" {
				return
			}
			// It must not block; one error in the channel is enough to end the server.
			select {
			case n.failed <- err:
			default:
			}
		},
	})
}

// newTrimmer makes the trimmer of the log. A message may go once the snapshot covers it, its
// rows are written and, of effects, its deliveries are copied to the channels; a backfill
// keeps all events.
func (n *Node) newTrimmer() *retention.Trimmer {
	return retention.New(retention.Config{
		Events: n.events, Effects: n.effects, Keep: n.settings.Retention,
		Check: n.engine.CheckContinuity, Halted: n.engine.Halted, Logger: n.log,
		Needs: func(p int) retention.Needs {
			needs := retention.Needs{
				EventsWithoutRows:  n.engine.SavedSeq(p),
				EffectsWithoutRows: min(n.engine.SavedEffect(p), n.dispatch.Copied(p)),
			}
			// A backfill reads the log from its start. Needs.Events stays 0 then, and keeps
			// every event, but where space runs short events go all the same.
			if !n.control.Backfilling() {
				needs.Events = min(needs.EventsWithoutRows, n.writer.Position(p))
			}
			needs.Effects = min(needs.EffectsWithoutRows, n.writer.EffectPosition(p))
			return needs
		},
	})
}

// mayLeave asks the shard of a customer whether a delivery may be attempted now; effect is the
// number of the message that carried it. Of a halted partition nothing leaves: the error is
// dispatch.ErrHalted, and the delivery waits for the next start.
func (n *Node) mayLeave(ctx context.Context, d *output.Delivery, effect uint64) (bool, error) {
	may, err := n.engine.MayLeave(ctx, d, effect)
	if err != nil && n.engine.Halted(stream.PartitionOf(d.Workspace, d.Customer, len(n.events))) != nil {
		err = dispatch.ErrHalted
	}
	return may, err
}

// checkPositions halts each partition whose log ended, at start, before what a sink has
// already read of it. The end of such a log was lost, for example with a disk that was
// restored from a backup, and new records would get the numbers of the lost ones: the sinks
// would take them for known and skip them. An error is one of halting.
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

package server

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/server/catalog"
	"github.com/nudge-engine/nudge/stream"
)

// startEngine recovers the shards from their snapshots and the log, and takes the partitions
// over. The steps:
//
// 1. make the catalog, which compiles definitions for the shards; 2. note where the streams
// end, to know later when the shards have caught up; 3. start the shards, each of which checks
// that the log is that of its snapshot; 4. claim the partitions; 5. bring to each partition
// the control records that it does not have yet.
func (n *Node) startEngine(ctx context.Context) error {
	lang, err := expr.NewLanguage()
	if err != nil {
		return err
	}
	allowed, err := n.settings.egress()
	if err != nil {
		return err
	}
	// A NATS server by URL is excluded too: what channels send must not reach the log.
	n.catalog = catalog.New(catalog.Config{
		Language: lang, Control: n.control, Egress: allowed.Except(n.logStore.Address()), Console: n.out,
		Workspace: workspaceName,
	})
	for p := range n.events {
		events, err := n.events[p].Info(ctx)
		if err != nil {
			return err
		}
		effects, err := n.effects[p].Info(ctx)
		if err != nil {
			return err
		}
		n.caughtUp, n.effectsAtStart = append(n.caughtUp, events.Last), append(n.effectsAtStart, effects.Last)
	}
	// Records that ended the process at earlier starts are passed over from the first replayed
	// frame on.
	skips := make([]control.Skips, len(n.events))
	for p := range skips {
		skips[p] = n.control.Skips(p)
	}
	n.engine = actors.NewEngine(actors.EngineConfig{
		Skips: skips, Mark: n.crashMarker.Mark, Held: n.held,
		Events: n.events, Effects: n.effects, Store: n.store,
		Semantics: effect.Semantics, Publisher: n.publisher, Compile: n.catalog.Compile, Clock: n.clock.Now,
		Node: n.keys.node, Epoch: n.lease.Epoch(),
		EraseKey: n.keys.erase,
		Logger:   n.log, MemoryLimit: int64(n.settings.MemoryLimit), SnapshotEvery: n.settings.SnapshotEvery,
		Checkpoints: n.settings.CheckpointEvery, KeepBack: n.settings.Checkpoints,
	})
	if err := n.engine.Start(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	if err := n.claim(limited); err != nil {
		return err
	}
	return n.control.Attach(limited, n.engine, n.publisher)
}

// claim writes to every partition that this node owns it from now on, and waits until the log
// has it. An earlier owner that is still running reads the claim in the log and stops. A
// second one that appends meanwhile does no harm: all owners compute the same effects from the
// same log, and each effect is appended only once.
func (n *Node) claim(ctx context.Context) error {
	claim, err := json.Marshal(control.Claim{Node: n.keys.node, Epoch: n.lease.Epoch()})
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	// There is room for all answers, so that the publisher does not block when this function
	// has returned early.
	written := make(chan error, len(n.events))
	for p := range n.events {
		record := []stream.Record{{Kind: stream.KindClaim, Data: claim}}
		if err := n.publisher.Add(p, record, func(err error) { written <- err }); err != nil {
			return fmt.Errorf("claim of partition %d: %w", p, err)
		}
	}
	for range n.events {
		select {
		case err := <-written:
			if err != nil {
				return fmt.Errorf("claim: %w", err)
			}
		case <-ctx.Done():
			return fmt.Errorf("claim: %w", ctx.Err())
		}
	}
	return nil
}

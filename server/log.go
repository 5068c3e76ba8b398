package server

import (
	"context"
	"errors"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/parts"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// openData locks the data directory: one process a directory.
func (n *Node) openData(ctx context.Context) error {
	if err := makePrivate(n.settings); err != nil {
		return err
	}
	var err error
	if n.lock, err = takeLock(ctx, n.settings.path("lock"), n.settings.DataDir, n.log); err != nil {
		return err
	}
	// Before anything is written: data of another version is refused as it is.
	if err := storage.CheckDir(n.settings.path("state"), n.log); err != nil {
		return err
	}
	if n.keys, err = loadKeys(n.settings); err != nil {
		return err
	}
	if n.settings.ClickhouseURL == "" {
		n.rows, err = parts.ReadRows(n.settings.path("clickhouse"))
	}
	return err
}

// openLog opens the log and waits until this node may run it.
func (n *Node) openLog(ctx context.Context) (err error) {
	if n.settings.NatsURL == "" {
		n.logStore, err = stream.OpenEmbedded(stream.EmbeddedConfig{
			Dir: n.settings.path("log"), NoSync: n.settings.NoSync,
			Logger: n.log,
		})
	} else {
		n.logStore, err = stream.OpenURL(n.settings.NatsURL.Reveal(), n.settings.NatsReplicas, n.log)
	}
	if err != nil {
		return err
	}
	n.lease, err = n.logStore.Lease(ctx, "owner", n.keys.node)
	return err
}

// openStreams opens the streams and the control log; the number of partitions is
// what the log was created with.
func (n *Node) openStreams(ctx context.Context) error {
	var err error
	n.store, err = storage.OpenPebble(storage.PebbleConfig{Dir: n.settings.path("state"), Logger: n.log})
	if err != nil {
		return err
	}
	if err := n.checkParts(ctx); err != nil {
		return err
	}
	ctl, err := n.parts.Open(ctx, stream.ControlStream, stream.Options{MaxBytes: 256 << 20})
	if err != nil {
		return err
	}
	n.control, err = actors.OpenController(ctx, ctl, control.Genesis{
		LogID: newID(), Partitions: n.settings.Partitions,
		Semantics: effect.Semantics, DedupeIDs: dedupe.DefaultIDs,
	})
	if err != nil {
		return err
	}
	// Before any shard runs, so that a state without it means that it was lost.
	n.written, err = n.parts.Open(ctx, stream.WarehouseStream, stream.Options{MaxBytes: 64 << 20})
	if err != nil {
		return err
	}
	share := int64(n.settings.LogBytes) / int64(n.settings.Partitions)
	for p := range n.settings.Partitions {
		ev, err := n.parts.Open(ctx, stream.EventStream(p), stream.Options{MaxBytes: share})
		if err != nil {
			return err
		}
		fx, err := n.parts.Open(ctx, stream.EffectStream(p), stream.Options{MaxBytes: share})
		if err != nil {
			return err
		}
		n.events, n.effects = append(n.events, ev), append(n.effects, fx)
	}
	n.publisher = stream.NewPublisher(n.events, n.clock.Now, n.log)
	return nil
}

// watchLease ends the server when another may run the log.
func (n *Node) watchLease(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-n.lease.Lost():
		if ctx.Err() == nil {
			n.failed <- errors.New("the lease was lost: another server may run this log now")
		}
	}
}

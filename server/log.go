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

// openData makes the data directory this process's own: it creates the directories, takes the
// lock, refuses data of another format version, and loads the keys. It reads the identity of
// ClickHouse's directory now, because the child that starts next would create one.
func (n *Node) openData(ctx context.Context) error {
	if err := makePrivate(n.settings); err != nil {
		return err
	}
	var err error
	if n.lock, err = takeLock(ctx, n.settings.path("lock"), n.settings.DataDir, n.log); err != nil {
		return err
	}
	// The check comes before anything is written: data that this version cannot read is
	// refused and left as it is.
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

// openLog opens the log, embedded or by URL, and waits for the lease, that is, until no other
// server runs this log. The lease only keeps two servers from working against each other; that
// a second one does no harm is ensured by conditional appends and claims.
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

// openStreams opens the state, the control stream and the streams of each partition, after it
// has checked that no part of the data is missing. A new log gets its fixed properties
// (control.Genesis) here; of one that exists, the number of partitions is what it was created
// with.
func (n *Node) openStreams(ctx context.Context) error {
	var err error
	n.store, err = storage.OpenPebble(storage.PebbleConfig{Dir: n.settings.path("state"), Logger: n.log})
	if err != nil {
		return err
	}
	if err := n.checkParts(ctx); err != nil {
		return err
	}
	// 256 MiB hold far more definitions and winners than a workspace has; they are never
	// trimmed, because every partition gets its copy from here.
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
	// It is created before any shard runs, so that a state without this stream means that the
	// stream was lost. It holds positions only, hence 64 MiB.
	n.written, err = n.parts.Open(ctx, stream.WarehouseStream, stream.Options{MaxBytes: 64 << 20})
	if err != nil {
		return err
	}
	// Each stream may fill its share of log_bytes; that it never does is the work of admission
	// and retention.
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

// watchLease makes the server end when it loses the lease: another server may run the log now,
// and two of them would only hinder each other. It returns when ctx ends.
func (n *Node) watchLease(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-n.lease.Lost():
		if ctx.Err() == nil {
			n.failed <- errors.New("the lease was lost: another server may run this log now")
		}
	}
}

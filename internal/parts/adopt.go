package parts

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// maxPartitions is the greatest number of partitions of a log.
const maxPartitions = 64

// sendPosition begins the keys under which the dispatcher keeps how far the stream of a
// channel was sent.
const sendPosition = "send/"

// used returns the streams that must exist because the state was computed from them. It is
// for a data directory from before the register existed, where only the state tells what
// there was.
func (r *Register) used(ctx context.Context) ([]string, error) {
	var names []string
	for p := range maxPartitions {
		// A partition with state must have the streams from which it was computed.
		meta, err := r.store.Get(storage.MetaKey(p))
		if err != nil {
			return nil, err
		}
		if meta != nil {
			names = append(names, stream.EventStream(p), stream.EffectStream(p))
		}
	}
	if names == nil { // no state yet; events without a control log are no beginning either
		_, found, err := r.look.Created(ctx, stream.EventStream(0))
		if err != nil || !found {
			return nil, err
		}
		return []string{stream.ControlStream}, nil
	}
	names = append(names, stream.ControlStream, stream.WarehouseStream)
	channels, err := r.channels()
	for _, c := range channels {
		names = append(names, stream.SendStream(c))
	}
	return names, err
}

// channels returns the channels whose streams were sent from.
func (r *Register) channels() ([]string, error) {
	var all []string
	err := r.store.Scan(storage.SinkKey(sendPosition), func(key, _ []byte) error {
		all = append(all, string(bytes.TrimPrefix(key, storage.SinkKey(sendPosition))))
		return nil
	})
	return all, err
}

// Complete notes that the parts belong together: the log with this id, and what is given.
// It is called when all parts are there, at each start. rows is the id of the embedded
// ClickHouse's directory; empty where there is none. It fails with ErrLost where the log is
// another one than before.
func (r *Register) Complete(log string, g Given, rows string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.record.Log != "" && r.record.Log != log {
		return fmt.Errorf("%w: the log is %s, the state is of the log %s. Put back what belongs together",
			ErrLost, log, r.record.Log)
	}
	if g.NodeLog != "" && g.NodeLog != log {
		return fmt.Errorf("%w: the log is %s, node.json is of the log %s. Put back what belongs together",
			ErrLost, log, g.NodeLog)
	}
	next := r.record
	next.Log, next.Node, next.EraseKey = log, g.Node, g.EraseKey
	if rows != "" {
		next.Rows = rows
	}
	r.record = next
	return r.save()
}

// Accept declares the parts as they are now, with the log of this id, to belong together.
// What is missing is made anew at the next start. It returns what it accepted, one text for
// each loss.
//
// The caller must have checked that the control log is there: nothing can continue without
// it.
func (r *Register) Accept(ctx context.Context, log string, g Given) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	losses, err := r.losses(ctx, g)
	if err != nil {
		return nil, err
	}
	var said []string
	b := new(storage.Batch)
	for _, l := range losses {
		said = append(said, l.part+": "+l.what)
		if !l.stream {
			continue
		}
		at, found, err := r.look.Created(ctx, l.part)
		if err != nil {
			return nil, err
		}
		delete(r.record.Streams, l.part)
		if found {
			r.record.Streams[l.part] = at.UnixNano()
		}
		if channel, ok := strings.CutPrefix(l.part, stream.SendStream("")); ok {
			b.Delete(storage.SinkKey(sendPosition + channel)) // a position in the stream that is gone
		}
	}
	// The next start notes the other parts as it finds them.
	r.record.Log, r.record.Node, r.record.EraseKey, r.record.Rows = log, "", "", ""
	if err := r.store.Commit(b); err != nil {
		return nil, err
	}
	return said, r.save()
}

// Losses returns the parts that are missing or belong to another directory, one text for
// each.
func (r *Register) Losses(ctx context.Context, g Given) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	losses, err := r.losses(ctx, g)
	var said []string
	for _, l := range losses {
		said = append(said, l.part+": "+l.what)
	}
	return said, err
}

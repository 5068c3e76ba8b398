package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/sink/dispatch/plan"
	"github.com/nudge-engine/nudge/stream"
)

// Limits of what is copied at once: effect messages, and their bytes before the last of
// them; and of the messages that are read meanwhile, each of at most 512 KiB.
const (
	maxGroupMessages = 64
	maxGroupBytes    = 128 << 10
	maxPrefetched    = 8
)

// copy copies one partition's deliveries, from the saved position on.
func (d *Dispatcher) copy(ctx context.Context, p int) {
	next := d.copied[p].Load() + 1
	var err error
	for ctx.Err() == nil {
		if next, err = d.copyFrom(ctx, p, next, copyKey(p)); err != nil && ctx.Err() == nil {
			d.config.Logger.Warn("dispatch: copying is tried again", slog.Int("partition", p), slog.Any("error", err))
			pause(ctx, retryPause)
		}
	}
	d.savePosition(p, next-1, copyKey(p))
}

func (d *Dispatcher) copyFrom(ctx context.Context, p int, next uint64, key []byte) (uint64, error) {
	info, err := d.config.Effects[p].Info(ctx)
	if err != nil {
		return next, err
	}
	next = max(next, info.First)
	r, err := d.config.Effects[p].Read(ctx, next)
	if err != nil {
		return next, err
	}
	defer r.Close()
	pre := prefetch(ctx, r)
	defer pre.stop()
	saved := time.Now()
	for {
		group, err := pre.next()
		if err != nil {
			return next, err
		}
		for i := range group {
			if want := next + uint64(i); group[i].Seq != want {
				return next, fmt.Errorf("dispatch: effect message %d came where %d was due", group[i].Seq, want)
			}
		}
		if err := d.copyMessages(ctx, p, group); err != nil {
			return next, err
		}
		next += uint64(len(group))
		if time.Since(saved) > saveEvery {
			d.savePosition(p, next-1, key)
			saved = time.Now()
		}
	}
}

// prefetcher reads messages while those before them are copied.
type prefetcher struct {
	messages chan stream.Message
	failure  error // why there are no more; read it after messages was closed
	group    []stream.Message
	stopRead context.CancelFunc
	reading  sync.WaitGroup
}

func prefetch(ctx context.Context, r stream.Reader) *prefetcher {
	ctx, stop := context.WithCancel(ctx)
	pre := &prefetcher{messages: make(chan stream.Message, maxPrefetched), stopRead: stop}
	pre.reading.Go(func() {
		defer close(pre.messages)
		for {
			m, err := r.Next(ctx)
			if err != nil {
				pre.failure = err
				return
			}
			select {
			case pre.messages <- m:
			case <-ctx.Done():
				pre.failure = context.Cause(ctx)
				return
			}
		}
	})
	return pre
}

func (pre *prefetcher) stop() {
	pre.stopRead()
	pre.reading.Wait()
}

// next waits for a message and takes those along that have come meanwhile. The result
// holds until the next call.
func (pre *prefetcher) next() ([]stream.Message, error) {
	m, more := <-pre.messages
	if !more {
		return nil, pre.failure
	}
	pre.group = append(pre.group[:0], m)
	for bytes := len(m.Data); len(pre.group) < maxGroupMessages && bytes < maxGroupBytes; bytes += len(m.Data) {
		select {
		case m, more = <-pre.messages:
			if !more {
				return pre.group, nil // the failure comes with the next call
			}
			pre.group = append(pre.group, m)
		default:
			return pre.group, nil
		}
	}
	return pre.group, nil
}

// copyMessages puts the deliveries of effect messages in a row into the streams of their
// channels, one message a channel, and forwards their transfers. What a stream has already is
// passed over: a message of it says up to which effect message it has all.
func (d *Dispatcher) copyMessages(ctx context.Context, p int, group []stream.Message) error {
	var batches plan.Batches
	var transfers []event.Transfer
	queues := map[string]*channelQueue{}
	upTo := func(channel string) (last uint64, err error) {
		q := queues[channel]
		if q == nil {
			if q, err = d.queue(ctx, channel); err != nil {
				return 0, err
			}
			queues[channel] = q
		}
		return q.last[p], nil
	}
	size := 0
	for _, raw := range group {
		m, err := effect.DecodeOutgoing(raw.Data, d.names[p])
		if err != nil {
			return err
		}
		size += len(raw.Data)
		transfers = append(transfers, m.Transfers...)
		if err := batches.Add(raw.Seq, m.Deliveries, upTo); err != nil {
			return err
		}
	}
	last := group[len(group)-1].Seq
	for _, channel := range batches.Channels() {
		q := queues[channel]
		data := encodeSendBatch(last, batches.Of(channel), size)
		if _, err := stream.AppendWait(ctx, q.stream, stream.Append{Data: data, Subject: strconv.Itoa(p)}); err != nil {
			return err
		}
		q.last[p] = last
	}
	return d.forwardTransfers(ctx, transfers)
}

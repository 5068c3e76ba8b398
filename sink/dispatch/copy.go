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

// Limits of one round of copying, and of reading ahead. They bound memory while a
// partition is far behind; a message has at most 512 KiB.
const (
	maxGroupMessages = 64        // effect messages of a round
	maxGroupBytes    = 128 << 10 // of a round, before its last message
	maxPrefetched    = 8         // messages read while the ones before are copied
)

// copy copies one partition's effect messages, from the saved position on, until ctx
// ends. After a failure it goes on where it was.
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

// copyFrom copies from message next on until something fails, and returns the message to
// go on with.
func (d *Dispatcher) copyFrom(ctx context.Context, p int, next uint64, key []byte) (uint64, error) {
	info, err := d.config.Effects[p].Info(ctx)
	if err != nil {
		return next, err
	}
	// Messages that were trimmed had been copied: Copied holds the trimming back.
	next = max(next, info.First)
	r, err := d.config.Effects[p].Read(ctx, next)
	if err != nil {
		return next, err
	}
	defer r.Close()
	// Reading goes on while appends wait for the disk.
	pre := prefetch(ctx, r)
	defer pre.stop()
	saved := time.Now()
	for {
		group, err := pre.next()
		if err != nil {
			return next, err
		}
		for i := range group {
			// A gap would lose deliveries silently.
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

// prefetcher reads messages in a goroutine of its own while the ones before them are
// copied.
type prefetcher struct {
	messages chan stream.Message
	failure  error            // why there are no more; read it after messages was closed
	group    []stream.Message // result of next; its memory is used again
	stopRead context.CancelFunc
	reading  sync.WaitGroup
}

// prefetch starts to read from r. The caller must call stop.
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

// stop ends the reading and waits until it has ended.
func (pre *prefetcher) stop() {
	pre.stopRead()
	pre.reading.Wait()
}

// next waits for a message and returns it together with those that have come meanwhile,
// within the limits of a round. So rounds are small while the copier keeps up, and large
// when it is behind. The result is valid until the next call.
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

// copyMessages puts the deliveries of consecutive effect messages into the streams of
// their channels, as one message for each channel, and then forwards their transfers. A
// message in a channel's stream says up to which effect message it is complete, so what a
// stream has already is left out.
//
// There is one append under way for each partition and channel at most: if the first of
// two failed and the second were stored, a restart would go on behind both.
func (d *Dispatcher) copyMessages(ctx context.Context, p int, group []stream.Message) error {
	var batches plan.Batches
	var transfers []event.Transfer
	queues := map[string]*channelQueue{}
	// Creates the stream and worker of a channel that is used for the first time.
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
	// Also a channel that got a delivery of an earlier message only is now complete up to
	// the last.
	last := group[len(group)-1].Seq
	for _, channel := range batches.Channels() {
		q := queues[channel]
		data := encodeSendBatch(last, batches.Of(channel), size)
		if _, err := stream.AppendWait(ctx, q.stream, stream.Append{Data: data, Subject: strconv.Itoa(p)}); err != nil {
			return err
		}
		q.last[p] = last
	}
	// Transfers are not noted anywhere: receivers recognise repetitions.
	return d.forwardTransfers(ctx, transfers)
}

package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// ErrBusy reports that as many records of a partition wait as may. The caller tries again
// later; ingest answers 503 meanwhile.
var ErrBusy = errors.New("stream: too many records are waiting")

// How many frames may wait in a publisher, and its times.
const (
	maxWaitingFrames = 8                      // a partition; with the one in flight 4.5 MiB
	publishDeadline  = 15 * time.Second       // after the first attempt; then the frame is given up
	publishRetry     = 100 * time.Millisecond // before a frame is published again
	closePoll        = 5 * time.Millisecond   // while Close waits
)

// Publisher gathers records into frames and appends them, one stream a partition. While a
// frame of a partition is in flight the next one fills: under load frames are large and
// the disk is synced once for many events, without load an event does not wait, and no
// timer is needed. It is safe for concurrent use.
type Publisher struct {
	clock   func() (int64, error) // stamps frames, ms; an error fails them
	log     *slog.Logger
	writers []*partitionWriter
}

// partitionWriter makes the frames of one partition and appends them, one at a time.
//
// Invariant: when inFlight is nil, waiting is empty.
type partitionWriter struct {
	p      *Publisher
	stream Stream

	mu       sync.Mutex
	inFlight *outFrame   // being appended; nil if none is
	waiting  []*outFrame // to be appended after it; the last one fills
	closed   bool        // takes no more records
	free     []*outFrame // used frames, kept for their memory
}

// outFrame is a frame on its way, with those who wait for it.
type outFrame struct {
	builder Builder
	done    []func(error) // to be called once it is appended or given up
	since   time.Time     // of the first attempt
}

// NewPublisher returns a publisher that appends to streams[p] for partition p and stamps
// frames with clock, ms since the epoch.
func NewPublisher(streams []Stream, clock func() (int64, error), log *slog.Logger) *Publisher {
	p := &Publisher{clock: clock, log: log}
	for _, s := range streams {
		t := &partitionWriter{p: p, stream: s}
		p.writers = append(p.writers, t)
	}
	return p
}

// Partitions returns how many partitions there are.
func (p *Publisher) Partitions() int { return len(p.writers) }

// Add takes records for a partition; their data is copied. They may be spread over
// several frames, in their order. done is called once, from another goroutine, with nil
// when all of them are durable, or with the first error when some were given up: these
// may be in the log all the same. ErrBusy and ErrClosed are returned at once, and nothing
// was taken then.
//
// REQUIRES: each record is at most 64 KiB.
func (p *Publisher) Add(partition int, records []Record, done func(error)) error {
	return p.writers[partition].add(records, done)
}

// add is Add for one partition.
func (t *partitionWriter) add(records []Record, done func(error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	if len(t.waiting) >= maxWaitingFrames {
		return ErrBusy
	}
	var last *outFrame
	frames := 0
	for _, r := range records {
		f := t.filling(len(r.Data))
		f.builder.Add(r.Kind, r.Data)
		if f != last {
			last = f
			frames++
		}
	}
	// Add promises to call done from another goroutine.
	if frames == 0 {
		go done(nil)
		return nil
	}
	done = countdown(frames, done)
	for _, f := range t.waiting[len(t.waiting)-frames:] {
		f.done = append(f.done, done)
	}
	// Nothing is in flight, so the frame need not wait.
	if t.inFlight == nil {
		t.next()
	}
	return nil
}

// filling returns the frame that takes a record of n bytes: the last one, or a new one if
// that is full. The caller holds mu.
func (t *partitionWriter) filling(n int) *outFrame {
	if len(t.waiting) > 0 {
		if f := t.waiting[len(t.waiting)-1]; f.builder.Fits(n) {
			return f
		}
	}
	f := new(outFrame)
	if len(t.free) > 0 {
		f = t.free[len(t.free)-1]
		t.free = t.free[:len(t.free)-1]
	}
	t.waiting = append(t.waiting, f)
	return f
}

// countdown returns a function that calls done at its n-th call, with the first error.
func countdown(n int, done func(error)) func(error) {
	if n == 1 {
		return done
	}
	var mu sync.Mutex
	var first error
	return func(err error) {
		mu.Lock()
		n--
		if first == nil {
			first = err
		}
		left, err := n, first
		mu.Unlock()
		if left == 0 {
			done(err)
		}
	}
}

// next sends the oldest waiting frame, if there is one. The caller holds mu.
func (t *partitionWriter) next() {
	if len(t.waiting) == 0 {
		t.inFlight = nil
		return
	}
	t.inFlight = t.waiting[0]
	t.waiting[0] = nil
	t.waiting = t.waiting[1:]
	t.inFlight.since = time.Now()
	go t.send(t.inFlight)
}

// send stamps a frame and appends it.
func (t *partitionWriter) send(f *outFrame) {
	now, err := t.p.clock()
	if err != nil {
		t.ended(f, err)
		return
	}
	t.stream.Append(Append{Data: f.builder.Seal(now)}, func(_ uint64, err error) { t.answered(f, err) })
}

// answered handles the end of an append. What may still work is tried again with the same
// records: if the first attempt was stored after all, their events are recognised by
// their ids. A full or closed stream is final.
func (t *partitionWriter) answered(f *outFrame, err error) {
	final := err == nil || errors.Is(err, ErrFull) || errors.Is(err, ErrClosed)
	if !final && !t.isClosed() && time.Since(f.since) < publishDeadline {
		t.p.log.Warn("stream: a frame is published again", slog.Any("error", err))
		time.AfterFunc(publishRetry, func() { t.send(f) })
		return
	}
	t.ended(f, err)
}

// ended tells those who wait for a frame how it went, and sends the next one.
func (t *partitionWriter) ended(f *outFrame, err error) {
	if err != nil {
		err = fmt.Errorf("stream: not published: %w", err)
	}
	for i, done := range f.done {
		done(err)
		f.done[i] = nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f.done = f.done[:0]
	f.builder.Reset()
	// One fills while another is in flight; more are needed only at peaks.
	if len(t.free) < 2 {
		t.free = append(t.free, f)
	}
	t.next()
}

// Close takes no more records and waits until those taken are answered. What fails
// meanwhile is not tried again. It returns early when ctx ends; appends under way then
// end with the log.
func (p *Publisher) Close(ctx context.Context) {
	for _, t := range p.writers {
		t.close()
	}
	ticker := time.NewTicker(closePoll)
	defer ticker.Stop()
	for _, t := range p.writers {
		for !t.isIdle() {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}
}

// close makes add refuse records.
func (t *partitionWriter) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

// isIdle reports whether no frame is on its way.
func (t *partitionWriter) isIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inFlight == nil
}

// isClosed reports whether close was called.
func (t *partitionWriter) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

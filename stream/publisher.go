package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// ErrBusy means that a partition has as many records waiting as it may.
var ErrBusy = errors.New("stream: too many records are waiting")

// Limits of a publisher.
const (
	maxWaitingFrames = 8 // a partition; with the one in flight 4.5 MiB
	publishDeadline  = 15 * time.Second
	publishRetry     = 100 * time.Millisecond
	closePoll        = 5 * time.Millisecond
)

// Publisher gathers records into frames, one stream a partition (R4): while a
// frame is in flight the next one fills, which is a group commit without a
// timer. It is safe for concurrent use.
type Publisher struct {
	clock   func() (int64, error)
	log     *slog.Logger
	writers []*partitionWriter
}

// partitionWriter is one partition's frames.
//
// Invariant: when inFlight is nil, waiting is empty.
type partitionWriter struct {
	p      *Publisher
	stream Stream

	mu       sync.Mutex
	inFlight *outFrame
	waiting  []*outFrame // the last one fills
	closed   bool
	free     []*outFrame
}

type outFrame struct {
	builder Builder
	done    []func(error)
	since   time.Time // of the first attempt
}

// NewPublisher publishes to streams[p] for partition p, stamped by clock.
func NewPublisher(streams []Stream, clock func() (int64, error), log *slog.Logger) *Publisher {
	p := &Publisher{clock: clock, log: log}
	for _, s := range streams {
		t := &partitionWriter{p: p, stream: s}
		p.writers = append(p.writers, t)
	}
	return p
}

// Partitions is how many partitions there are.
func (p *Publisher) Partitions() int { return len(p.writers) }

// Add takes records for a partition; their data is copied. done is called once,
// from another goroutine, when all of them are durable or when it is given up:
// then some of them may be in the log all the same. ErrBusy and ErrClosed come
// at once and nothing was taken.
//
// REQUIRES: each record is at most 64 KiB.
func (p *Publisher) Add(partition int, records []Record, done func(error)) error {
	return p.writers[partition].add(records, done)
}

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
	if frames == 0 {
		go done(nil)
		return nil
	}
	done = countdown(frames, done)
	for _, f := range t.waiting[len(t.waiting)-frames:] {
		f.done = append(f.done, done)
	}
	if t.inFlight == nil {
		t.next()
	}
	return nil
}

// filling is the frame that takes a record of n bytes.
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

// countdown calls done at the n-th call, with the first error.
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

// next sends the oldest waiting frame. REQUIRES: mu is held.
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

func (t *partitionWriter) send(f *outFrame) {
	now, err := t.p.clock()
	if err != nil {
		t.ended(f, err)
		return
	}
	t.stream.Append(Append{Data: f.builder.Seal(now)}, func(_ uint64, err error) { t.answered(f, err) })
}

// answered retries what may still work: the same records again, whose events are
// recognised by their ids if the first attempt was stored after all.
func (t *partitionWriter) answered(f *outFrame, err error) {
	final := err == nil || errors.Is(err, ErrFull) || errors.Is(err, ErrClosed)
	if !final && !t.isClosed() && time.Since(f.since) < publishDeadline {
		t.p.log.Warn("stream: a frame is published again", slog.Any("error", err))
		time.AfterFunc(publishRetry, func() { t.send(f) })
		return
	}
	t.ended(f, err)
}

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
	if len(t.free) < 2 {
		t.free = append(t.free, f)
	}
	t.next()
}

// Close takes no more records and waits until those taken are answered, or ctx
// ends: then the rest fails. While it closes nothing that failed is tried again.
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

func (t *partitionWriter) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

func (t *partitionWriter) isIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inFlight == nil
}

func (t *partitionWriter) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

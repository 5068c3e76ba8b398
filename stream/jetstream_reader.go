package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// readAhead is how many messages a reader may hold that Next was not called for yet.
// There are four readers a partition, and a message may have 512 KiB. (With a limit in
// bytes nats.go v1.55.0 asks for more than it keeps.)
const readAhead = 16

// readerTimes are the periods of a reader.
//
// The client library puts the heartbeats of the server into the queue of the messages,
// which holds readAhead of both and drops what comes when it is full. So a reader must
// not stay unread for as long as a heartbeat: after idle without a call of Next it gives
// its consumer back, and the next call takes a new one at the same position.
type readerTimes struct {
	heartbeat time.Duration // between signs of life of the server; 500 ms to 30 s
	expiry    time.Duration // of one request for messages; at least twice heartbeat
	idle      time.Duration // without a call of Next; less than heartbeat
}

// usualReaderTimes returns the periods outside of tests.
func usualReaderTimes() readerTimes {
	return readerTimes{heartbeat: 10 * time.Second, expiry: 30 * time.Second, idle: 5 * time.Second}
}

// jsReader reads with an ordered consumer. It keeps the position itself: nothing is
// acknowledged, and callers check the sequences to find a gap. Next must be called by one
// goroutine at a time; Close may come from another.
type jsReader struct {
	s *jsStream

	mu       sync.Mutex
	messages jetstream.MessagesContext // nil while the consumer is given back
	next     uint64                    // sequence of the first message that was not returned
	reading  bool                      // a Next is waiting
	closed   bool
	idle     *time.Timer // calls giveBack
}

func (s *jsStream) Read(ctx context.Context, from uint64) (Reader, error) {
	r := &jsReader{s: s, next: max(from, 1)}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	r.idle = time.AfterFunc(s.times.idle, r.giveBack)
	return r, nil
}

// open takes a consumer at the position. The caller holds mu, or has the reader alone.
func (r *jsReader) open(ctx context.Context) error {
	consumer, err := r.s.s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   r.next,
	})
	if err == nil {
		r.messages, err = consumer.Messages(jetstream.PullMaxMessages(readAhead),
			jetstream.PullExpiry(r.s.times.expiry), jetstream.PullHeartbeat(r.s.times.heartbeat))
	}
	if err != nil {
		return fmt.Errorf("stream: read %s from %d: %w", r.s.name, r.next, err)
	}
	return nil
}

// giveBack ends the consumer of a reader that nobody reads from.
func (r *jsReader) giveBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reading || r.closed || r.messages == nil {
		return
	}
	r.messages.Stop()
	r.messages = nil
}

func (r *jsReader) Next(ctx context.Context) (Message, error) {
	messages, err := r.begin(ctx)
	if err != nil {
		return Message{}, err
	}
	m, err := messages.Next(jetstream.NextContext(ctx))
	message, err := r.message(ctx, m, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading = false
	if err == nil {
		r.next = message.Seq + 1
	}
	r.idle.Reset(r.s.times.idle)
	return message, err
}

// begin notes that Next waits, and returns what it waits on, taking a consumer if there
// is none.
func (r *jsReader) begin(ctx context.Context) (jetstream.MessagesContext, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	if r.messages == nil {
		if err := r.open(ctx); err != nil {
			return nil, err
		}
	}
	r.reading = true
	return r.messages, nil
}

// message converts what the client library returned.
func (r *jsReader) message(ctx context.Context, m jetstream.Msg, err error) (Message, error) {
	switch {
	case errors.Is(err, jetstream.ErrMsgIteratorClosed):
		return Message{}, ErrClosed
	case err != nil && ctx.Err() != nil:
		return Message{}, context.Cause(ctx)
	case err != nil:
		return Message{}, fmt.Errorf("stream: read %s: %w", r.s.name, err)
	}
	meta, err := m.Metadata()
	if err != nil {
		return Message{}, fmt.Errorf("stream: read %s: %w", r.s.name, err)
	}
	return Message{
		Seq:     meta.Sequence.Stream,
		Time:    meta.Timestamp,
		Subject: r.s.subjectOf(m.Subject()),
		Data:    m.Data(),
	}, nil
}

func (r *jsReader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.idle.Stop()
	if r.messages != nil {
		r.messages.Stop()
	}
}

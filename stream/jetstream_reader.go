package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// readAhead is how many messages a reader may hold that were not asked for yet.
// There are four readers a partition, and a message may have 512 KiB. (With a limit
// in bytes nats.go v1.55.0 asks for more than it keeps.)
const readAhead = 16

// jsReader reads with an ordered consumer. Its positions are our own: nothing is
// acknowledged, and a gap is found by whoever checks the sequences.
type jsReader struct {
	s        *jsStream
	messages jetstream.MessagesContext
}

func (s *jsStream) Read(ctx context.Context, from uint64) (Reader, error) {
	consumer, err := s.s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   max(from, 1),
	})
	if err != nil {
		return nil, fmt.Errorf("stream: read %s from %d: %w", s.name, from, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(readAhead))
	if err != nil {
		return nil, fmt.Errorf("stream: read %s from %d: %w", s.name, from, err)
	}
	return &jsReader{s: s, messages: messages}, nil
}

func (r *jsReader) Next(ctx context.Context) (Message, error) {
	m, err := r.messages.Next(jetstream.NextContext(ctx))
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
	return Message{Seq: meta.Sequence.Stream, Time: meta.Timestamp, Lane: r.s.lane(m.Subject()), Data: m.Data()}, nil
}

func (r *jsReader) Close() { r.messages.Stop() }

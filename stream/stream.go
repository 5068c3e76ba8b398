package stream

import (
	"context"
	"errors"
	"time"
)

// Errors of a log. Everything else a method returns is retryable.
var (
	// ErrWrongLast means that a conditional append met another last sequence.
	ErrWrongLast = errors.New("stream: wrong last sequence")
	// ErrNotFound means that there is no such message.
	ErrNotFound = errors.New("stream: no such message")
	// ErrFull means that the stream is at its size limit and takes nothing.
	ErrFull = errors.New("stream: full")
	// ErrNoAnswer means that the log could not be asked, which says nothing about what
	// is in it.
	ErrNoAnswer = errors.New("stream: the log gives no answer")
	// ErrClosed means that the log or the reader was closed.
	ErrClosed = errors.New("stream: closed")
)

// Options are fixed when a stream is created.
type Options struct {
	MaxBytes int64 // beyond it appends fail with ErrFull; must be positive
	// Subjects are the subdivisions that Append.Subject may name; nil for a stream without any.
	Subjects []string
}

// Message is one message of a stream. Data must not be changed.
type Message struct {
	Seq     uint64
	Time    time.Time // when the log stored it
	Subject string
	Data    []byte
}

// Info is the extent of a stream. An empty stream that never held anything has
// First 0 or 1 and Last 0; one that was trimmed to nothing has First = Last + 1.
type Info struct {
	First, Last uint64
	Bytes       int64
	MaxBytes    int64
	Created     time.Time // names this incarnation of the stream
}

// Append is one message to be stored.
type Append struct {
	Data    []byte
	Subject string
	// Conditional appends only if After is the stream's last sequence, else
	// fails with ErrWrongLast.
	Conditional bool
	After       uint64
}

// Log is the seam to the log. Implementations are safe for concurrent use.
type Log interface {
	// Open opens a stream and creates it when it is missing.
	Open(ctx context.Context, name string, o Options) (Stream, error)
	// Lease waits until holder is the only holder of the named lease.
	Lease(ctx context.Context, name, holder string) (Lease, error)
	// Close releases the log; unfinished appends fail with ErrClosed.
	Close() error
}

// Stream is one stream of a log.
type Stream interface {
	// Append stores a message and calls done once, from another goroutine or
	// before it returns, when the message is durable or was not stored, or when
	// neither is known. Appends of one goroutine are stored in their order; after
	// a failed conditional one the following fail too, as their condition does.
	Append(a Append, done func(seq uint64, err error))
	// Read returns the messages from a sequence on, in order, as they come.
	Read(ctx context.Context, from uint64) (Reader, error)
	// Get returns one message.
	Get(ctx context.Context, seq uint64) (Message, error)
	// Last returns the last message of a subject ("" for any).
	Last(ctx context.Context, subject string) (Message, error)
	// Info returns the stream's extent.
	Info(ctx context.Context) (Info, error)
	// Trim removes the messages up to and including through. Beyond the last
	// message it also moves the numbering: the next message gets through + 1.
	Trim(ctx context.Context, through uint64) error
}

// Reader reads a stream. It belongs to one goroutine, but Close may come from
// another.
type Reader interface {
	// Next waits for the next message; ErrClosed after Close.
	Next(ctx context.Context) (Message, error)
	Close()
}

// Lease says who should run something. It is about liveness only: what keeps the
// state safe is that appends are conditional and the fold is deterministic.
type Lease interface {
	// Epoch grows with each new holder.
	Epoch() uint64
	// Lost is closed when the lease is no longer held.
	Lost() <-chan struct{}
	// Release gives it up.
	Release()
}

// AppendWait is Append that waits for its end.
func AppendWait(ctx context.Context, s Stream, a Append) (uint64, error) {
	type end struct {
		seq uint64
		err error
	}
	ended := make(chan end, 1)
	s.Append(a, func(seq uint64, err error) { ended <- end{seq, err} })
	select {
	case e := <-ended:
		return e.seq, e.err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

package stream

import (
	"context"
	"errors"
	"time"
)

// Errors of a log, to be recognised with errors.Is. Every other error that a method
// returns may go away when the call is repeated.
var (
	// ErrWrongLast reports a conditional append that met another last sequence.
	ErrWrongLast = errors.New("stream: wrong last sequence")
	// ErrNotFound reports that there is no such message: not yet, or not any more.
	ErrNotFound = errors.New("stream: no such message")
	// ErrFull reports that the stream is at its size limit and takes nothing until it is
	// trimmed.
	ErrFull = errors.New("stream: full")
	// ErrNoAnswer reports that the log could not be asked, which says nothing about what
	// is in it.
	ErrNoAnswer = errors.New("stream: the log gives no answer")
	// ErrClosed reports that the log or the reader was closed.
	ErrClosed = errors.New("stream: closed")
)

// Options are fixed when a stream is created. Opening one that exists does not change
// them.
type Options struct {
	// MaxBytes is the size beyond which appends fail with ErrFull; it must be positive.
	MaxBytes int64
	// Subjects are the subdivisions that Append.Subject may name; nil for a stream
	// without any.
	Subjects []string
}

// Message is one message of a stream. Data must not be changed: readers share it.
type Message struct {
	Seq     uint64    // from 1, without gaps
	Time    time.Time // when the log stored it
	Subject string    // empty in a stream without subjects
	Data    []byte
}

// Info is the extent of a stream. A stream that never held anything has First 0 or 1 and
// Last 0; one that was trimmed to nothing has First = Last + 1.
type Info struct {
	First, Last uint64
	Bytes       int64 // that it takes, as MaxBytes counts them
	MaxBytes    int64
	Created     time.Time // tells this stream from an earlier or later one of its name
}

// Append is one message to be stored.
type Append struct {
	// Data must not be changed until the append has ended.
	Data []byte
	// Subject is one of Options.Subjects, empty in a stream without subjects.
	Subject string
	// Conditional appends only if After is the last sequence of the stream, and otherwise
	// fails with ErrWrongLast. It makes an append that is repeated, or a writer that was
	// replaced, harmless.
	Conditional bool
	After       uint64
}

// Log is a set of streams and leases. Implementations are safe for concurrent use.
type Log interface {
	// Open opens a stream and creates it if it is missing.
	Open(ctx context.Context, name string, o Options) (Stream, error)
	// Lease waits until holder is the only holder of the named lease. A holder that takes
	// its own lease again, after a crash, need not wait for it to expire.
	Lease(ctx context.Context, name, holder string) (Lease, error)
	// Close releases the log; unfinished appends fail with ErrClosed.
	Close() error
}

// Stream is one stream of a log. Implementations are safe for concurrent use.
type Stream interface {
	// Append stores a message. It calls done exactly once, from another goroutine or
	// before it returns: with the sequence when the message is durable, or with an error.
	// Only ErrFull and ErrWrongLast say that the message was not stored; after any other
	// error it may be there. Appends of one goroutine are stored in their order; after a
	// conditional one that failed the following fail too, as their condition does.
	Append(a Append, done func(seq uint64, err error))
	// Read returns a reader of the messages from a sequence on. It does not end at the
	// last message: Next then waits for more.
	Read(ctx context.Context, from uint64) (Reader, error)
	// Get returns one message, or ErrNotFound.
	Get(ctx context.Context, seq uint64) (Message, error)
	// Last returns the last message of a subject ("" for any), or ErrNotFound.
	Last(ctx context.Context, subject string) (Message, error)
	// Info returns the extent of the stream.
	Info(ctx context.Context) (Info, error)
	// Trim removes the messages up to and including through. Beyond the last message it
	// also moves the numbering: the next message gets through + 1.
	Trim(ctx context.Context, through uint64) error
}

// Reader reads a stream. Next must be called by one goroutine at a time; Close may come
// from another. Where messages were trimmed it goes on with the first that is there, so
// callers check the sequences.
type Reader interface {
	// Next waits for the next message. It returns ErrClosed after Close, and the cause of
	// ctx if that ends.
	Next(ctx context.Context) (Message, error)
	// Close ends the reader and a Next that waits.
	Close()
}

// Lease says which server should run something. It is about liveness only: a server that
// was paused may believe to hold a lease that it lost. What keeps the state safe is that
// appends are conditional and the fold is deterministic.
type Lease interface {
	// Epoch returns a number that grows with each new holder.
	Epoch() uint64
	// Lost returns a channel that is closed when the lease is no longer held.
	Lost() <-chan struct{}
	// Release gives the lease up.
	Release()
}

// AppendWait appends a message and waits until the append has ended. If ctx ends first
// its cause is returned, and the message may still be stored.
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

package stream

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Memory is a log in memory, for tests and simulation. Its streams behave like
// JetStream's, but keep nothing beyond the process. Rollback loses a tail, as a damaged
// disk would.
type Memory struct {
	mu      sync.Mutex // guards everything, the streams included
	streams map[string]*memoryStream
	leases  map[string]*memoryLease
	clock   func() time.Time
	closed  bool
}

// NewMemory returns an empty log whose messages are stamped by clock.
func NewMemory(clock func() time.Time) *Memory {
	return &Memory{streams: map[string]*memoryStream{}, leases: map[string]*memoryLease{}, clock: clock}
}

// memoryStream is a stream of a Memory, guarded by the log's mutex.
type memoryStream struct {
	log      *Memory
	name     string
	o        Options
	created  time.Time
	first    uint64 // sequence of messages[0]
	messages []Message
	bytes    int64
	grown    chan struct{} // closed and replaced when a message comes
}

// Open implements Log.
func (l *Memory) Open(_ context.Context, name string, o Options) (Stream, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if o.MaxBytes <= 0 {
		return nil, fmt.Errorf("stream: %s: MaxBytes %d must be positive", name, o.MaxBytes)
	}
	if s, ok := l.streams[name]; ok {
		return s, nil
	}
	s := &memoryStream{log: l, name: name, o: o, created: l.clock(), first: 1, grown: make(chan struct{})}
	l.streams[name] = s
	return s, nil
}

// Rollback forgets the messages of a stream behind last; their sequences are used again
// for others. It fails if there is no such stream or last was trimmed.
func (l *Memory) Rollback(name string, last uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.streams[name]
	if !ok || last+1 < s.first {
		return fmt.Errorf("stream: %s: %w: sequence %d", name, ErrNotFound, last)
	}
	for uint64(len(s.messages)) > last+1-s.first {
		end := len(s.messages) - 1
		s.bytes -= int64(len(s.messages[end].Data))
		s.messages = s.messages[:end]
	}
	return nil
}

// Close implements Log.
func (l *Memory) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	for _, s := range l.streams {
		close(s.grown)
	}
	return nil
}

// last returns the last sequence, 0 if there never was a message.
func (s *memoryStream) last() uint64 { return s.first + uint64(len(s.messages)) - 1 }

// Append implements Stream; done is called before it returns.
func (s *memoryStream) Append(a Append, done func(uint64, error)) { done(s.append(a)) }

func (s *memoryStream) append(a Append) (uint64, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	switch {
	case s.log.closed:
		return 0, ErrClosed
	case a.Conditional && a.After != s.last():
		return 0, fmt.Errorf("%w: %s: last is %d, not %d", ErrWrongLast, s.name, s.last(), a.After)
	case s.bytes+int64(len(a.Data)) > s.o.MaxBytes:
		return 0, fmt.Errorf("%w: %s", ErrFull, s.name)
	}
	m := Message{Seq: s.last() + 1, Time: s.log.clock(), Subject: a.Subject, Data: append([]byte(nil), a.Data...)}
	s.messages = append(s.messages, m)
	s.bytes += int64(len(m.Data))
	close(s.grown)
	s.grown = make(chan struct{})
	return m.Seq, nil
}

func (s *memoryStream) Get(_ context.Context, seq uint64) (Message, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if seq < s.first || seq > s.last() {
		return Message{}, fmt.Errorf("%w: %s: sequence %d", ErrNotFound, s.name, seq)
	}
	return s.messages[seq-s.first], nil
}

func (s *memoryStream) Last(_ context.Context, subject string) (Message, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	for i := len(s.messages) - 1; i >= 0; i-- {
		if subject == "" || s.messages[i].Subject == subject {
			return s.messages[i], nil
		}
	}
	return Message{}, fmt.Errorf("%w: %s: subject %q is empty", ErrNotFound, s.name, subject)
}

func (s *memoryStream) Info(_ context.Context) (Info, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if s.log.closed {
		return Info{}, ErrClosed
	}
	return Info{First: s.first, Last: s.last(), Bytes: s.bytes, MaxBytes: s.o.MaxBytes, Created: s.created}, nil
}

func (s *memoryStream) Trim(_ context.Context, through uint64) error {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	for len(s.messages) > 0 && s.first <= through {
		s.bytes -= int64(len(s.messages[0].Data))
		s.messages = s.messages[1:]
		s.first++
	}
	if len(s.messages) == 0 && s.first <= through {
		s.first = through + 1
	}
	return nil
}

func (s *memoryStream) Read(_ context.Context, from uint64) (Reader, error) {
	return &memoryReader{s: s, next: max(from, 1), closed: make(chan struct{})}, nil
}

// memoryReader reads a memoryStream. After a trim it goes on with the first message that
// is there, as JetStream does.
type memoryReader struct {
	s      *memoryStream
	next   uint64
	once   sync.Once
	closed chan struct{}
}

func (r *memoryReader) Next(ctx context.Context) (Message, error) {
	for {
		r.s.log.mu.Lock()
		closed, grown := r.s.log.closed, r.s.grown
		r.next = max(r.next, r.s.first)
		if r.next <= r.s.last() {
			m := r.s.messages[r.next-r.s.first]
			r.next++
			r.s.log.mu.Unlock()
			return m, nil
		}
		r.s.log.mu.Unlock()
		if closed {
			return Message{}, ErrClosed
		}
		select {
		case <-grown:
		case <-r.closed:
			return Message{}, ErrClosed
		case <-ctx.Done():
			return Message{}, context.Cause(ctx)
		}
	}
}

func (r *memoryReader) Close() { r.once.Do(func() { close(r.closed) }) }

// memoryLease is a lease of a Memory. It does not expire: it is held until Release.
type memoryLease struct {
	epoch uint64
	lost  chan struct{}
	free  chan struct{}
	once  sync.Once
}

// Lease implements Log.
func (l *Memory) Lease(ctx context.Context, name, _ string) (Lease, error) {
	for {
		l.mu.Lock()
		held := l.leases[name]
		if held == nil || isClosed(held.free) {
			epoch := uint64(1)
			if held != nil {
				epoch = held.epoch + 1
			}
			mine := &memoryLease{epoch: epoch, lost: make(chan struct{}), free: make(chan struct{})}
			l.leases[name] = mine
			l.mu.Unlock()
			return mine, nil
		}
		l.mu.Unlock()
		select {
		case <-held.free:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// isClosed reports whether a channel that nobody sends to is closed.
func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (l *memoryLease) Epoch() uint64         { return l.epoch }
func (l *memoryLease) Lost() <-chan struct{} { return l.lost }
func (l *memoryLease) Release()              { l.once.Do(func() { close(l.lost); close(l.free) }) }

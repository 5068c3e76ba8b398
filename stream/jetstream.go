package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/nudge-engine/nudge/internal/secret"
)

// maxPending bounds the appends of one connection that wait for their acknowledgement. It
// is never reached: callers have tighter limits of their own (credits).
const maxPending = 1 << 16

// ackTimeout is how long an append may stay unanswered. After that nobody knows whether
// it was stored.
const ackTimeout = 10 * time.Second

// Error codes of nats-server that its client library does not name.
const (
	noSpace     jetstream.ErrorCode = 10047 // insufficient storage resources
	storeFailed jetstream.ErrorCode = 10077 // a full stream says so here
)

// JetStream is a log kept by nats-server, in this process or elsewhere. It is safe for
// concurrent use.
//
// Each stream has a connection of its own: a publisher holds the lock of its connection
// until the server has taken the message, and a frame may have half a megabyte.
type JetStream struct {
	dial     func() (*nats.Conn, error) // makes a connection
	conn     *nats.Conn                 // for what is no stream: leases, lookups
	js       jetstream.JetStream
	server   *server.Server // nil if the server is elsewhere
	replicas int            // servers that keep each stream, 1 if embedded
	log      *slog.Logger
	times    readerTimes

	mu    sync.Mutex
	links map[string]link // by name of the stream
}

// link is the connection of a stream.
type link struct {
	conn *nats.Conn
	js   jetstream.JetStream
}

// OpenEmbedded mends the files of a log if needed, starts a server on them in this
// process and connects to it. The error is ErrDamaged if they cannot be mended.
func OpenEmbedded(c EmbeddedConfig) (*JetStream, error) {
	secret := rand.Text()
	s, err := startServer(c, secret)
	if err != nil {
		return nil, err
	}
	l, err := newJetStream(&JetStream{server: s, replicas: 1, log: c.Logger, dial: func() (*nats.Conn, error) {
		conn, err := nats.Connect(s.ClientURL(), nats.Token(secret), nats.Name("nudge"), nats.MaxReconnects(-1))
		if err != nil {
			return nil, fmt.Errorf("stream: connect to the embedded log: %w", err)
		}
		return conn, nil
	}})
	if err != nil {
		s.Shutdown()
	}
	return l, err
}

// OpenURL connects to a server or cluster. replicas is how many servers keep each stream.
// Errors do not show the password of the url.
func OpenURL(url string, replicas int, log *slog.Logger) (*JetStream, error) {
	return newJetStream(&JetStream{replicas: replicas, log: log, dial: func() (*nats.Conn, error) {
		conn, err := nats.Connect(url, nats.Name("nudge"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(false))
		if err != nil {
			shown := secret.URL(url)
			err = fmt.Errorf("stream: connect to %v: %w", shown, err)
			return nil, secret.NewFilter(nil, []secret.URL{shown}).Error(err)
		}
		return conn, nil
	}})
}

// newJetStream completes l with its first connection.
func newJetStream(l *JetStream) (*JetStream, error) {
	l.links, l.times = map[string]link{}, usualReaderTimes()
	own, err := l.connect()
	if err != nil {
		return nil, err
	}
	l.conn, l.js = own.conn, own.js
	return l, nil
}

// connect makes a connection.
func (l *JetStream) connect() (link, error) {
	conn, err := l.dial()
	if err != nil {
		return link{}, err
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(maxPending),
		jetstream.WithPublishAsyncTimeout(ackTimeout))
	if err != nil {
		conn.Close()
		return link{}, fmt.Errorf("stream: jetstream: %w", err)
	}
	return link{conn, js}, nil
}

// link returns the connection of a stream, made at the first call. It stays until Close.
func (l *JetStream) link(name string) (k link, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, known := l.links[name]
	if !known {
		if k, err = l.connect(); err != nil {
			return k, err
		}
		l.links[name] = k
	}
	return k, nil
}

// Open implements Log.
func (l *JetStream) Open(ctx context.Context, name string, o Options) (Stream, error) {
	if o.MaxBytes <= 0 {
		return nil, fmt.Errorf("stream: %s: MaxBytes %d must be positive", name, o.MaxBytes)
	}
	k, err := l.link(name)
	if err != nil {
		return nil, err
	}
	s, err := k.js.Stream(ctx, name)
	// Created only if it is missing: its limits may have been changed by a person since.
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = k.js.CreateStream(ctx, l.config(name, o))
	}
	if err != nil {
		return nil, fmt.Errorf("stream: open %s: %w", name, err)
	}
	js := &jsStream{
		js:       k.js,
		name:     name,
		s:        s,
		times:    l.times,
		subjects: o.Subjects != nil,
		acks:     make(chan pending, 1024),
	}
	go js.await()
	return js, nil
}

// Created returns when a stream was created, which tells it from another one of its name.
// It creates nothing; found is false if there is no such stream.
func (l *JetStream) Created(ctx context.Context, name string) (at time.Time, found bool, err error) {
	s, err := l.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("stream: look for %s: %w", name, err)
	}
	return s.CachedInfo().Created, true, nil
}

// config returns how a stream is created. A full one refuses messages instead of removing
// old ones, and single messages cannot be deleted: both would make gaps. The server's own
// window of duplicates is short, since appends do not use it.
func (l *JetStream) config(name string, o Options) jetstream.StreamConfig {
	subjects := []string{subject(name)}
	if o.Subjects != nil {
		subjects = []string{subject(name) + ".*"}
	}
	return jetstream.StreamConfig{
		Name: name, Subjects: subjects, Storage: jetstream.FileStorage, Replicas: l.replicas,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: o.MaxBytes,
		DenyDelete: true, AllowDirect: true, Duplicates: time.Second,
	}
}

// subject returns the subject to which a stream's messages are published.
func subject(name string) string { return "nudge." + name }

// Close implements Log. The embedded server finishes its current work first.
func (l *JetStream) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.links {
		k.conn.Close()
	}
	l.conn.Close()
	if l.server != nil {
		l.server.Shutdown()
		l.server.WaitForShutdown()
	}
	return nil
}

// Healthy returns nil if the log can take appends. The embedded server reports write
// errors here, from which only a restart recovers. If it does not answer, because its
// locks hang, the error is that of ctx.
func (l *JetStream) Healthy(ctx context.Context) error {
	if err := l.connected(); err != nil {
		return err
	}
	if l.server == nil {
		return nil
	}
	return believe(ctx, func() error {
		if h := l.server.Healthz(nil); h.Status != "ok" {
			return fmt.Errorf("stream: embedded log: %s", h.Error)
		}
		return nil
	})
}

// connected returns an error if a connection is down.
func (l *JetStream) connected() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []*nats.Conn{l.conn}
	for _, k := range l.links {
		all = append(all, k.conn)
	}
	for _, conn := range all {
		if !conn.IsConnected() {
			return fmt.Errorf("stream: not connected to the log: %s", conn.Status())
		}
	}
	return nil
}

// The embedded server reports that it is not ready when its own check of its listeners takes
// longer than a millisecond, as on a busy machine. So a no is believed when it is given
// healthAsks times in a row, healthPause apart. A write error stays, and is reported each time.
const (
	healthAsks  = 3
	healthPause = 20 * time.Millisecond
)

// believe calls ask until it returns nil, at most healthAsks times, and returns its last
// error. It gives up when ctx ends; an ask that hangs is left behind.
func believe(ctx context.Context, ask func() error) error {
	for n := 1; ; n++ {
		answer := make(chan error, 1)
		go func() { answer <- ask() }()
		select {
		case err := <-answer:
			if err == nil || n == healthAsks {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("stream: the embedded log gives no answer: %w", ctx.Err())
		}
		select {
		case <-time.After(healthPause):
		case <-ctx.Done():
			return fmt.Errorf("stream: the embedded log gives no answer: %w", ctx.Err())
		}
	}
}

// pending is an append that was published and not answered.
type pending struct {
	ack  jetstream.PubAckFuture
	done func(uint64, error)
}

// jsStream is a stream of a JetStream log.
type jsStream struct {
	js       jetstream.JetStream
	name     string
	s        jetstream.Stream
	times    readerTimes
	subjects bool         // its messages have subjects of their own
	acks     chan pending // in the order of publication, read by await
}

// await calls the done functions of appends, in the order in which they were published.
func (s *jsStream) await() {
	for p := range s.acks {
		select {
		case ack := <-p.ack.Ok():
			p.done(ack.Sequence, nil)
		case err := <-p.ack.Err():
			p.done(0, s.appendError(err))
		}
	}
}

// Append implements Stream. It may block while the server does not take bytes. The client
// library does not try again by itself: callers decide about that, and must know of every
// attempt.
func (s *jsStream) Append(a Append, done func(uint64, error)) {
	m := &nats.Msg{Subject: subject(s.name), Data: a.Data}
	if s.subjects {
		m.Subject += "." + a.Subject
	}
	options := []jetstream.PublishOpt{jetstream.WithRetryAttempts(0)}
	if a.Conditional {
		options = append(options, jetstream.WithExpectLastSequence(a.After))
	}
	ack, err := s.js.PublishMsgAsync(m, options...)
	if err != nil {
		done(0, s.appendError(err))
		return
	}
	s.acks <- pending{ack: ack, done: done}
}

// appendError translates an error of the client library into one of this package.
func (s *jsStream) appendError(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		if api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
			api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant {
			return fmt.Errorf("%w: %s: %s", ErrWrongLast, s.name, api.Description)
		}
		full := api.ErrorCode == storeFailed && strings.Contains(api.Description, "maximum bytes")
		if api.ErrorCode == noSpace || full {
			return fmt.Errorf("%w: %s: %s", ErrFull, s.name, api.Description)
		}
	}
	if errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("%w: %s", ErrClosed, s.name)
	}
	return fmt.Errorf("stream: append to %s: %w", s.name, err)
}

func (s *jsStream) Get(ctx context.Context, seq uint64) (Message, error) {
	m, err := s.s.GetMsg(ctx, seq)
	return s.message(m, err)
}

// Last implements Stream.
func (s *jsStream) Last(ctx context.Context, sub string) (Message, error) {
	at := subject(s.name)
	if s.subjects {
		at += ".*"
		if sub != "" {
			at = subject(s.name) + "." + sub
		}
	}
	m, err := s.s.GetLastMsgForSubject(ctx, at)
	return s.message(m, err)
}

// message returns a message of the server, or translates its error.
func (s *jsStream) message(m *jetstream.RawStreamMsg, err error) (Message, error) {
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Message{}, fmt.Errorf("%w: %s", ErrNotFound, s.name)
	}
	if err != nil {
		return Message{}, fmt.Errorf("stream: read %s: %w", s.name, unanswered(err))
	}
	return Message{Seq: m.Sequence, Time: m.Time, Subject: s.subjectOf(m.Subject), Data: m.Data}, nil
}

// unanswered marks an error that is not the answer of a server as ErrNoAnswer.
func unanswered(err error) error {
	for _, none := range []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected,
		nats.ErrConnectionClosed, jetstream.ErrJetStreamNotEnabled,
	} {
		if errors.Is(err, none) {
			return fmt.Errorf("%w: %w", ErrNoAnswer, err)
		}
	}
	return err
}

// subjectOf returns the part of a server's subject that Append.Subject named.
func (s *jsStream) subjectOf(at string) string {
	if !s.subjects {
		return ""
	}
	return at[strings.LastIndexByte(at, '.')+1:]
}

func (s *jsStream) Info(ctx context.Context) (Info, error) {
	i, err := s.s.Info(ctx)
	if err != nil {
		return Info{}, fmt.Errorf("stream: info of %s: %w", s.name, unanswered(err))
	}
	return Info{
		First: i.State.FirstSeq, Last: i.State.LastSeq, Bytes: int64(i.State.Bytes),
		MaxBytes: i.Config.MaxBytes, Created: i.Created,
	}, nil
}

// Trim implements Stream. A purge up to a sequence also moves the numbering of an empty
// stream.
func (s *jsStream) Trim(ctx context.Context, through uint64) error {
	if err := s.s.Purge(ctx, jetstream.WithPurgeSequence(through+1)); err != nil {
		return fmt.Errorf("stream: trim %s: %w", s.name, err)
	}
	return nil
}

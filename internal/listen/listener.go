package listen

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// How long accepting pauses after an error; the pause doubles from one to the other.
const (
	// firstPause is the pause after a first error of accepting.
	firstPause = 5 * time.Millisecond
	// lastPause is the longest pause. Pauses double up to it, so that a lasting error does
	// not keep a core busy.
	lastPause = time.Second
)

// quiet is the shortest time between two complaints of a listener in the log.
const quiet = time.Minute

// Options are the limits of a listener. Zero means no limit.
type Options struct {
	// Total is the number of connections at a time.
	Total int
	// PerAddress is the number of connections at a time from one client address.
	PerAddress int
	// Logger gets a warning when connections are refused; nil for none.
	Logger *slog.Logger
}

// Stats counts what a listener has seen since it began.
type Stats struct {
	Open    int    // connections now
	Closed  uint64 // idle connections closed to make room
	Refused uint64 // new connections closed because every other one was busy
	Errors  uint64 // failures to accept, such as too many open files
}

// Listener is a net.Listener with bounds. Its Accept fails only after Close. It is safe for
// concurrent use.
type Listener struct {
	net.Listener
	options Options
	// closing is closed by Close and ends the pause of Accept.
	closing chan struct{}
	once    sync.Once

	// mu guards everything below.
	mu   sync.Mutex
	open map[*conn]struct{}
	// by is the number of connections by client address.
	by    map[string]int
	stats Stats
	// silence is the time before which there is no further complaint in the log.
	silence time.Time
}

// New returns l with bounds. The caller closes the result and not l.
func New(l net.Listener, o Options) *Listener {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Listener{
		Listener: l, options: o, closing: make(chan struct{}), open: map[*conn]struct{}{}, by: map[string]int{},
	}
}

// Accept waits for the next connection that there is room for. Errors that pass, such as
// too many open files, are waited out, and idle connections are closed meanwhile. It
// returns net.ErrClosed after Close.
func (l *Listener) Accept() (net.Conn, error) {
	pause := firstPause
	for {
		c, err := l.Listener.Accept()
		switch {
		case err == nil:
			if admitted := l.admit(c); admitted != nil {
				return admitted, nil
			}
			continue
		case errors.Is(err, net.ErrClosed) || l.isClosed():
			return nil, net.ErrClosed
		}
		l.failed(err)
		select {
		case <-time.After(pause):
		case <-l.closing:
			return nil, net.ErrClosed
		}
		pause = min(2*pause, lastPause)
	}
}

// Close ends accepting. Open connections stay open. It may be called more than once.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closing) })
	return l.Listener.Close()
}

// Stats returns the counts so far.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Open = len(l.open)
	return s
}

// isClosed reports whether Close was called.
func (l *Listener) isClosed() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// failed counts an error of accepting and closes the connection that is idle longest,
// because it may hold the file that the next one needs.
func (l *Listener) failed(err error) {
	l.mu.Lock()
	l.stats.Errors++
	victim := l.idlest("")
	if victim != nil {
		l.forget(victim)
		l.stats.Closed++
	}
	if l.mayComplain() {
		l.options.Logger.Warn("cannot accept connections", slog.Any("error", err))
	}
	l.mu.Unlock()
	// Closing is done without the lock: conn.Close takes it.
	if victim != nil {
		_ = victim.Close()
	}
}

// admit takes a connection in, in place of an idle one where the bounds are reached. It
// closes the connection and returns nil where all others are busy.
func (l *Listener) admit(c net.Conn) net.Conn {
	admitted := &conn{Conn: c, listener: l, address: addressOf(c)}
	admitted.touch()
	l.mu.Lock()
	victim, ok := l.room(admitted.address)
	switch {
	case !ok:
		l.stats.Refused++
		if l.mayComplain() {
			l.options.Logger.Warn("connection refused: all connections are busy", slog.Int("open", len(l.open)))
		}
	default:
		if victim != nil {
			l.forget(victim)
			l.stats.Closed++
		}
		l.open[admitted] = struct{}{}
		l.by[admitted.address]++
	}
	l.mu.Unlock()
	// Closing is done without the lock: conn.Close takes it.
	if victim != nil {
		_ = victim.Close()
	}
	if !ok {
		_ = c.Close()
		return nil
	}
	return admitted
}

// room reports whether one more connection from address may be open, and which one it would
// replace; nil for none. mu must be held.
func (l *Listener) room(address string) (victim *conn, ok bool) {
	if limit := l.options.PerAddress; limit > 0 && l.by[address] >= limit {
		victim = l.idlest(address)
		return victim, victim != nil
	}
	if limit := l.options.Total; limit > 0 && len(l.open) >= limit {
		victim = l.idlest("")
		return victim, victim != nil
	}
	return nil, true
}

// idlest returns the connection that waits longest for its client; nil where none waits. A
// non-empty address limits the search to that client. mu must be held.
func (l *Listener) idlest(address string) (found *conn) {
	oldest := int64(0)
	for c := range l.open {
		if address != "" && c.address != address {
			continue
		}
		if at, waiting := c.waiting(); waiting && (found == nil || at < oldest) {
			found, oldest = c, at
		}
	}
	return found
}

// forget removes a connection from the books; a second call does nothing. mu must be held.
func (l *Listener) forget(c *conn) {
	if _, ok := l.open[c]; !ok {
		return
	}
	delete(l.open, c)
	if l.by[c.address]--; l.by[c.address] <= 0 {
		delete(l.by, c.address)
	}
}

// mayComplain reports whether it is time for another complaint in the log, so that an
// attack does not fill it. mu must be held.
func (l *Listener) mayComplain() bool {
	now := time.Now()
	if now.Before(l.silence) {
		return false
	}
	l.silence = now.Add(quiet)
	return true
}

// addressOf returns the client's address without the port; empty where it is not known.
func addressOf(c net.Conn) string {
	remote := c.RemoteAddr()
	if remote == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(remote.String())
	if err != nil {
		return remote.String()
	}
	return host
}

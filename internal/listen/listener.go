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
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// quiet is how often at most a listener says in the log that it has trouble.
const quiet = time.Minute

// Options bound a listener. Zero means no limit.
type Options struct {
	Total      int // connections at a time
	PerAddress int // of them, from one client address
	Logger     *slog.Logger
}

// Stats is what a listener has seen since it began.
type Stats struct {
	Open    int    // connections now
	Closed  uint64 // idle connections closed to make room
	Refused uint64 // new connections closed because every other one was busy
	Errors  uint64 // failures to accept, such as too many open files
}

// Listener is a net.Listener whose Accept fails only when it was closed.
type Listener struct {
	net.Listener
	options Options
	closing chan struct{}
	once    sync.Once

	mu      sync.Mutex
	open    map[*conn]struct{}
	by      map[string]int // connections by client address
	stats   Stats
	silence time.Time // no complaint before
}

// New bounds l. The caller closes the result instead of l.
func New(l net.Listener, o Options) *Listener {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Listener{
		Listener: l, options: o, closing: make(chan struct{}), open: map[*conn]struct{}{}, by: map[string]int{},
	}
}

// Accept waits for the next connection. Errors that pass, such as too many open files, are
// waited out; what can be closed is closed.
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

// Close stops accepting; open connections stay.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closing) })
	return l.Listener.Close()
}

// Stats is what the listener has seen.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Open = len(l.open)
	return s
}

func (l *Listener) isClosed() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// failed counts an error of accept and gives up the connection that is idle longest: it
// may be what keeps the next one out.
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
	if victim != nil {
		_ = victim.Close()
	}
}

// admit takes a connection in, in the place of an idle one where there is no other; nil
// when all are busy, and then it is closed.
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
	if victim != nil {
		_ = victim.Close()
	}
	if !ok {
		_ = c.Close()
		return nil
	}
	return admitted
}

// room says whether one more connection from address may be, and which one it replaces.
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

// idlest is the connection that waits longest for its client, of those from address unless
// that is empty; nil when none waits.
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

// forget takes a connection off the books, once.
func (l *Listener) forget(c *conn) {
	if _, ok := l.open[c]; !ok {
		return
	}
	delete(l.open, c)
	if l.by[c.address]--; l.by[c.address] <= 0 {
		delete(l.by, c.address)
	}
}

// mayComplain is true once in a while, so that an attack does not fill the log.
func (l *Listener) mayComplain() bool {
	now := time.Now()
	if now.Before(l.silence) {
		return false
	}
	l.silence = now.Add(quiet)
	return true
}

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

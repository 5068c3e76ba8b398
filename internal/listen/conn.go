package listen

import (
	"net"
	"sync/atomic"
	"time"
)

// conn is a connection that knows since when it waits for its client. Its fields are
// atomic: the server's goroutines write them and the listener reads them.
type conn struct {
	net.Conn
	listener *Listener
	// address is the client's address without the port.
	address string
	// last is when a byte was last received or sent, or a Write began, in ns since 1970.
	last atomic.Int64
	// heard is true once a byte was received.
	heard atomic.Bool
	// readers is the number of calls of Read under way.
	readers atomic.Int32
	// working is the number of calls of Write, and of HTTP handlers, under way.
	working atomic.Int32
	// writing is the number of calls of Write under way.
	writing atomic.Int32
}

// stalled is how long a client may take nothing of its answer until its connection counts as
// waiting. It is long for a client on a slow line, and short enough that clients which never
// read cannot keep all others out.
const stalled = 5 * time.Second

// piece is how many bytes are written at a time. After each the clock of stalled begins anew, so
// that a large answer to a slow client does not look like one that nobody takes.
const piece = 64 << 10

// touch notes that a byte was received or sent.
func (c *conn) touch() { c.last.Store(time.Now().UnixNano()) }

// waiting reports whether nothing happens because the client sends nothing, or takes nothing
// of its answer, and since when (ns). It is false where the connection is at work: on a request
// from which no one reads, once a byte of it arrived. Before that the server has not begun to
// read, and the connection counts as waiting: otherwise a client that opens many connections
// at once would keep all others out.
func (c *conn) waiting() (since int64, is bool) {
	since = c.last.Load()
	if c.writing.Load() > 0 {
		return since, time.Since(time.Unix(0, since)) >= stalled
	}
	reading := c.readers.Load() > 0 || !c.heard.Load()
	return since, reading && c.working.Load() == 0
}

// Read counts as waiting for the client.
func (c *conn) Read(p []byte) (int, error) {
	c.readers.Add(1)
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(true)
		c.touch()
	}
	c.readers.Add(-1)
	return n, err //nolint:wrapcheck // servers compare these errors
}

// Write counts as work while the client takes the answer, however slowly.
func (c *conn) Write(p []byte) (n int, err error) {
	c.touch() // first: what waits is measured from here
	c.working.Add(1)
	c.writing.Add(1)
	defer func() {
		c.writing.Add(-1)
		c.working.Add(-1)
	}()
	for {
		m, err := c.Conn.Write(p[n:min(n+piece, len(p))])
		n += m
		c.touch()
		if err != nil || n == len(p) {
			return n, err //nolint:wrapcheck // as above
		}
	}
}

// Close also removes the connection from the listener's books.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	c.listener.forget(c)
	c.listener.mu.Unlock()
	return c.Conn.Close() //nolint:wrapcheck // as above
}

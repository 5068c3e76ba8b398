package listen

import (
	"net"
	"sync/atomic"
	"time"
)

// conn knows since when it waits for its client.
type conn struct {
	net.Conn
	listener *Listener
	address  string
	last     atomic.Int64 // when a byte last came or went, ns
	heard    atomic.Bool  // a byte came
	readers  atomic.Int32 // calls of Read under way
	working  atomic.Int32 // calls of Write, and of an http.Handler, under way
}

func (c *conn) touch() { c.last.Store(time.Now().UnixNano()) }

// waiting says since when nothing happens because the client sends nothing. A connection
// that no one reads from is at work on a request, once a byte of one came: before, its
// server has not begun to read, and many such connections at once keep no other out.
func (c *conn) waiting() (since int64, is bool) {
	reading := c.readers.Load() > 0 || !c.heard.Load()
	return c.last.Load(), reading && c.working.Load() == 0
}

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

func (c *conn) Write(p []byte) (int, error) {
	c.working.Add(1)
	n, err := c.Conn.Write(p)
	c.touch()
	c.working.Add(-1)
	return n, err //nolint:wrapcheck // as above
}

func (c *conn) Close() error {
	c.listener.mu.Lock()
	c.listener.forget(c)
	c.listener.mu.Unlock()
	return c.Conn.Close() //nolint:wrapcheck // as above
}

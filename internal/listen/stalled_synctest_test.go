package listen_test

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nudge-engine/nudge/internal/listen"
)

// pipes accepts the server's ends of pipes, which work with the clock of synctest.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// connect returns the client's end of a new connection.
func (p pipes) connect(t *testing.T) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	p <- server
	return client
}

// A client that takes nothing of its answer makes room after a while; one that takes it slowly
// is left alone.
func TestStalledConnectionsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := make(pipes)
		t.Cleanup(func() { close(inner) })
		l := listen.New(inner, listen.Options{Total: 1})
		answer := make([]byte, 1<<20)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				// A request is one byte.
				go func() {
					defer c.Close()
					for {
						if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
							return
						}
						if _, err := c.Write(answer); err != nil {
							return
						}
					}
				}()
			}
		}()
		ask := func() net.Conn {
			c := inner.connect(t)
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			return c
		}
		// The first client takes 64 KiB each 4 s: more than a minute in all.
		first := ask()
		for range len(answer) / (64 << 10) {
			time.Sleep(4 * time.Second)
			refused := inner.connect(t)
			if _, err := refused.Read(make([]byte, 1)); err == nil {
				t.Error("a new connection was answered beside one at work")
			}
			if _, err := io.ReadFull(first, make([]byte, 64<<10)); err != nil {
				t.Fatalf("the slow client lost its answer: %v", err)
			}
		}
		if s := l.Stats(); s.Closed != 0 {
			t.Errorf("unexpected figures %+v; want none closed", s)
		}
		synctest.Wait()
		// The second one takes nothing.
		second := ask()
		time.Sleep(6 * time.Second)
		third := ask()
		if _, err := io.ReadFull(third, make([]byte, len(answer))); err != nil {
			t.Errorf("who comes after a client that takes nothing is not answered: %v", err)
		}
		if _, err := io.ReadFull(second, make([]byte, len(answer))); err == nil {
			t.Error("the client that took nothing kept its connection")
		}
	})
}

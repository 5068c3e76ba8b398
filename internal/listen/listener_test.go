package listen_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/listen"
)

// faulty fails to accept a few times first.
type faulty struct {
	net.Listener
	left atomic.Int32
}

func (f *faulty) Accept() (net.Conn, error) {
	if f.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

func listening(t *testing.T, o listen.Options) (*listen.Listener, *faulty) {
	t.Helper()
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{Listener: inner}
	l := listen.New(f, o)
	t.Cleanup(func() { _ = l.Close() })
	return l, f
}

// echo serves: each connection gets back what it sends.
func echo(t *testing.T, l net.Listener) {
	t.Helper()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, struct{ io.Reader }{c})
				_ = c.Close()
			}()
		}
	}()
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// talk sends a byte and waits for it.
func talk(c net.Conn) error {
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

// Too many open files end no server: Accept waits until there is one again.
func TestAcceptSurvivesTooManyOpenFiles(t *testing.T) {
	l, f := listening(t, listen.Options{})
	f.left.Store(3)
	echo(t, l)
	if err := talk(dial(t, l)); err != nil {
		t.Error(err)
	}
	if s := l.Stats(); s.Errors != 3 {
		t.Errorf("unexpected figures %+v; want 3 errors", s)
	}
}

// A closed listener says so, also while it waits after an error.
func TestAcceptAfterClose(t *testing.T) {
	l, f := listening(t, listen.Options{})
	f.left.Store(1 << 20)
	ended := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("unexpected error %v; want net.ErrClosed", err)
	}
}

// The connection that is idle longest makes room for a new one.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	for _, o := range []listen.Options{{Total: 3}, {Total: 100, PerAddress: 3}} {
		l, _ := listening(t, o)
		echo(t, l)
		var all []net.Conn
		for range 3 {
			c := dial(t, l)
			if err := talk(c); err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		if err := talk(all[0]); err != nil { // so that the second is idle longest
			t.Fatal(err)
		}
		fourth := dial(t, l)
		if err := talk(fourth); err != nil {
			t.Errorf("%+v: the new connection got no room: %v", o, err)
		}
		for i, want := range []bool{true, false, true} {
			if err := talk(all[i]); (err == nil) != want {
				t.Errorf("%+v: connection %d answers: %v, want %v", o, i, err == nil, want)
			}
		}
		if s := l.Stats(); s.Open != 3 || s.Closed != 1 || s.Refused != 0 {
			t.Errorf("%+v: unexpected figures %+v", o, s)
		}
	}
}

// A connection that has sent nothing makes room, even before the server reads from it.
func TestUnreadConnectionsMakeRoom(t *testing.T) {
	l, _ := listening(t, listen.Options{Total: 1})
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	first := dial(t, l)
	dial(t, l)
	if _, err := io.ReadAll(first); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the first connection was not closed: %v", err)
	}
	if s := l.Stats(); s.Open != 1 || s.Closed != 1 || s.Refused != 0 {
		t.Errorf("unexpected figures %+v; want one closed", s)
	}
}

// A connection whose request is being answered is left alone; then the new one is closed.
func TestBusyConnectionsStay(t *testing.T) {
	l, _ := listening(t, listen.Options{Total: 1})
	release := make(chan struct{})
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_ = http.NewResponseController(w).Flush()
		<-release
	})}
	listen.Bind(s)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request) // the handler is under way
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadAll(dial(t, l)); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	close(release)
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("the busy connection was closed: %v", err)
	}
	if s := l.Stats(); s.Refused != 1 || s.Closed != 0 {
		t.Errorf("unexpected figures %+v; want one refused", s)
	}
}

func TestConnections(t *testing.T) {
	for _, c := range []struct{ files, reserve, want int }{
		{1024, 400, 624}, {256, 400, 32}, {1 << 20, 400, listen.Most}, {0, 400, 1},
	} {
		if got := listen.Connections(c.files, c.reserve); got != c.want {
			t.Errorf("of %d files with %d in reserve: %d connections; want %d", c.files, c.reserve, got, c.want)
		}
	}
	if files, err := listen.FileLimit(); err != nil || files <= 0 {
		t.Errorf("unexpected limit %d, error %v", files, err)
	}
}

package faults_test

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// link is a TCP connection to a server that can be cut, can hang, and can be slow.
type link struct {
	t               *testing.T
	address, target string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	gate     chan struct{} // closed: what was read goes on
	hung     bool
	usual    time.Duration // what a chunk takes when nothing is wrong
	delay    time.Duration // what it takes now
	trap     string        // what the fault waits for, from the side of the server under test
	left     int           // how often it must still pass
	spring   func()
	sprung   chan struct{}
}

// newLink is a link whose every chunk takes a usual time: over a real network there
// is always something on its way that a fault can meet.
func newLink(t *testing.T, target string, usual time.Duration) *link {
	t.Helper()
	l := &link{
		t: t, address: servertest.FreePort(t), target: target, conns: map[net.Conn]bool{}, gate: make(chan struct{}),
		usual: usual, delay: usual,
	}
	close(l.gate)
	l.listen()
	t.Cleanup(l.cut)
	return l
}

func (l *link) listen() {
	l.t.Helper()
	var listener net.Listener
	if err := servertest.Poll(l.t.Context(), 10*time.Second, func() (err error) {
		listener, err = (&net.ListenConfig{}).Listen(l.t.Context(), "tcp", l.address)
		return err
	}); err != nil {
		l.t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listener = listener
	go l.accept(listener)
}

func (l *link) accept(listener net.Listener) {
	for {
		here, err := listener.Accept()
		if err != nil {
			return // it was cut
		}
		there, err := net.DialTimeout("tcp", l.target, 5*time.Second)
		if err != nil {
			_ = here.Close()
			continue
		}
		if !l.keep(listener, here, there) {
			continue
		}
		go l.pass(here, there, func([]byte) {})
		go l.pass(there, here, l.look)
	}
}

// keep remembers a pair of connections, unless the link was cut meanwhile.
func (l *link) keep(listener net.Listener, pair ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range pair {
		if l.listener != listener {
			_ = c.Close()
			continue
		}
		l.conns[c] = true
	}
	return l.listener == listener
}

func (l *link) pass(to, from net.Conn, look func([]byte)) {
	defer func() {
		_, _ = to.Close(), from.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, from)
	}()
	chunk := make([]byte, 64<<10)
	for {
		n, err := from.Read(chunk)
		look(chunk[:n])
		l.wait()
		if _, failed := to.Write(chunk[:n]); failed != nil || err != nil {
			return
		}
	}
}

// arm injects a fault when a text passes for the n-th time, before it is passed on.
func (l *link) arm(text string, n int, inject func()) (sprung <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trap, l.left, l.spring, l.sprung = text, n, inject, make(chan struct{})
	return l.sprung
}

func (l *link) look(chunk []byte) {
	l.mu.Lock()
	springs := false
	if l.left > 0 {
		l.left -= bytes.Count(chunk, []byte(l.trap))
		springs = l.left <= 0
	}
	inject, sprung := l.spring, l.sprung
	l.mu.Unlock()
	if springs {
		inject()
		close(sprung)
	}
}

func (l *link) wait() {
	l.mu.Lock()
	gate, delay := l.gate, l.delay
	l.mu.Unlock()
	<-gate
	if delay > 0 {
		<-time.After(delay)
	}
}

// cut closes every connection and refuses new ones.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener != nil {
		_ = l.listener.Close()
		l.listener = nil
	}
	for c := range l.conns {
		_ = c.Close()
	}
	l.open()
}

// hang takes what comes and passes nothing on, as a network that drops packets.
func (l *link) hang() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gate, l.hung = make(chan struct{}), true
}

// slow delays each chunk in both directions.
func (l *link) slow(delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = delay
}

// restore ends what was injected.
func (l *link) restore() {
	l.slow(l.usual)
	l.mu.Lock()
	away := l.listener == nil
	l.open()
	l.mu.Unlock()
	if away {
		l.listen()
	}
}

// open lets what was held up go on. REQUIRES: mu is held.
func (l *link) open() {
	if l.hung {
		close(l.gate)
		l.hung = false
	}
}

// fault is what a gate does to one insert; it says whether it answered it.
type fault func(w http.ResponseWriter, r *http.Request, body []byte) (done bool)

// gate is an HTTP proxy in front of ClickHouse that can do harm to inserts.
type gate struct {
	*httptest.Server
	t      *testing.T
	target string
	client *http.Client
	harm   atomic.Pointer[fault]
	harmed atomic.Int64 // inserts that met the harm
	late   sync.WaitGroup
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	g := &gate{t: t, target: target, client: &http.Client{Transport: &http.Transport{DisableCompression: true}}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
		g.late.Wait()
		g.client.CloseIdleConnections()
	})
	return g
}

// inject makes f what happens to inserts from now on; nil ends it.
func (g *gate) inject(f fault) {
	if f == nil {
		g.harm.Store(nil)
		return
	}
	g.harm.Store(&f)
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		hangUp()
	}
	harm := g.harm.Load()
	if harm != nil && insertsRows(r, body) {
		g.harmed.Add(1)
		if (*harm)(w, r, body) {
			return
		}
	}
	status, header, text, err := g.forward(r, bytes.NewReader(body), int64(len(body)))
	if err != nil {
		hangUp()
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// hangUp closes the connection without an answer.
func hangUp() { panic(http.ErrAbortHandler) }

// insertsRows says whether a request brings rows of a block.
func insertsRows(r *http.Request, body []byte) bool {
	statement := cmp.Or(r.URL.Query().Get("query"), string(body[:min(len(body), 200)]))
	return strings.HasPrefix(statement, "INSERT INTO nudge.") && !strings.Contains(statement, "nudge.migrations")
}

func (g *gate) forward(r *http.Request, body io.Reader, size int64) (int, http.Header, []byte, error) {
	// Not the context of the request: a client that went away stops no insert, as it
	// may stop none in a network.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 3*time.Minute)
	defer cancel()
	to := url.URL{Scheme: "http", Host: g.target, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	request, err := http.NewRequestWithContext(ctx, r.Method, to.String(), body)
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header, request.ContentLength = r.Header.Clone(), size
	response, err := g.client.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, text, err
}

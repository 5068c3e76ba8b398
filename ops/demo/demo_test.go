package demo

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gofrs/flock"
)

// foreign is a server that claims to be ready on any path.
func foreign(t *testing.T) (address string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			calls.Add(1)
		}
		_, _ = w.Write([]byte("ready\n"))
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), calls
}

// Ports that are taken: others are chosen and said, unless one was asked for.
func TestPorts(t *testing.T) {
	for _, usual := range []string{DefaultHTTP, DefaultAdmin, DefaultClickhouse} {
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", usual); err == nil {
			t.Cleanup(func() { _ = l.Close() }) // else somebody else has it, which is as good
		}
	}
	var said strings.Builder
	d := &Demo{HTTP: DefaultHTTP, Admin: DefaultAdmin, Clickhouse: DefaultClickhouse, Out: &said}
	if err := d.choosePorts(t.Context()); err != nil {
		t.Fatal(err)
	}
	for address, usual := range map[string]string{d.HTTP: DefaultHTTP, d.Admin: DefaultAdmin, d.Clickhouse: DefaultClickhouse} {
		if address == usual || !strings.Contains(said.String(), usual+" is taken: "+address+" is for ") {
			t.Errorf("%s became %s, said %q", usual, address, said.String())
		}
	}
	taken, _ := foreign(t)
	d = &Demo{HTTP: taken, Out: &said}
	err := d.choosePorts(t.Context())
	if err == nil || !strings.Contains(err.Error(), "--http or NUDGE_HTTP_LISTEN") {
		t.Errorf("an address that was asked for and is taken: %v", err)
	}
	t.Setenv("NUDGE_HTTP_LISTEN", DefaultHTTP)
	d = &Demo{HTTP: DefaultHTTP, Out: &said}
	if err := d.choosePorts(t.Context()); err == nil || !strings.Contains(err.Error(), "NUDGE_HTTP_LISTEN") {
		t.Errorf("the usual address that was asked for and is taken: %v", err)
	}
}

// A server that answers and is not the demo's own gets no events: not while the own one has
// not said that it listens, nor when it ends.
func TestKnowsItsServer(t *testing.T) {
	address, calls := foreign(t)
	d := &Demo{HTTP: address, Shop: "../../examples/shop", Out: new(strings.Builder)}
	ended := make(chan error, 1)
	ended <- context.Canceled
	err := d.play(t.Context(), strings.NewReader(""), ended)
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready") || calls.Load() != 0 {
		t.Errorf("error %v; %d calls to a foreign server", err, calls.Load())
	}
}

// A demo beside one that runs fails for the data directory; it must not have announced addresses
// by then. One that goes on says what it waits for.
func TestSaysNothingBeforeItFails(t *testing.T) {
	taken, _ := foreign(t)
	dir := t.TempDir()
	lock := flock.New(filepath.Join(dir, "lock"))
	if locked, err := lock.TryLock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	var said strings.Builder
	d := &Demo{Data: dir, HTTP: taken, Admin: DefaultAdmin, Clickhouse: DefaultClickhouse, Out: &said, Err: &said}
	if err := d.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "a server runs on the data directory") ||
		said.String() != "" {
		t.Errorf("a directory in use: %v, said %q", err, said.String())
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	d.HTTP, d.Admin, d.Clickhouse = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	// No nudged is beside the program of a test.
	if err := d.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "nudged does not start") ||
		!strings.Contains(said.String(), "starting nudged and ClickHouse, with their data in "+dir) {
		t.Errorf("a server that takes a while: %v, said %q", err, said.String())
	}
}

func TestDataInUse(t *testing.T) {
	dir := t.TempDir()
	lock := flock.New(filepath.Join(dir, "lock"))
	if locked, err := lock.TryLock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	d := &Demo{Data: dir}
	err := d.dataIsFree(t.Context())
	if err == nil || !strings.Contains(err.Error(), "choose another directory with --data-dir or NUDGE_DATA_DIR") {
		t.Errorf("a directory in use: %v", err)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := d.dataIsFree(t.Context()); err != nil {
		t.Errorf("a free directory: %v", err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
}

package attacks_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// impostor answers like a ClickHouse that takes everything.
type impostor struct {
	server *http.Server
	asked  atomic.Int64
	rows   atomic.Int64 // requests that carried rows or a statement that writes
}

func impersonate(t *testing.T, l net.Listener) *impostor {
	t.Helper()
	i := new(impostor)
	i.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			i.asked.Add(1)
			body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
			query := r.URL.Query().Get("query") + string(body[:min(len(body), 1000)])
			if err != nil || strings.Contains(query, "INSERT") || strings.Contains(query, "CREATE") {
				i.rows.Add(1)
			}
			if bytes.Contains(body, []byte("displayName")) {
				http.Error(w, "no", http.StatusInternalServerError)
			}
		})}
	go func() { _ = i.server.Serve(l) }()
	t.Cleanup(func() { _ = i.server.Close() })
	return i
}

// A server that holds the port of ClickHouse before the start gets no row: the start ends
// and names the setting.
func TestTakenClickHousePort(t *testing.T) {
	attack(t)
	s := prepare(t, "")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", s.clickhouse)
	if err != nil {
		t.Fatal(err)
	}
	other := impersonate(t, l)
	s.start()
	if text := s.ends(30 * time.Second); !strings.Contains(strings.ToLower(text), "clickhouse_listen") {
		t.Errorf("the end does not name the setting: %s", text)
	}
	if n := other.rows.Load(); n != 0 {
		t.Errorf("the other server was sent %d statements", n)
	}
}

// A server that takes the port in the moment in which ClickHouse is gone gets no row either.
func TestClickHousePortTakenLater(t *testing.T) {
	attack(t)
	s := begin(t, "")
	s.track("first", "Seen", `{}`)
	s.cell(60*time.Second, "1", "SELECT count() FROM nudge.events")
	var other *impostor
	for began := time.Now(); other == nil && time.Since(began) < 5*time.Second; {
		// The child is looked for by its parent: no other process of this machine is touched.
		_ = exec.Command("pkill", "-KILL", "-P", strconv.Itoa(s.process.Process.Pid), "clickhoused").Run()
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", s.clickhouse); err == nil {
			other = impersonate(t, l)
		}
	}
	if a := s.track("second", "Seen", `{}`); a.status != http.StatusOK {
		t.Errorf("the event is answered with %d %s", a.status, a.text)
	}
	if other == nil {
		t.Log("the port could not be taken")
		return
	}
	// The event's rows are due within a second; three tries to give them away are enough.
	deadline := time.Now().Add(20 * time.Second)
	s.eventually(30*time.Second, "the other server was asked", func() error {
		if other.rows.Load() == 0 && other.asked.Load() < 3 && time.Now().Before(deadline) {
			return errNotYet
		}
		return nil
	})
	s.alive()
	if n := other.rows.Load(); n != 0 {
		t.Errorf("the other server was sent %d statements", n)
	}
}

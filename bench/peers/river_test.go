package peers_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/bench/peers"
)

// A batch that comes twice counts once, also beside calls that are new; a purchase
// cancels the carts before it, not those after it.
func TestRiverTakesABatchOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: this starts real servers")
	}
	programs, err := peers.FindPostgres()
	if err != nil {
		t.Skip("no peer here:", err)
	}
	if err := peers.RiverReady("river"); err != nil {
		t.Skip("no peer here:", err)
	}
	river, database := startRiver(t, programs)
	cart, order := call("Cart Updated"), call("Order Completed")
	for i, c := range []struct {
		calls              []string
		events, now, later int
		cancelled          int
	}{
		{[]string{cart("1", "a"), cart("2", "b")}, 2, 2, 2, 0},
		{[]string{cart("1", "a"), cart("2", "b")}, 2, 2, 2, 0},
		{[]string{cart("1", "a"), cart("3", "c"), cart("3", "c")}, 3, 3, 3, 0},
		{[]string{order("4", "a")}, 4, 3, 2, 1},
		{[]string{cart("5", "b"), order("6", "b"), cart("7", "b")}, 7, 5, 2, 2},
	} {
		body := `{"batch":[` + strings.Join(c.calls, ",") + `]}`
		answer, err := http.Post(river.BatchURL(), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
		got, err := database.Query(t.Context(), "SELECT (SELECT count(*) FROM events), "+
			"count(*) FILTER (WHERE kind = 'send'), count(*) FILTER (WHERE kind = 'remind' AND state = 'scheduled'), "+
			"count(*) FILTER (WHERE state = 'cancelled') FROM river_job")
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{c.events, c.now, c.later, c.cancelled}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("batch %d: events, sends, reminders, cancelled: %v; want %v", i, got, want)
		}
	}
}

func call(name string) func(id, customer string) string {
	return func(id, customer string) string {
		return fmt.Sprintf(`{"type":"track","event":%q,"messageId":%q,"userId":%q,"timestamp":"2026-03-01T10:00:00Z"}`,
			name, id, customer)
	}
}

// startRiver starts PostgreSQL and the peer until the test ends.
func startRiver(t *testing.T, programs string) (*peers.River, *peers.Postgres) {
	t.Helper()
	dir := t.TempDir()
	// When root runs this, PostgreSQL is another user, who must pass the way there.
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { //nolint:gosec // it may be passed, not listed
		t.Fatal(err)
	}
	// Go's test cache follows what a test reads, not what a compiler does for it.
	sources, err := filepath.Glob("river/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range sources {
		if _, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	program, err := peers.BuildRiver(t.Context(), "river", dir)
	if err != nil {
		t.Fatal(err)
	}
	database, err := peers.StartPostgres(t.Context(), programs, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	river, err := peers.StartRiver(t.Context(), program, address, database.DSN(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := river.Stop(); err != nil {
			t.Error(err)
		}
	})
	return river, database
}

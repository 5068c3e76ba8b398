package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// An erasure that cannot go on says in the log what it waits for: here the last rows of the
// customer, because ClickHouse does not answer.
func TestErasureSaysWhatItWaitsFor(t *testing.T) {
	s := newServer(t, "", "NUDGE_SNAPSHOT_EVERY=300ms", "NUDGE_PARTITIONS=1", "NUDGE_CLICKHOUSE_URL=http://"+servertest.FreePort(t))
	s.start()
	s.eventually(60*time.Second, "started", func() error {
		if !strings.Contains(s.log.String(), "msg=ready") {
			return errNotYet
		}
		return nil
	})
	if status := s.delete("somebody"); status != http.StatusAccepted {
		t.Fatalf("the erasure is answered with %d", status)
	}
	s.eventually(30*time.Second, "a line", func() error {
		if !strings.Contains(s.log.String(), `"erasure: it waits"`) ||
			!strings.Contains(s.log.String(), `for="the customer's last rows in ClickHouse"`) {
			return errNotYet
		}
		return nil
	})
}

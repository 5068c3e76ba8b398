package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

const (
	crashEvents = 20_000
	crashBatch  = 20
	crashKills  = 10
	crashTarget = 4 // of this many events, one causes a delivery
)

func crashDefinitions(url string) string {
	return fmt.Sprintf(`
apiVersion: nudge/v1
kind: Channel
metadata: {name: hook}
spec: {type: webhook, url: %q}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: each}
spec:
  trigger: {event: {name: Bought, where: event.properties.send == true}}
  reentry: {on_active: parallel}
  steps:
    - {id: wait, delay: 1s}
    - {id: say, send: {channel: hook, inline: {body: "{{ trigger.properties.n }}"}}}
`, url)
}

// 20,000 events through the real server, killed with SIGKILL ten times at random
// instants: every acknowledged event is in ClickHouse exactly once, every
// expected delivery reached the receiver under one id, and the state equals a
// replay of the log.
func TestKillsLoseAndDoubleNothing(t *testing.T) {
	// shows: 1, 118, 162
	hook := newReceiver(t)
	s := newServer(t, crashDefinitions(hook.URL), "NUDGE_SNAPSHOT_EVERY=500ms")
	s.start()
	s.ready()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var acked atomic.Int64
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		sendAll(t, s, &acked)
	}()
	rng := rand.New(rand.NewPCG(seed, 0))
	for kill := range crashKills {
		// The instants are spread over the run: a kill comes when so many events
		// are acknowledged, and a random moment later.
		at := int64(crashEvents / (crashKills + 1) * (kill + 1))
		if err := servertest.Poll(t.Context(), 3*time.Minute, func() error {
			if n := acked.Load(); n < at {
				return fmt.Errorf("%d acknowledged; kill %d comes at %d", n, kill+1, at)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(rng.IntN(400_000)) * time.Microsecond)
		s.kill()
		s.start()
	}
	<-sending
	if t.Failed() {
		return
	}
	s.ready()
	s.wantRows(2*time.Minute, crashEvents, "SELECT uniqExact(message_id) FROM nudge.events")
	s.wantRows(time.Second, crashEvents, "SELECT count() FROM nudge.events")
	want := crashEvents / crashTarget
	s.wantRows(2*time.Minute, want, "SELECT count() FROM nudge.deliveries WHERE status = 'handed_off'")
	s.wantRows(time.Second, want, "SELECT uniqExact(trigger_id) FROM nudge.deliveries WHERE status = 'handed_off'")
	s.wantRows(2*time.Minute, want, "SELECT uniqExact(delivery_id) FROM nudge.deliveries WHERE status = 'sent'")
	s.wantRows(time.Second, want, "SELECT count() FROM nudge.deliveries WHERE status = 'sent'")
	s.wantRows(time.Second, want, "SELECT count() FROM nudge.chains WHERE outcome = 'completed'")
	s.stop()
	checkSends(t, hook, want)
	t.Log(s.nudge("verify", "--data", s.data))
}

func checkSends(t *testing.T, hook *receiver, want int) {
	t.Helper()
	hook.mu.Lock()
	defer hook.mu.Unlock()
	repeated := 0
	for trigger, ids := range hook.sent {
		if len(ids) != 1 {
			t.Errorf("trigger %s was sent under %d ids", trigger, len(ids))
		}
		for _, n := range ids {
			repeated += n - 1
		}
	}
	if len(hook.sent) != want {
		t.Errorf("unexpected %d triggers at the receiver; want %d", len(hook.sent), want)
	}
	t.Logf("%d sends were repeated under their id after a crash", repeated)
}

// sendAll sends every event from four clients, each batch until it is acknowledged.
func sendAll(t *testing.T, s *server, acked *atomic.Int64) {
	t.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 4 {
		wg.Go(func() {
			client := &http.Client{Timeout: 30 * time.Second}
			for {
				first := int(next.Add(crashBatch)) - crashBatch
				if first >= crashEvents {
					return
				}
				if err := sendUntilAcked(t, s, client, crashCalls(first)); err != nil {
					t.Error(err)
					return
				}
				acked.Add(crashBatch)
				<-time.After(10 * time.Millisecond) // spread the load over snapshots, timers and kills
			}
		})
	}
	wg.Wait()
}

func crashCalls(first int) []map[string]any {
	var calls []map[string]any
	for n := first; n < first+crashBatch; n++ {
		calls = append(calls, map[string]any{
			"type": "track", "event": "Bought", "userId": fmt.Sprintf("u%d", n%997),
			"messageId": fmt.Sprintf("m%d", n), "properties": map[string]any{"n": n, "send": n%crashTarget == 0},
		})
	}
	return calls
}

// sendUntilAcked repeats a batch until it is acknowledged: while the server is
// down or starting, connections and requests fail.
func sendUntilAcked(t *testing.T, s *server, client *http.Client, calls []map[string]any) error {
	t.Helper()
	return servertest.Poll(t.Context(), 2*time.Minute, func() error {
		status, err := s.post(client, calls)
		if err == nil && status != http.StatusOK {
			err = errors.New(http.StatusText(status))
		}
		return err
	})
}

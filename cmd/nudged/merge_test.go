package main_test

import (
	"encoding/json"
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
	mergePeople = 240
	mergeKills  = 5
)

func mergeDefinitions(url string) string {
	return fmt.Sprintf(`
apiVersion: nudge/v1
kind: Channel
metadata: {name: hook}
spec: {type: webhook, url: %q}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: soon}
spec:
  trigger: {event: {name: Cart}}
  steps:
    - {id: wait, delay: 1s}
    - {id: say, send: {channel: hook, inline: {body: "{{ trigger.properties.n }}"}}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: hold}
spec:
  trigger: {event: {name: Cart}}
  goals: [{id: bought, event: Bought, match: n, window: 3d}]
  steps: [{id: wait, delay: 2d}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: five}
spec:
  trigger: {count: {event: Visit, reaches: 5}}
  steps: [{id: note, set: {tags: [regular]}}]
`, url)
}

// 240 anonymous customers become known ones in other partitions while the server is
// killed five times: their chains go on, each visit counts once, each purchase under the
// known id ends the chain that began under the anonymous one, each message goes out under
// one id, and the state equals a replay of the log.
func TestMergesSurviveKills(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, mergeDefinitions(hook.URL), "NUDGE_SNAPSHOT_EVERY=300ms", "NUDGE_PARTITIONS=4")
	s.start()
	s.ready()
	var done atomic.Int64
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		people(t, s, &done)
	}()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for kill := range mergeKills {
		at := int64(mergePeople / (mergeKills + 1) * (kill + 1))
		if err := servertest.Poll(t.Context(), 2*time.Minute, func() error {
			if n := done.Load(); n < at {
				return fmt.Errorf("%d people; kill %d comes at %d", n, kill+1, at)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(rng.IntN(200_000)) * time.Microsecond)
		s.kill()
		s.start()
	}
	<-sending
	if t.Failed() {
		return
	}
	s.ready()
	const of = " FROM nudge.chains WHERE campaign = 'hold' AND "
	s.wantRows(time.Minute, mergePeople, "SELECT count()"+of+"customer LIKE 'u%' AND outcome = 'goal'")
	s.wantRows(time.Minute, mergePeople, "SELECT count()"+of+"customer LIKE 'anon:%' AND outcome = 'merged'")
	s.wantRows(time.Minute, mergePeople, "SELECT count() FROM nudge.goals")
	s.wantRows(time.Minute, mergePeople, "SELECT count() FROM nudge.chains WHERE campaign = 'five'")
	s.wantRows(time.Minute, mergePeople, "SELECT uniqExact(delivery_id) FROM nudge.deliveries WHERE status = 'sent'")
	s.wantRows(time.Second, 0, "SELECT count() FROM nudge.dead_letters")
	s.wantRows(time.Second, mergePeople, "SELECT count() FROM nudge.events WHERE type = 'alias'")
	for n := range mergePeople {
		s.wantVisits(fmt.Sprintf("u%d", n), 5)
	}
	s.stop()
	checkSends(t, hook, mergePeople)
	t.Log(s.nudge("verify", "--data", s.data))
}

// people lets each of them visit, log in, and go on under both ids.
func people(t *testing.T, s *server, done *atomic.Int64) {
	t.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 4 {
		wg.Go(func() {
			client := &http.Client{Timeout: 30 * time.Second}
			for {
				n := int(next.Add(1)) - 1
				if n >= mergePeople {
					return
				}
				for _, calls := range personCalls(n) {
					if err := sendUntilAcked(t, s, client, calls); err != nil {
						t.Error(err)
						return
					}
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
}

// personCalls are three requests: anonymous, the login, and what comes after it.
func personCalls(n int) [][]map[string]any {
	user, anonymous := fmt.Sprintf("u%d", n), fmt.Sprintf("a%d", n)
	track := func(field, who, event string, k int) map[string]any {
		return map[string]any{
			"type": "track", "event": event, field: who, "messageId": fmt.Sprintf("%s-%d-%d", event, n, k),
			"properties": map[string]any{"n": n},
		}
	}
	return [][]map[string]any{
		{
			track("anonymousId", anonymous, "Cart", 0), track("anonymousId", anonymous, "Visit", 1),
			track("anonymousId", anonymous, "Visit", 2), track("anonymousId", anonymous, "Visit", 3),
		},
		{{
			"type": "identify", "userId": user, "anonymousId": anonymous, "messageId": fmt.Sprintf("i%d", n),
			"traits": map[string]any{"n": n},
		}},
		{
			track("anonymousId", anonymous, "Visit", 4), track("userId", user, "Visit", 5),
			track("userId", user, "Bought", 6),
		},
	}
}

// wantVisits waits until a customer has so many visits counted, and no more.
func (s *server) wantVisits(customer string, want uint64) {
	s.t.Helper()
	s.eventually(30*time.Second, customer, func() error {
		text, err := s.look("/v1/customers/" + customer)
		if err != nil {
			return err
		}
		var view struct {
			Counters []struct {
				Event string `json:"event"`
				Count uint64 `json:"count"`
			} `json:"counters"`
		}
		if err := json.Unmarshal([]byte(text), &view); err != nil {
			return err
		}
		for _, c := range view.Counters {
			if c.Event == "Visit" && c.Count == want {
				return nil
			}
		}
		return fmt.Errorf("unexpected customer %s", text)
	})
}

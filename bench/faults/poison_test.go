package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// poisoned is a campaign that only the server built with the tag "faults" takes.
const poisoned = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: poisoned}
spec:
  trigger: {event: {name: Poison, where: crash(event.properties.how)}}
  steps: [{id: rest, delay: 1h}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: huge}
spec:
  trigger:
    event:
      name: Poison
      where: event.properties.list.all(a, event.properties.list.all(b, event.properties.list.all(c, a + b + c > 0)))
  steps: [{id: rest, delay: 1h}]
`

// Events of which an expression panics, or would run for 10^9 rounds, and one that ends
// the process each time it is applied.
func TestPoison(t *testing.T) {
	l := begin(t, "poison records",
		"with maxStarts at 100 the server ended 100 times")
	campaigns := t.TempDir()
	s := newServer(t, t.TempDir(), "NUDGE_CAMPAIGNS_DIR="+campaigns)
	s.build = breakable
	text := fmt.Sprintf(definitions, s.hook.URL) + "---" + poisoned
	if err := os.WriteFile(filepath.Join(campaigns, "all.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.ready()
	stop := s.load()
	s.acknowledged(time.Minute, 2000)
	const panics = 5
	for n := range panics {
		s.poison(n, "panic")
	}
	s.acknowledged(time.Minute, 500)
	if s.over() {
		t.Fatal("a panic ended the server")
	}
	began := time.Now()
	s.poison(panics, "crash")
	restarts := s.watch(15*time.Second) + s.supervised(time.Minute, 2000)
	took := time.Since(began).Round(100 * time.Millisecond)
	stop(time.Minute)
	found := s.settle(2 * time.Minute)
	s.counts("SELECT reason, count() FROM nudge.dead_letters GROUP BY reason", "skipped\t1")
	s.counts("SELECT campaign, reason, count() FROM nudge.decisions WHERE campaign != 'each' GROUP BY ALL ORDER BY ALL",
		fmt.Sprintf("huge\tevaluation\t%d\npoisoned\tevaluation\t%d", panics, panics))
	s.tell("is passed over")
	s.stop()
	s.verify()
	if restarts != 3 {
		t.Errorf("the server ended %d times; want 3", restarts)
	}
	l.set(fmt.Sprintf("%d events that panic and loop in expressions, one that ends the process", panics), fmt.Sprintf(
		"each named in ClickHouse with its reason; the server ended %d times and passed over the record at the next start, %v in all; %s; verify ok",
		restarts, took, found))
}

// counts waits until a query has an answer.
func (s *server) counts(sql, want string) {
	s.t.Helper()
	s.eventually(time.Minute, sql, func() error {
		text, err := s.query(sql)
		if err == nil && text != want {
			err = fmt.Errorf("it is %q; want %q", text, want)
		}
		return err
	})
}

// poison sends one event; what it does to the server is its answer's business.
func (s *server) poison(n int, how string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{
		"type": "track", "event": "Poison", "userId": customerOf(n * batch), "messageId": fmt.Sprintf("poison%d", n),
		"properties": map[string]any{"how": how, "list": slices.Repeat([]int{1}, 1000)},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+s.http+"/v1/track",
		strings.NewReader(string(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	request.SetBasicAuth(writeKey, "")
	request.Header.Set("Content-Type", "application/json")
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
	}
}

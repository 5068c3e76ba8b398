package faults_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"
)

// slowed sends through a channel of its own. Its chains stay, so that a stop can
// recall what they sent and what has not left.
const slowed = `
apiVersion: nudge/v1
kind: Channel
metadata: {name: slow}
spec: {type: webhook, url: %q}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: slowed}
spec:
  trigger: {event: {name: Bought, where: event.properties.slow == true}}
  reentry: {on_active: parallel}
  stop: [{event: Cancelled}]
  steps:
    - {id: say, send: {channel: slow, inline: {body: "hi"}}}
    - {id: stay, delay: 1h}
`

// Of few customers, so that each has deliveries that wait, some stop meanwhile.
const (
	few       = 200
	cancelled = 100
)

// One channel hangs, another is healthy: the healthy one goes on, and what the slow one
// has not begun is not sent when it is stopped meanwhile.
func TestSlowChannel(t *testing.T) {
	l := begin(t, "a channel hangs",
		"sends left after their chain had been stopped, before the dispatcher asked again after waiting.")
	s := newServer(t, t.TempDir())
	slow := newReceiver(t)
	s.crowd.customer = func(n int) string { return fmt.Sprintf("u%d", n/batch%few) }
	s.crowd.extra = func(properties map[string]any) {
		n, ok := properties["n"].(int)
		properties["slow"] = ok && n%target == 1
	}
	s.define("slowed", fmt.Sprintf(slowed, slow.URL))
	s.start()
	s.ready()
	stop := s.load()
	s.acknowledged(time.Minute, 4000)
	<-time.After(2 * time.Second)
	before := s.book.copied()
	release := slow.hang()
	t.Cleanup(release)
	began := time.Now()
	s.acknowledged(time.Minute, 10_000)
	stop(10 * time.Second)
	acked := s.book.copied()
	s.eventually(30*time.Second, "the healthy channel's sends while the other hangs", func() error {
		return s.missingSends(acked)
	})
	hung := time.Since(began)
	s.cancel()
	at := time.Now()
	release()
	var wanted []string
	stopped := map[string]bool{}
	for n := range acked {
		id := fmt.Sprintf("m%d", n)
		switch {
		case n%target != 1:
		case n/batch%few < cancelled:
			stopped[id] = true
		default:
			wanted = append(wanted, id)
		}
	}
	s.eventually(time.Minute, "the slow channel's sends", func() error { return slow.missing(wanted) })
	slow.mu.Lock()
	for id := range stopped {
		if came := slow.came[id]; came.After(at) {
			t.Errorf("%s left %v after its chain was stopped", id, came.Sub(at))
		}
	}
	held := len(stopped)
	for id, deliveries := range slow.sent {
		if len(deliveries) != 1 {
			t.Errorf("%s was sent under %d ids", id, len(deliveries))
		}
		if stopped[id] {
			held--
		}
	}
	slow.mu.Unlock()
	if held < cancelled {
		t.Errorf("only %d sends waited when their chains were stopped: nothing was tried", held)
	}
	found := s.settle(time.Minute)
	calm, busy := s.delays(before, nil), s.delays(acked, before)
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("one of two webhooks gives no answer for %v", hung.Round(time.Second)), fmt.Sprintf(
		"the other's sends came all the same, p99 %v after the event before, %v during (%.1f times; 1 s of it is the campaign's); %d sends of the slow one came after, each under one id; of stopped customers %d were recalled and none left late; %s; verify ok",
		p99(calm).Round(time.Millisecond), p99(busy).Round(time.Millisecond), float64(p99(busy))/float64(p99(calm)),
		len(wanted), held, found))
}

// cancel stops the chains of some customers and waits until that is applied.
func (s *server) cancel() {
	s.t.Helper()
	for n := range cancelled {
		call := fmt.Sprintf(`{"userId":"u%d","event":"Cancelled","messageId":"c%d"}`, n, n)
		if status := s.postRaw("cancel", call, false); status != http.StatusOK {
			s.t.Fatalf("Cancelled got %d", status)
		}
	}
	// Rows are written behind what the shards have applied.
	s.eventually(30*time.Second, "the cancellations applied", func() error {
		text, err := s.query("SELECT count() FROM nudge.events WHERE event = 'Cancelled'")
		if err == nil && text != strconv.Itoa(cancelled) {
			err = errors.New(text)
		}
		return err
	})
}

// missing says which of some messages were not sent.
func (r *receiver) missing(wanted []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost, example := 0, ""
	for _, id := range wanted {
		if r.sent[id] == nil {
			lost, example = lost+1, id
		}
	}
	if lost > 0 {
		return fmt.Errorf("%d of %d sends are missing, for example %s", lost, len(wanted), example)
	}
	return nil
}

// delays is how long after its event each send came, shortest first.
func (s *server) delays(acked, but map[int]time.Time) []time.Duration {
	s.hook.mu.Lock()
	defer s.hook.mu.Unlock()
	var all []time.Duration
	for n, at := range acked {
		if _, older := but[n]; older {
			continue
		}
		if came, ok := s.hook.came[fmt.Sprintf("m%d", n)]; ok {
			all = append(all, came.Sub(at))
		}
	}
	slices.Sort(all)
	return all
}

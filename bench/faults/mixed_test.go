package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// counting keeps a counter of a customer's events, which a double would change.
const counting = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: counting}
spec:
  trigger: {event: {name: Bought, where: event.properties.send == true}}
  audience: customer.count("Bought") >= 0 && customer.sum("Bought", "n") >= 0.0
  reentry: {mode: once}
  steps: [{id: rest, delay: 1h}]
`

const (
	mixedEvents = 8000
	mixedPeople = 50
)

// mixed is a history: each event several times, out of order.
type mixed struct {
	s     *server
	at    []time.Time // of each event, as its client says
	order []int       // events as they are sent
	mu    sync.Mutex
	twice int // batches that were acknowledged with events that had been before
}

// newMixed shuffles so that an event's copies are near and far, and its time is up
// to ten hours before.
func newMixed(s *server, rng *rand.Rand) *mixed {
	m := &mixed{s: s}
	for n := range mixedEvents {
		m.at = append(m.at, time.Now().Add(-time.Duration(rng.IntN(36_000_000))*time.Millisecond))
		for range 1 + rng.IntN(4) {
			m.order = append(m.order, n)
		}
	}
	for i := range m.order { // near: within some hundred
		j := min(len(m.order)-1, i+rng.IntN(400))
		m.order[i], m.order[j] = m.order[j], m.order[i]
	}
	for range len(m.order) / 50 { // far: anywhere
		i, j := rng.IntN(len(m.order)), rng.IntN(len(m.order))
		m.order[i], m.order[j] = m.order[j], m.order[i]
	}
	return m
}

func mixedCustomer(n int) string { return fmt.Sprintf("p%d", n%mixedPeople) }

// send posts a part of the history from several clients, each batch until it is
// acknowledged.
func (m *mixed) send(part []int, clients int, pause time.Duration) {
	batches := slices.Collect(slices.Chunk(part, batch))
	var wg sync.WaitGroup
	next := make(chan []int)
	for range clients {
		wg.Go(func() {
			client := &http.Client{Timeout: 30 * time.Second}
			defer client.CloseIdleConnections()
			for b := range next {
				<-time.After(pause)
				if err := servertest.Poll(m.s.t.Context(), time.Minute, func() error { return m.post(client, b) }); err != nil {
					m.s.t.Errorf("a batch was not taken: %v", err)
				}
			}
		})
	}
	for _, b := range batches {
		next <- b
	}
	close(next)
	wg.Wait()
}

func (m *mixed) post(client *http.Client, events []int) error {
	var calls []map[string]any
	for _, n := range events {
		calls = append(calls, map[string]any{
			"type": "track", "event": "Bought", "userId": mixedCustomer(n), "messageId": fmt.Sprintf("m%d", n),
			"timestamp":  m.at[n].UTC().Format(time.RFC3339Nano),
			"properties": map[string]any{"n": n, "send": n%target == 0},
		})
	}
	body, err := json.Marshal(map[string]any{"batch": calls})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(m.s.t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+m.s.http+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.SetBasicAuth(writeKey, "")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct{ Accepted int }
	switch {
	case response.StatusCode == http.StatusServiceUnavailable:
		return errors.New(response.Status)
	case response.StatusCode != http.StatusOK:
		m.s.t.Errorf("a batch got %s", response.Status)
	case json.NewDecoder(response.Body).Decode(&answer) != nil || answer.Accepted != len(events):
		m.s.t.Errorf("%d of %d calls were accepted", answer.Accepted, len(events))
	}
	m.noted(events)
	return nil
}

func (m *mixed) noted(events []int) {
	m.s.book.mu.Lock()
	defer m.s.book.mu.Unlock()
	again := false
	for _, n := range events {
		_, known := m.s.book.acked[n]
		again = again || known
		m.s.book.acked[n] = time.Now()
	}
	if again {
		m.mu.Lock()
		m.twice++
		m.mu.Unlock()
	}
}

// Events again and again, late, out of order, in a burst, over a kill: the state is that
// of each once.
func TestMixedHistory(t *testing.T) {
	l := begin(t, "duplicates, late, out of order, burst",
		"with one of 64 duplicates taken for new, 180 rows were there twice.")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := newServer(t, t.TempDir())
	s.define("counting", counting)
	m := newMixed(s, rand.New(rand.NewPCG(seed, 0)))
	s.start()
	third := len(m.order) / 3
	m.send(m.order[:third], clients, 20*time.Millisecond)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		<-time.After(time.Second)
		s.kill()
		s.start()
	}()
	m.send(m.order[third:2*third], clients, 20*time.Millisecond)
	<-killed
	began := time.Now()
	m.send(m.order[2*third:], 10*clients, 0)
	burst := time.Since(began)
	s.ready()
	found := s.settle(time.Minute)
	total := s.totals()
	s.compareReference(total)
	// What comes again now changes nothing any more.
	m.send(m.order[:third], clients, 0)
	s.settle(time.Minute)
	s.compareReference(total)
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("%d events sent %d times, up to 10 h late, shuffled, a kill, a burst of %d in %v", mixedEvents,
		len(m.order)+third, len(m.order)-2*third, burst.Round(10*time.Millisecond)), fmt.Sprintf(
		"%d batches with events that had been before got 200; counters and sums of %d customers equal the reference; %s; verify ok",
		m.twice, mixedPeople, found))
}

// totals is the reference: what each customer's counter and sum must be.
func (s *server) totals() map[string][2]int {
	all := map[string][2]int{}
	for n := range s.book.copied() {
		t := all[mixedCustomer(n)]
		all[mixedCustomer(n)] = [2]int{t[0] + 1, t[1] + n}
	}
	return all
}

// compare holds every customer's counter against the reference, and the rows too.
func (s *server) compareReference(want map[string][2]int) {
	s.t.Helper()
	for id, total := range want {
		text, err := s.look("/v1/customers/" + id)
		if err != nil {
			s.t.Fatal(err)
		}
		var view struct {
			Counters []struct {
				Event string
				Where string
				Count int
				Sums  map[string]string
			}
		}
		if err := json.Unmarshal([]byte(text), &view); err != nil {
			s.t.Fatal(err)
		}
		same := false
		for _, c := range view.Counters {
			if c.Event == "Bought" && c.Where == "" {
				same = c.Count == total[0] && strings.TrimSuffix(c.Sums["n"], ".000000") == strconv.Itoa(total[1])
			}
		}
		if !same {
			s.t.Errorf("%s: unexpected counters %+v; want %v", id, view.Counters, total)
		}
	}
	rows, err := s.query("SELECT count() = uniqExact(message_id) AND count() = " + strconv.Itoa(s.book.count()) + " FROM nudge.events")
	if err != nil || rows != "1" {
		s.t.Errorf("rows and ledger differ: %s, error %v", rows, err)
	}
}

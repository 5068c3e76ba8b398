package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
	"github.com/nudge-engine/nudge/stream"
)

const (
	batch     = 20
	customers = 997
	clients   = 4
	target    = 4 // of this many events, one causes a delivery
)

// ledger is what the generator knows: which events got a 200.
type ledger struct {
	mu      sync.Mutex
	batch   int // events a batch
	next    int
	acked   map[int]time.Time
	refused map[string]int // answers other than 200
}

func newLedger() *ledger {
	return &ledger{batch: batch, acked: map[int]time.Time{}, refused: map[string]int{}}
}

func (l *ledger) take() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next += l.batch
	return l.next - l.batch
}

func (l *ledger) note(first int, answer string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if answer != "" {
		l.refused[answer]++
		return
	}
	for n := first; n < first+l.batch; n++ {
		l.acked[n] = time.Now()
	}
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

func (l *ledger) copied() map[int]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.acked)
}

// refusals counts the answers that hold a text.
func (l *ledger) refusals(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := 0
	for answer, n := range l.refused {
		if strings.Contains(answer, text) {
			sum += n
		}
	}
	return sum
}

// customerOf is the customer of an event; a batch has one customer, thus one partition.
func customerOf(n int) string { return fmt.Sprintf("u%d", n/batch%customers) }

func partitionOf(n int) int { return stream.PartitionOf("default", customerOf(n), partitions) }

// load sends batches from several clients until stop is called; each batch is
// repeated until it is acknowledged, or the server's patience ends. After stop, what is not acknowledged within
// grace is given up.
func (s *server) load() (stop func(grace time.Duration)) {
	ending := make(chan struct{})
	ctx, abandon := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range s.crowd.clients {
		wg.Go(func() {
			client := &http.Client{Timeout: 90 * time.Second}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-ending:
					return
				case <-time.After(s.crowd.pause):
				}
				s.deliver(ctx, client, s.book.take())
			}
		})
	}
	var once sync.Once
	stop = func(grace time.Duration) {
		once.Do(func() {
			close(ending)
			giveUp := time.AfterFunc(grace, abandon)
			wg.Wait()
			giveUp.Stop()
			abandon()
		})
	}
	s.t.Cleanup(func() { stop(0) })
	return stop
}

func (s *server) deliver(ctx context.Context, client *http.Client, first int) {
	_ = servertest.Poll(ctx, s.patience, func() error {
		answer := s.post(ctx, client, first)
		s.book.note(first, answer)
		if answer != "" {
			return errors.New(answer)
		}
		return nil
	})
}

// post sends the batch that begins with an event; the answer is empty for a 200.
func (s *server) post(ctx context.Context, client *http.Client, first int) string {
	var calls []map[string]any
	for n := first; n < first+s.book.batch; n++ {
		properties := map[string]any{"n": n, "send": n%target == 0 && !s.quiet}
		if s.crowd.extra != nil {
			s.crowd.extra(properties)
		}
		calls = append(calls, map[string]any{
			"type": "track", "event": "Bought", "userId": s.crowd.customer(n), "messageId": fmt.Sprintf("m%d", n),
			"properties": properties,
		})
	}
	body, err := json.Marshal(map[string]any{"batch": calls})
	if err != nil {
		return err.Error()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.http+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.SetBasicAuth(writeKey, "")
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return "no answer"
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "no answer"
	}
	if response.StatusCode != http.StatusOK {
		return strconv.Itoa(response.StatusCode) + " " + string(text)
	}
	return ""
}

// acknowledged waits until so many more events are acknowledged.
func (s *server) acknowledged(limit time.Duration, more int) {
	s.t.Helper()
	want := s.book.count() + more
	s.eventually(limit, "events acknowledged", func() error {
		if n := s.book.count(); n < want {
			return fmt.Errorf("%d; want %d", n, want)
		}
		return nil
	})
}

// receiver is a webhook that records every send.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	sent  map[string]map[string]int // message id -> delivery id -> how often
	delay time.Duration             // before an answer
	gate  chan struct{}             // not nil: no answer until it is closed
	came  map[string]time.Time      // message id -> when its last request came
}

// hang keeps the receiver from answering until release is called.
func (r *receiver) hang() (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gate := make(chan struct{})
	r.gate = gate
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.gate == gate {
			r.gate = nil
			close(gate)
		}
	}
}

// pause makes the receiver slow from now on.
func (r *receiver) pause(delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = delay
}

// wait is how a request waits for its answer; gone says that the client gave up.
func (r *receiver) wait(ctx context.Context, trigger string) (gone bool) {
	r.mu.Lock()
	delay, gate := r.delay, r.gate
	r.came[trigger] = time.Now()
	r.mu.Unlock()
	if delay > 0 {
		<-time.After(delay)
	}
	if gate == nil {
		return false
	}
	select {
	case <-gate:
		return false
	case <-ctx.Done():
		return true
	}
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{sent: map[string]map[string]int{}, came: map[string]time.Time{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var d struct {
			DeliveryID string `json:"delivery_id"`
			TriggerID  string `json:"trigger_id"`
		}
		if err := json.NewDecoder(q.Body).Decode(&d); err != nil || d.DeliveryID != q.Header.Get("Idempotency-Key") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if r.wait(q.Context(), d.TriggerID) {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.sent[d.TriggerID] == nil {
			r.sent[d.TriggerID] = map[string]int{}
		}
		r.sent[d.TriggerID][d.DeliveryID]++
	}))
	t.Cleanup(r.Close)
	return r
}

// triggers is how many events caused a send so far.
func (r *receiver) triggers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sent)
}

// figures are what a check of everything found.
type figures struct{ acked, sends, repeated int }

func (f figures) String() string {
	return fmt.Sprintf("%d events acknowledged, all in ClickHouse once; %d sends, each under one id, %d repeated",
		f.acked, f.sends, f.repeated)
}

// settle waits until everything that was acknowledged came out, and checks that
// nothing came out twice.
func (s *server) settle(limit time.Duration) figures {
	s.t.Helper()
	return s.settled(limit, s.book.copied())
}

func (s *server) settled(limit time.Duration, acked map[int]time.Time) figures {
	s.t.Helper()
	s.arrive(limit, acked)
	s.nothingTwice()
	return s.sends(len(acked))
}

// arrive waits until every acknowledged event is in ClickHouse and its delivery at the
// receiver. It gives up when nothing more has come for limit: after a thousand kills, each
// before ClickHouse was up, rows of an hour come one after the other.
func (s *server) arrive(limit time.Duration, acked map[int]time.Time) {
	s.t.Helper()
	least, moved := math.MaxInt, time.Now()
	for {
		rows, sends := s.missingRows(acked), s.missingSends(acked)
		if rows == nil && sends == nil {
			return
		}
		err := errors.Join(rows, sends)
		if lost, counted := lostIn(rows, sends); counted && lost < least {
			s.t.Logf("to come: %v", err)
			least, moved = lost, time.Now()
		}
		if time.Since(moved) > limit {
			s.t.Fatalf("every acknowledged event in ClickHouse and its delivery at the receiver: nothing came for %v: %v",
				limit, err)
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatal(err)
		case <-time.After(time.Second):
		}
	}
}

// lostIn adds up what the errors of missing count; counted is false when one of them is another
// error, as of a ClickHouse that does not answer: then nothing is known.
func lostIn(found ...error) (lost int, counted bool) {
	for _, err := range found {
		var m *missingError
		switch {
		case err == nil:
		case errors.As(err, &m):
			lost += m.lost
		default:
			return 0, false
		}
	}
	return lost, true
}

// missingError says how many acknowledged events have not come yet.
type missingError struct {
	what      string
	lost, all int
	example   int
}

func (e *missingError) Error() string {
	return fmt.Sprintf("%s: %d of %d acknowledged events are missing, for example m%d of partition %d", e.what, e.lost,
		e.all, e.example, partitionOf(e.example))
}

func (s *server) missingRows(acked map[int]time.Time) error {
	text, err := s.query("SELECT message_id FROM nudge.events")
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for id := range strings.Lines(text) {
		there[strings.TrimSpace(id)] = true
	}
	return missing("rows", acked, there)
}

// missing names acknowledged events that are not there.
func missing(what string, acked map[int]time.Time, there map[string]bool) error {
	lost, example := 0, 0
	for n := range acked {
		if !there[fmt.Sprintf("m%d", n)] {
			lost, example = lost+1, n
		}
	}
	if lost > 0 {
		return &missingError{what: what, lost: lost, all: len(acked), example: example}
	}
	return nil
}

func (s *server) missingSends(acked map[int]time.Time) error {
	wanted := map[int]time.Time{}
	for n, at := range acked {
		if n%target == 0 {
			wanted[n] = at
		}
	}
	s.hook.mu.Lock()
	defer s.hook.mu.Unlock()
	there := map[string]bool{}
	for id := range s.hook.sent {
		there[id] = true
	}
	return missing("sends", wanted, there)
}

func (s *server) nothingTwice() {
	s.t.Helper()
	for _, sql := range []string{
		"SELECT count() - uniqExact(message_id) FROM nudge.events",
		"SELECT count() - uniqExact(trigger_id) FROM nudge.deliveries WHERE status = 'handed_off'",
		"SELECT count() - uniqExact(trigger_id) FROM nudge.deliveries WHERE status = 'sent'",
		"SELECT count() FROM nudge.deliveries WHERE status = 'handed_off' AND at < due",
	} {
		s.eventually(time.Minute, sql, func() error {
			text, err := s.query(sql)
			if err == nil && text != "0" {
				err = fmt.Errorf("it is %q; want 0", text)
			}
			return err
		})
	}
}

func (s *server) sends(acked int) figures {
	s.t.Helper()
	s.hook.mu.Lock()
	defer s.hook.mu.Unlock()
	f := figures{acked: acked}
	for trigger, ids := range s.hook.sent {
		if len(ids) != 1 {
			s.t.Errorf("trigger %s was sent under %d ids", trigger, len(ids))
		}
		for _, n := range ids {
			f.sends += n
			f.repeated += n - 1
		}
	}
	return f
}

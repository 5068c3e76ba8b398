package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/stream/streamtest"
)

// Two servers on one log. The owner is stopped for longer than its lease, with frames
// and effects on their way; the other takes over, and the first wakes up without knowing
// it.
func TestZombie(t *testing.T) {
	l := begin(t, "owner paused, another took over",
		"with unconditional appends to FX the zombie stored 3 effects; with those to WH too, 1,300 rows came twice; without the watch on the lease it did not end.")
	log, clickhouse := newNats(t), newClickHouse(t)
	line := newLink(t, log.address, wire)
	first := newOnNats(t, line.address, clickhouse)
	second := newOnNats(t, log.address, clickhouse)
	second.share(first)
	first.start()
	first.ready()
	stopFirst := first.load()
	first.acknowledged(time.Minute, 2000)
	seen := streamtest.NewWitness(t, "nats://"+log.address)
	second.start()
	first.acknowledged(time.Minute, 2000)
	zombie := seen.Writers()
	if stored, _ := seen.Count("FX", zombie); stored == 0 {
		t.Fatal("the witness sees no effects of the first: it would see none of a zombie")
	}
	if strings.Contains(second.log.String(), "msg=ready") {
		t.Fatal("the second serves while the first holds the lease")
	}

	// What it sent last is held up on its way, and arrives when it wakes up.
	line.hang()
	<-time.After(200 * time.Millisecond)
	first.signal(syscall.SIGSTOP)
	began := time.Now()
	second.ready()
	took := time.Since(began).Round(100 * time.Millisecond)
	stopSecond := second.load()
	second.acknowledged(time.Minute, 4000)
	<-time.After(max(0, 25*time.Second-time.Since(began)))
	fxBefore, noBefore := seen.Count("FX", zombie)
	evBefore, _ := seen.Count("EV", zombie)
	line.restore()
	first.signal(syscall.SIGCONT)
	first.eventually(time.Minute, "the first ends by itself", func() error {
		if !first.over() {
			return errNotYet
		}
		return nil
	})
	lived := time.Since(began).Round(100 * time.Millisecond)
	second.acknowledged(time.Minute, 2000)
	first.tell("level=ERROR")
	if !strings.Contains(first.log.String(), "another server may run this log now") {
		t.Error("the first did not say why it ended")
	}
	effects, refused := seen.Count("FX", zombie)
	events, _ := seen.Count("EV", zombie)
	effects, refused, events = effects-fxBefore, refused-noBefore, events-evBefore
	t.Logf("the zombie: %d effects stored, %d refused; %d frames of events stored", effects, refused, events)
	if effects != 0 {
		t.Errorf("the zombie appended %d effects after the claim", effects)
	}
	stopFirst(0)
	second.repeat()
	stopSecond(time.Minute)
	found := second.settle(2 * time.Minute)
	second.neverHalted()
	second.stop()
	second.replayed()
	messages := inOrder(t, log.address)
	l.set(fmt.Sprintf("once, under load of both, what was on its way arrived with SIGCONT, the first ended %v after SIGSTOP", lived), fmt.Sprintf(
		"%s; the second was ready %v after SIGSTOP; the first stored no effect (%d refused) and %d frames, which were applied, "+
			"and ended by itself; %d effect messages, each under its number; a replay of the whole log agrees",
		found, took, refused, events, messages))
}

// share makes s a second server of the same customers: one ledger, one receiver, the
// same definitions.
func (s *server) share(with *server) {
	s.book, s.hook = with.book, with.hook
	for _, setting := range with.env {
		if strings.HasPrefix(setting, "NUDGE_CAMPAIGNS_DIR=") {
			s.env = append(s.env, setting)
		}
	}
}

// repeat sends what has no 200 yet to this server, as clients of one that died do.
func (s *server) repeat() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	s.book.mu.Lock()
	end := s.book.next
	s.book.mu.Unlock()
	acked := s.book.copied()
	for n := 0; n < end; n += batch {
		if _, ok := acked[n]; !ok {
			s.deliver(ctx, http.DefaultClient, n)
		}
	}
}

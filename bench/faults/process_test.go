package faults_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// SIGKILL at random instants under load.
func TestKill(t *testing.T) {
	l := begin(t, "kill -9",
		"with a publisher that answers before the log has stored 13,980 of 31,340 acknowledged events were missing")
	kills := 25
	if text := os.Getenv("NUDGE_FAULT_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	s := newServer(t, t.TempDir())
	s.start()
	stop := s.load()
	for i := range kills {
		s.acknowledged(2*time.Minute, 10*batch)
		<-time.After(time.Duration(rng.IntN(900_000)) * time.Microsecond)
		s.kill()
		s.start()
		// A long run shows that it goes on.
		if n := i + 1; n%100 == 0 {
			t.Logf("%d of %d kills, %d events acknowledged", n, kills, s.book.count())
		}
	}
	stop(2 * time.Minute)
	s.ready()
	found := s.settle(3 * time.Minute)
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("%d times under load", kills), found.String()+"; verify ok")
}

// SIGSTOP under load, then SIGCONT. A server that ends by itself after it is started
// again, as a supervisor would.
func TestPause(t *testing.T) {
	l := begin(t, "SIGSTOP, SIGCONT",
		"with timers that drop what is over 10 s late 510 sends were missing")
	pause := 20 * time.Second
	if text := os.Getenv("NUDGE_FAULT_PAUSE"); text != "" {
		var err error
		if pause, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(t, t.TempDir())
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 2000)
	s.signal(syscall.SIGSTOP)
	<-time.After(pause)
	began := time.Now()
	s.signal(syscall.SIGCONT)
	restarts := s.supervised(time.Minute, 4000)
	took := time.Since(began).Round(100 * time.Millisecond)
	restarts += s.watch(10 * time.Second)
	s.tell("level=ERROR", "nudged: ")
	stop(time.Minute)
	found := s.settle(2 * time.Minute)
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("once for %v under load", pause), fmt.Sprintf(
		"%s; 4,000 more taken %v after SIGCONT; the server ended by itself %d times and was started again; verify ok",
		found, took, restarts))
}

// supervised waits until so many more events are acknowledged, and starts the
// server again when it ends by itself; it returns how often.
func (s *server) supervised(limit time.Duration, more int) (restarts int) {
	s.t.Helper()
	want := s.book.count() + more
	s.eventually(limit, "events acknowledged", func() error {
		restarts += s.revive()
		if n := s.book.count(); n < want {
			return fmt.Errorf("%d; want %d", n, want)
		}
		return nil
	})
	return restarts
}

// watch starts the server again when it ends by itself, for a time.
func (s *server) watch(limit time.Duration) (restarts int) {
	s.t.Helper()
	end := time.Now().Add(limit)
	s.eventually(limit+time.Minute, "the time is over", func() error {
		restarts += s.revive()
		if time.Now().Before(end) {
			return errNotYet
		}
		return nil
	})
	return restarts
}

func (s *server) revive() int {
	s.t.Helper()
	if !s.over() {
		return 0
	}
	s.kill()
	s.start()
	return 1
}

// The clock of the writer goes an hour ahead, back, and two hours ahead.
func TestClock(t *testing.T) {
	l := begin(t, "clock moved",
		"with a log time that follows each frame it went back 1,005 times")
	s := newServer(t, t.TempDir())
	phase := func(offset string) {
		s.start("NUDGE_CLOCK_OFFSET=" + offset)
		stop := s.load()
		s.acknowledged(time.Minute, 4000)
		stop(time.Minute)
	}
	phase("1h")
	s.kill()
	sent := s.hook.triggers()
	phase("0s")
	s.ready()
	<-time.After(3 * time.Second)
	waiting := s.hook.triggers() - sent
	s.kill()
	phase("2h")
	began := time.Now()
	found := s.settle(2 * time.Minute)
	t.Logf("the clock ahead again: all came out after %v", time.Since(began))
	s.tell("level=ERROR", "level=WARN")
	back := "SELECT count() FROM (SELECT at, max(at) OVER (PARTITION BY partition ORDER BY seq, idx " +
		"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM nudge.deliveries WHERE status = 'handed_off') " +
		"WHERE at < before"
	if text, err := s.query(back); err != nil || text != "0" {
		t.Errorf("log time went back %s times, error %v", text, err)
	}
	s.stop()
	s.verify()
	l.set("+1 h, then 0, then +2 h, a kill between", fmt.Sprintf(
		"%s; log time never went back, none sent before it was due; while the clock was behind %d went out; verify ok",
		found, waiting))
}

package faults_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	people      = 300_000
	memoryLimit = 32 << 20  // what customers may take
	heapLimit   = 512 << 20 // what Go tries to stay under
	rssLimit    = 1 << 30   // what the process must stay under
)

// live is a campaign whose chains stay for an hour: a customer in memory that has
// something to remember.
const live = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: live}
spec:
  trigger: {event: {name: Bought}}
  steps:
    - {id: wait, delay: 1h}
    - {id: say, send: {channel: hook, inline: {body: "late"}}}
`

// More customers than the memory limit has room for, sent as fast as the server answers,
// while the receiver is slow: the process stays under a bound.
func TestMemoryLimit(t *testing.T) {
	l := begin(t, "memory limit",
		"1,438 MiB with sink, actors and stream as they were before they had bounds")
	s := newServer(t, t.TempDir(), fmt.Sprintf("NUDGE_MEMORY_LIMIT=%d", memoryLimit), fmt.Sprintf("GOMEMLIMIT=%d", heapLimit))
	s.define("live", live)
	s.book.batch = 500
	s.crowd.clients, s.crowd.pause = 50, 0
	s.crowd.customer = func(n int) string { return fmt.Sprintf("u%d", n%people) }
	padding := strings.Repeat("x", 200)
	s.crowd.extra = func(properties map[string]any) { properties["padding"] = padding }
	s.hook.pause(500 * time.Millisecond)
	s.start()
	s.ready()
	stop := s.load()
	began := time.Now()
	s.acknowledged(90*time.Second, people+20_000)
	stop(30 * time.Second)
	taken, took := s.book.count(), time.Since(began)
	if s.over() {
		t.Fatal("nudged ended under load")
	}
	s.onlyRefusals()
	peak, kept := s.memory("VmHWM"), s.sum("nudge_customers_in_memory")
	t.Logf("after the load: peak %d MiB, %d MiB now, %d customers in memory, %d bytes of them, %d events in %v",
		peak>>20, s.memory("VmRSS")>>20, kept, s.sum("nudge_customer_bytes"), taken, took)
	s.hook.pause(0)
	found := s.settleMany(3 * time.Minute)
	peak = s.memory("VmHWM")
	kept = s.sum("nudge_customers_in_memory")
	if peak > rssLimit {
		t.Errorf("the process grew to %d MiB; the bound is %d MiB", peak>>20, rssLimit>>20)
	}
	if kept >= people/2 {
		t.Errorf("%d of %d customers are in memory: too few were passivated", kept, people)
	}
	s.stop()
	s.verify()
	l.set(fmt.Sprintf("%d customers, %d clients without a pause, receiver 0.5 s, limits %d MiB of customers, GOMEMLIMIT %d MiB",
		people, s.crowd.clients, memoryLimit>>20, heapLimit>>20), fmt.Sprintf(
		"%d events/s, %d answers 429 or 503, no other; RSS at most %d MiB (bound %d); %d customers in memory at the end; %s; verify ok",
		int(float64(taken)/took.Seconds()), s.book.refusals(""), peak>>20, rssLimit>>20, kept, found))
}

// onlyRefusals fails for an answer that is neither 200, 429 nor 503.
func (s *server) onlyRefusals() {
	s.t.Helper()
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	for answer, n := range s.book.refused {
		if !strings.HasPrefix(answer, "503") && !strings.HasPrefix(answer, "429") {
			s.t.Errorf("%d answers were %s", n, answer)
		}
	}
}

// memory reads a line of the process's status, in bytes.
func (s *server) memory(name string) int64 {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); fields[0] == name+":" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return kib << 10
		}
	}
	s.t.Fatalf("no %s in the status", name)
	return 0
}

// sum adds a metric over the partitions.
func (s *server) sum(metric string) (sum int64) {
	s.t.Helper()
	s.eventually(time.Minute, metric, func() error {
		text, err := s.look("/metrics")
		if err != nil {
			return err
		}
		found := regexp.MustCompile(`(?m)^`+metric+`\{.*\} (\S+)$`).FindAllStringSubmatch(text, -1)
		if len(found) == 0 {
			return errNotYet
		}
		sum = 0
		for _, m := range found {
			v, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return err
			}
			sum += int64(v)
		}
		return nil
	})
	return sum
}

// settleMany is settle for a ledger that is too long to be asked for at each look.
func (s *server) settleMany(limit time.Duration) figures {
	s.t.Helper()
	want, sends := s.book.count(), 0
	for n := range s.book.copied() {
		if n%target == 0 {
			sends++
		}
	}
	s.eventually(limit, "as many rows and sends as were acknowledged", func() error {
		text, err := s.query("SELECT count() FROM nudge.events")
		if err != nil {
			return err
		}
		rows, err := strconv.Atoi(text)
		if err == nil && (rows < want || s.hook.triggers() < sends) {
			err = fmt.Errorf("%d of %d rows, %d of %d sends", rows, want, s.hook.triggers(), sends)
		}
		return err
	})
	return s.settle(time.Minute)
}

package attacks_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Connections that send nothing, more than the process may have descriptors, do not end the
// server; when they are gone it serves as before.
func TestConnectionsWithoutEnd(t *testing.T) {
	attack(t)
	s := begin(t, "")
	pid := strconv.Itoa(s.process.Process.Pid)
	limit := 400
	if out, err := exec.Command("prlimit", "--pid", pid, fmt.Sprintf("--nofile=%d:%d", limit, limit)).CombinedOutput(); err != nil {
		t.Fatalf("prlimit: %v %s", err, out)
	}
	for _, address := range []string{s.http, s.admin, s.clickhouse} {
		var held []net.Conn
		for range 2 * limit {
			c, err := net.DialTimeout("tcp", address, time.Second)
			if err != nil {
				break
			}
			held = append(held, c)
		}
		s.alive()
		t.Logf("%s: %d connections held", address, len(held))
		if address == s.http { // who comes after them is served, because idle ones are given up
			s.eventually(60*time.Second, "served beside them", func() error {
				if a := s.track("later", "Seen", `{}`); a.status != http.StatusOK {
					return fmt.Errorf("%d %s", a.status, a.text)
				}
				return nil
			})
		}
		for _, c := range held {
			_ = c.Close()
		}
	}
	s.eventually(60*time.Second, "served", func() error {
		if a := s.track("after", "Seen", `{}`); a.status != http.StatusOK {
			return fmt.Errorf("%d %s", a.status, a.text)
		}
		return nil
	})
	s.alive()
}

// Connections without a key, each of which asked once and then waits, do not keep ClickHouse from
// answering, nor rows from being written.
func TestConnectionsToClickHouse(t *testing.T) {
	attack(t)
	s := prepare(t, "")
	s.files = 700
	s.start()
	s.ready()
	for range s.files + 100 {
		c, err := net.DialTimeout("tcp", s.clickhouse, time.Second)
		if err != nil {
			break
		}
		defer c.Close()
		_, _ = fmt.Fprint(c, "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n") // where it is refused: as good
	}
	if a := s.track("later", "Seen", `{}`); a.status != http.StatusOK {
		t.Errorf("an event is answered with %d %s", a.status, a.text)
	}
	s.cell(60*time.Second, "1", "SELECT count() FROM nudge.events WHERE customer = 'later'")
}

// Clients that ask much without a key and take no answer do not lock others out of the admin
// address.
func TestAnswersThatNobodyTakes(t *testing.T) {
	attack(t)
	s := begin(t, "")
	const asks = "GET /v1/schema/campaign.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
	hold := func() {
		c, err := net.DialTimeout("tcp", s.admin, time.Second)
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(c, strings.Repeat(asks, 400)) // a connection that was refused is as good
	}
	for range 64 {
		hold()
	}
	// Until their buffers are full there is room for others.
	once := map[string]string{"Connection": "close"}
	for range 200 {
		if a := s.ask(http.MethodGet, s.admin, "/healthz", once, ""); a.status != http.StatusOK {
			break
		}
		hold()
	}
	s.eventually(30*time.Second, "answered beside them", func() error {
		if a := s.ask(http.MethodGet, s.admin, "/healthz", once, ""); a.status != http.StatusOK {
			return fmt.Errorf("%d %s", a.status, a.text)
		}
		return nil
	})
}

// memory is the resident memory of the server in MiB.
func (s *server) memory() int {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(text, []byte("VmRSS:"))
	var kib int
	if _, err := fmt.Sscan(string(rest), &kib); err != nil {
		s.t.Fatal(err)
	}
	return kib >> 10
}

// Bodies of who has no key are not kept: hundreds of half sent ones take no memory.
func TestBodiesWithoutAKey(t *testing.T) {
	attack(t)
	s := begin(t, "")
	before := s.memory()
	body := bytes.Repeat([]byte("x"), 511_000)
	for i := range 300 {
		c, err := net.DialTimeout("tcp", s.http, time.Second)
		if err != nil {
			break // refused: as good
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = fmt.Fprint(c, "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 512000\r\n\r\n")
		_, _ = c.Write(body) // an early answer closes the connection
		if i%50 == 0 {
			s.alive()
		}
	}
	if grown := s.memory() - before; grown > 96 {
		t.Errorf("the server took %d MiB for bodies without a key", grown)
	}
}

// Bodies of very many small values, each within the limits, take no memory beyond a budget: a
// parsed value is far larger than its text.
func TestBodiesOfManyValues(t *testing.T) {
	attack(t)
	s := begin(t, "")
	before := s.memory()
	body := func(values int) string {
		return `{"userId":"u","event":"E","properties":{"a":[` + strings.Repeat("0,", values) + `0]}}`
	}
	keyed := map[string]string{"Authorization": basic(s.keys.Write), "Content-Type": "application/json"}
	var all sync.WaitGroup
	for range 80 {
		for _, values := range []int{120_000, 240_000} {
			all.Go(func() { s.ask(http.MethodPost, s.http, "/v1/track", keyed, body(values)) })
		}
		all.Go(func() { s.ask(http.MethodPost, s.http, "/v1/track", nil, body(32_000)) })
	}
	all.Wait()
	s.alive()
	const live = 256 + 64 // MiB, the budgets of parsed bodies; the collector may let as much lie about
	if grown := s.memory() - before; grown > 2*live+128 {
		t.Errorf("the server took %d MiB for bodies of many values", grown)
	}
	if a := s.track("after", "Seen", `{}`); a.status != http.StatusOK {
		t.Errorf("afterwards an event is answered with %d %s", a.status, a.text)
	}
}

// Refused items cost as much as good ones: the rate limit counts them, and not all are kept.
func TestRefusedItemsCount(t *testing.T) {
	attack(t)
	s := begin(t, "", "NUDGE_RATE_PER_KEY=10")
	item := `{"type":"nonsense","userId":"r","pad":"` + strings.Repeat("y", 150) + `"}`
	batch := `{"batch":[` + strings.TrimSuffix(strings.Repeat(item+",", 2000), ",") + `]}`
	limited := 0
	for range 20 {
		a := s.ask(http.MethodPost, s.http, "/v1/batch", map[string]string{
			"Authorization": basic(s.keys.Write), "Content-Type": "application/json",
		}, batch)
		if a.status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 18 {
		t.Errorf("%d of 20 batches of refused items were limited", limited)
	}
}

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPercentiles(t *testing.T) {
	h := newHistogram()
	for i := 1; i <= 1000; i++ {
		record(h, time.Duration(i)*time.Millisecond)
	}
	record(h, 24*time.Hour) // beyond the range: counts as its end
	for q, want := range map[float64]float64{50: 500, 90: 900, 99: 990, 99.9: 1000} {
		if got := quantile(h, q); got < want*0.99 || got > want*1.01 {
			t.Errorf("p%g = %g ms; want %g", q, got, want)
		}
	}
	if got := float64(h.Max()) / 1000; got < 599_000 {
		t.Errorf("longest = %g ms; want the end of the range", got)
	}
}

// TestScheduleDoesNotMove: the instant from which latency counts is found from
// the message id alone, so that a late batch counts from when it was due.
func TestScheduleDoesNotMove(t *testing.T) {
	start := testTime()
	p := schedule{
		start: start, end: start.Add(time.Second), interval: 10 * time.Millisecond, connections: 4, firstConnection: 8, batch: 50,
	}
	batches := 0
	for connection := range p.connections {
		for n := 0; ; n++ {
			at, ok := p.next(connection, n)
			if !ok {
				break
			}
			batches++
			id := string(appendMessageID(nil, p.firstConnection+connection, n*p.batch+p.batch-1))
			if got, ours, err := p.intended(id); err != nil || !ours || !got.Equal(at) {
				t.Fatalf("%s: unexpected %v, %v, %v; want %v", id, got, ours, err, at)
			}
		}
	}
	if batches != 100 {
		t.Errorf("%d batches in a second of 10 ms; want 100", batches)
	}
	if _, ours, err := p.intended("bench-7-0"); err != nil || ours {
		t.Errorf("a connection of an earlier load is ours: %v, %v", ours, err)
	}
}

func TestLedgerFindsWhatIsWrong(t *testing.T) {
	good := Ledger{Rows: 100, UniqueRows: 100, HandedOff: 5, UniqueDeliveries: 5}
	if wrong := good.check(100, 5); wrong != nil {
		t.Errorf("unexpected %v", wrong)
	}
	bad := []Ledger{good, good, good, good, good}
	bad[0].Rows, bad[0].UniqueRows = 99, 99 // lost
	bad[1].Rows = 101                       // doubled
	bad[2].HandedOff = 6
	bad[3].UniqueDeliveries = 4
	bad[4].DeadLetters = 1
	for i, l := range bad {
		r := &Throughput{Wrong: l.check(100, 5)}
		if err := r.Err(); !errors.Is(err, ErrWrong) {
			t.Errorf("ledger %d: unexpected %v; want %v", i, err, ErrWrong)
		}
	}
}

func TestWriteJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	if err := WriteJSON(path, &Throughput{Scenario: "throughput", EventsPerSecond: 12}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"scenario", "events_per_second", "limit_events_per_second", "share_of_limit", "partitions", "connections",
		"correct",
	} {
		if _, ok := fields[key]; !ok {
			t.Errorf("%q is missing in %s", key, text)
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var l tail
	for range 1000 {
		_, _ = l.Write([]byte("level=INFO msg=\"nothing much\"\n"))
	}
	_, _ = l.Write([]byte("level=ERROR msg=\"the end\"\n"))
	text := l.String()
	if len(text) > tailBytes || !strings.HasPrefix(text, "level=INFO") || !strings.HasSuffix(text, "the end\"\n") {
		t.Errorf("unexpected tail of %d bytes: %q ... %q", len(text), text[:20], text[len(text)-20:])
	}
	if n := l.Complaints(); n != 1 {
		t.Errorf("%d complaints; want 1", n)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q; want %q", n, got, want)
		}
	}
}

func TestValidateNamesTheFlag(t *testing.T) {
	o := Options{Batch: 0, Connections: 0, Duration: time.Millisecond, Workload: Workload{}}
	err := o.Validate()
	for _, flag := range []string{"--batch", "--connections", "--duration", "--customers", "--campaigns"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s is not in the error: %v", flag, err)
		}
	}
}

func TestCustomers(t *testing.T) {
	r, err := MeasureCustomers(context.Background(), 2500, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Correct || r.BytesPerCustomer <= 0 || r.StoredBytes <= 0 {
		t.Errorf("unexpected %+v", r)
	}
}

// TestServerThatFailsIsExplained: the last lines of its log are in the error, and
// its directory is gone.
func TestServerThatFailsIsExplained(t *testing.T) {
	programs, dir := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\necho 'the disk is on fire' >&2\nexit 3\n"
	if err := os.WriteFile(filepath.Join(programs, "nudged"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := StartServer(context.Background(), ServerConfig{Programs: programs, Dir: dir}, nil)
	for _, want := range []string{"the disk is on fire", "exit status 3"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error: %v", want, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

package faults_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/plainenv"
	"github.com/nudge-engine/nudge/internal/servertest"
)

// newClickHouse starts an engine that belongs to no server.
func newClickHouse(t *testing.T) *outsider {
	t.Helper()
	o := &outsider{t: t, address: servertest.FreePort(t)}
	dir := t.TempDir()
	o.command = func() *exec.Cmd {
		command := exec.Command(filepath.Join(binaries, "clickhoused"), "serve", "--data", dir, "--listen", o.address,
			"--watch-stdin")
		command.Env = append(plainenv.Environ(), "CLICKHOUSED_PASSWORD="+ownerPassword,
			"CLICKHOUSED_READER_PASSWORD="+readerPassword)
		return command
	}
	t.Cleanup(o.kill)
	o.start()
	return o
}

// newBehind is a server that reaches ClickHouse by url; the test asks ClickHouse
// itself.
func newBehind(t *testing.T, url string, clickhouse *outsider) *server {
	t.Helper()
	s := newServer(t, t.TempDir(), "NUDGE_CLICKHOUSE_URL="+strings.Replace(url, "://", "://default:"+ownerPassword+"@", 1))
	s.clickhouse = clickhouse.address
	return s
}

// finish lets everything come out, stops the server and compares row by row.
func (s *server) finish(limit time.Duration) (figures, tally) {
	s.t.Helper()
	found := s.settle(limit)
	s.drained(limit)
	s.neverHalted()
	s.stop()
	s.verify()
	return found, s.exactRows()
}

// drained waits until the last results are rows too: a server that stops leaves what
// is behind to the next start.
func (s *server) drained(limit time.Duration) {
	s.t.Helper()
	s.eventually(limit, "the results of all sends in ClickHouse, and nothing behind", func() error {
		text, err := s.query("SELECT count() FROM nudge.deliveries WHERE status = 'sent'")
		if err == nil && text != strconv.Itoa(s.hook.triggers()) {
			err = fmt.Errorf("%s results of %d sends", text, s.hook.triggers())
		}
		return errors.Join(err, s.behind())
	})
}

// behind says which partitions have frames that are not in ClickHouse yet.
func (s *server) behind() error {
	text, err := s.look("/metrics")
	seen := 0
	for line := range strings.Lines(text) {
		if name, lag, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(name, "nudge_warehouse_lag_frames") {
			seen++
			if lag != "0" {
				err = errors.Join(err, errors.New(strings.TrimSpace(line)))
			}
		}
	}
	if err == nil && seen != partitions {
		err = fmt.Errorf("the lag of %d of %d partitions is told", seen, partitions)
	}
	return err
}

// timed sends for a while and returns how long each batch took to be answered.
func (s *server) timed(limit time.Duration) []time.Duration {
	s.t.Helper()
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	end := time.Now().Add(limit)
	for range clients {
		wg.Go(func() {
			client := &http.Client{Timeout: 90 * time.Second}
			defer client.CloseIdleConnections()
			for time.Now().Before(end) {
				began := time.Now()
				s.deliver(s.t.Context(), client, s.book.take())
				took := time.Since(began)
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
				<-time.After(25 * time.Millisecond)
			}
		})
	}
	wg.Wait()
	slices.Sort(all)
	return all
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))].Round(10 * time.Microsecond)
}

// Each insert takes 5 s. The promise is that ingest does not notice; the ratio is told
// and not judged, because the machine is shared.
func TestClickHouseSlow(t *testing.T) {
	l := begin(t, "ClickHouse slow",
		"with a limit of 2 s an insert, a new token for each attempt and no look whether a block is there 980 rows came twice")
	clickhouse := newClickHouse(t)
	g := newGate(t, clickhouse.address)
	s := newBehind(t, g.URL, clickhouse)
	s.start()
	s.ready()
	s.timed(3 * time.Second) // warm
	before := s.timed(15 * time.Second)
	g.inject(func(http.ResponseWriter, *http.Request, []byte) bool {
		<-time.After(5 * time.Second)
		return false
	})
	during := s.timed(45 * time.Second)
	slow := g.harmed.Load()
	g.inject(nil)
	began := time.Now()
	found, rows := s.finish(5 * time.Minute)
	caught := time.Since(began).Round(100 * time.Millisecond)
	if slow < 3 {
		t.Errorf("only %d inserts were slow", slow)
	}
	l.set("5 s an insert for 45 s under load", fmt.Sprintf(
		"%d slow inserts; p50 of ingest %v before, %v during; p99 %v before, %v during, ratio %.2f; all came out %v after; "+
			"%s; %s; verify ok",
		slow, quantile(before, 0.5), quantile(during, 0.5), quantile(before, 0.99), quantile(during, 0.99),
		float64(quantile(during, 0.99))/float64(quantile(before, 0.99)), caught, found, rows))
}

// Each insert is refused as ClickHouse refuses one when a table has too many parts.
func TestClickHouse252(t *testing.T) {
	l := begin(t, "ClickHouse answers 252",
		"a writer that goes on after a refused insert lost 54,160 rows.")
	clickhouse := newClickHouse(t)
	g := newGate(t, clickhouse.address)
	s := newBehind(t, g.URL, clickhouse)
	s.start()
	s.ready()
	stop := s.load()
	s.acknowledged(time.Minute, 2000)
	g.inject(func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("X-ClickHouse-Exception-Code", "252")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "Code: 252. DB::Exception: Too many parts (3000 with average size of 1.00 KiB) in table "+
			"'nudge.events'. Merges are processing significantly slower than inserts. (TOO_MANY_PARTS)")
		return true
	})
	<-time.After(20 * time.Second)
	s.acknowledged(time.Minute, 4000)
	refused := g.harmed.Load()
	g.inject(nil)
	began := time.Now()
	stop(time.Minute)
	found, rows := s.finish(3 * time.Minute)
	if refused < 3 {
		t.Errorf("only %d inserts were refused", refused)
	}
	l.set("for 20 s under load", fmt.Sprintf("%d inserts refused; all came out %v after; %s; %s; verify ok", refused,
		time.Since(began).Round(100*time.Millisecond), found, rows))
}

// broken is a body that ends before its end.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Inserts are applied without an answer, are cut off in the middle, or arrive after
// their repetition.
func TestClickHouseHalf(t *testing.T) {
	l := begin(t, "ClickHouse inserts half done",
		"with a new token for each attempt 7,620 rows came twice.")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	clickhouse := newClickHouse(t)
	g := newGate(t, clickhouse.address)
	s := newBehind(t, g.URL, clickhouse)
	var mu sync.Mutex
	counts := map[string]int{}
	draw := func() (kind int, wait time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		kind = rng.IntN(8)
		if kind < 4 {
			counts[[]string{"answer lost", "cut off", "cut off, length given", "late"}[kind]]++
		}
		return kind, time.Duration(rng.IntN(3_000_000)) * time.Microsecond
	}
	g.inject(func(_ http.ResponseWriter, r *http.Request, body []byte) bool {
		kind, wait := draw()
		half := io.MultiReader(bytes.NewReader(body[:len(body)/2]), broken{})
		switch kind {
		case 0:
			_, _, _, _ = g.forward(r, bytes.NewReader(body), int64(len(body)))
		case 1:
			_, _, _, _ = g.forward(r, half, -1)
		case 2:
			_, _, _, _ = g.forward(r, half, int64(len(body)))
		case 3:
			g.late.Go(func() {
				<-time.After(wait)
				_, _, _, _ = g.forward(r, bytes.NewReader(body), int64(len(body)))
			})
		default:
			return false
		}
		hangUp()
		return true
	})
	s.start()
	s.ready()
	stop := s.load()
	s.eventually(4*time.Minute, "inserts harmed", func() error {
		mu.Lock()
		defer mu.Unlock()
		for _, kind := range []string{"answer lost", "cut off", "cut off, length given", "late"} {
			if counts[kind] < 12 {
				return fmt.Errorf("%d of 12: %s", counts[kind], kind)
			}
		}
		return nil
	})
	stop(time.Minute)
	g.inject(nil)
	g.late.Wait()
	found, rows := s.finish(3 * time.Minute)
	l.set(fmt.Sprintf("answer lost %d times, cut off %d times, arrived late %d times, under load", counts["answer lost"],
		counts["cut off"]+counts["cut off, length given"], counts["late"]), fmt.Sprintf("%s; %s; verify ok", found, rows))
}

// The engine is killed in the middle of inserts and started again on its data.
func TestClickHouseKilled(t *testing.T) {
	l := begin(t, "ClickHouse killed in inserts",
		"with a limit of 2 s an insert, a new token for each attempt and no look whether a block is there 46,840 rows came twice")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	clickhouse := newClickHouse(t)
	g := newGate(t, clickhouse.address)
	s := newBehind(t, g.URL, clickhouse)
	arrived := make(chan struct{})
	g.inject(func(http.ResponseWriter, *http.Request, []byte) bool {
		select {
		case arrived <- struct{}{}:
		default: // nobody waits for one now
		}
		return false
	})
	s.start()
	s.ready()
	stop := s.load()
	s.acknowledged(time.Minute, 2000)
	const kills = 25
	for range kills {
		skip := rng.IntN(6) // so that each table has its turn
		for range skip + 1 {
			select {
			case <-arrived:
			case <-time.After(time.Minute):
				t.Fatal("no insert in a minute")
			}
		}
		<-time.After(time.Duration(rng.IntN(20_000)) * time.Microsecond)
		clickhouse.kill()
		clickhouse.start()
	}
	g.inject(nil)
	stop(time.Minute)
	found, rows := s.finish(3 * time.Minute)
	l.set(fmt.Sprintf("kill -9, %d times within 20 ms of the begin of an insert, under load", kills),
		fmt.Sprintf("%s; %s; verify ok", found, rows))
}

// ClickHouse is away for an hour of log time, over a restart of the server.
func TestClickHouseAway(t *testing.T) {
	l := begin(t, "ClickHouse away for an hour",
		"a writer that begins behind the first frames lost 1,280 rows.")
	clickhouse := newClickHouse(t)
	line := newLink(t, clickhouse.address, 0)
	s := newBehind(t, "http://"+line.address, clickhouse)
	line.cut()
	phase := func(offset string) {
		s.start("NUDGE_CLOCK_OFFSET=" + offset)
		stop := s.load()
		s.acknowledged(time.Minute, 6000)
		stop(time.Minute)
		s.eventually(time.Minute, "what was due was sent while ClickHouse was away",
			func() error { return s.missingSends(s.book.copied()) })
	}
	phase("0s")
	s.kill()
	phase("1h")
	if _, err := s.query("SELECT count() FROM nudge.events"); err == nil || !strings.Contains(err.Error(), "nudge") {
		t.Errorf("ClickHouse was not away: it has the tables, error %v", err)
	}
	began := time.Now()
	line.restore()
	s.eventually(2*time.Minute, "rows", func() error { return s.missingRows(s.book.copied()) })
	caught := time.Since(began).Round(100 * time.Millisecond)
	late, err := s.query("SELECT max(toUnixTimestamp64Milli(at) - toUnixTimestamp64Milli(due)) FROM nudge.deliveries " +
		"WHERE status = 'handed_off'")
	var ms int
	if _, bad := fmt.Sscan(late, &ms); errors.Join(err, bad) != nil || ms > 10_000 {
		t.Errorf("a timer was late by %q ms of log time, error %v", late, err)
	}
	found, rows := s.finish(2 * time.Minute)
	l.set("from before the first event; a kill and +1 h of log time between two loads", fmt.Sprintf(
		"all was sent meanwhile, no timer later than %d ms; the rows were there %v after it was back; %s; %s; verify ok",
		ms, caught, found, rows))
}

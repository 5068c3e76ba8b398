package faults_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/servertest"
	"github.com/nudge-engine/nudge/stream"
	"github.com/nudge-engine/nudge/stream/streamtest"
)

// natsAsked makes this program a nats-server: directory, "|", address.
const natsAsked = "NUDGE_FAULTS_NATS"

func serveNats(at string) int {
	dir, address, _ := strings.Cut(at, "|")
	if err := streamtest.Serve(dir, address, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// outsider is a program that nudged did not start and may lose.
type outsider struct {
	t       *testing.T
	address string
	command func() *exec.Cmd
	process *exec.Cmd
	input   io.Closer
	log     servertest.Output
}

func (o *outsider) start() {
	o.t.Helper()
	o.process = o.command()
	o.process.Stdout, o.process.Stderr = &o.log, &o.log
	input, err := o.process.StdinPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	o.input = input
	if err := o.process.Start(); err != nil {
		o.t.Fatal(err)
	}
	if err := servertest.Poll(o.t.Context(), time.Minute, func() error {
		c, err := net.DialTimeout("tcp", o.address, time.Second)
		if err == nil {
			err = c.Close()
		}
		return err
	}); err != nil {
		o.t.Fatalf("%s does not answer: %v\n%s", o.address, err, o.log.String())
	}
}

// kill ends it as a crash would.
func (o *outsider) kill() {
	if o.process == nil {
		return
	}
	_ = o.process.Process.Kill()
	_ = o.process.Wait()
	_ = o.input.Close()
	o.process = nil
}

// wire is what a chunk takes from and to a log elsewhere.
const wire = 10 * time.Millisecond

// newNats starts a nats-server that syncs always, in a process of its own.
func newNats(t *testing.T) *outsider {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := &outsider{t: t, address: servertest.FreePort(t)}
	dir := t.TempDir()
	o.command = func() *exec.Cmd {
		c := exec.Command(self)
		c.Env = append(os.Environ(), natsAsked+"="+dir+"|"+o.address)
		return c
	}
	t.Cleanup(o.kill)
	o.start()
	return o
}

// newOnNats is a server whose log and ClickHouse are elsewhere.
func newOnNats(t *testing.T, nats string, clickhouse *outsider) *server {
	t.Helper()
	s := newServer(t, t.TempDir(), "NUDGE_NATS_URL=nats://"+nats, "NUDGE_CLICKHOUSE_URL=http://default:"+ownerPassword+"@"+clickhouse.address)
	s.clickhouse = clickhouse.address
	return s
}

// takenAgain waits until events are taken by the server after a fault ended; the
// promise is 10 s. A server that ended by itself is started again.
func (s *server) takenAgain(limit time.Duration) (took time.Duration, restarts int) {
	s.t.Helper()
	began := time.Now()
	restarts = s.supervised(limit, batch)
	return time.Since(began).Round(100 * time.Millisecond), restarts
}

// neverHalted fails the test if any run of the server halted a partition.
func (s *server) neverHalted() {
	s.t.Helper()
	for text := range strings.Lines(s.log.String()) {
		if strings.Contains(text, "the partition halts") {
			s.t.Errorf("a partition halted: %s", strings.TrimSpace(text))
		}
	}
	for p := range partitions {
		if s.process != nil && s.halted(p) {
			s.t.Errorf("nudge_partition_halted of %d is 1", p)
		}
	}
}

// replayed is `nudge verify` for a log elsewhere: a server that knows nothing
// replays the whole log, compares each effect it computes with the one that is
// there, and halts where they differ. It must send nothing again.
func (s *server) replayed() {
	s.t.Helper()
	was, sends := s.data, s.sends(0).sends
	s.data = filepath.Join(s.dir, "replay")
	s.start()
	s.ready()
	s.settle(2 * time.Minute)
	s.neverHalted()
	if now := s.sends(0).sends; now != sends {
		s.t.Errorf("the replay sent %d times", now-sends)
	}
	s.stop()
	s.data = was
}

// inOrder reads the effect streams from outside: message n of a stream must say
// that it is number n, and the frames behind them must not go back. It returns
// how many there are.
func inOrder(t *testing.T, address string) (effects uint64) {
	t.Helper()
	log, err := stream.OpenURL("nats://"+address, 1, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	for p := range partitions {
		effects += partitionInOrder(t, log, p)
	}
	return effects
}

func partitionInOrder(t *testing.T, log stream.Log, p int) uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := log.Open(ctx, stream.EffectStream(p), stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if info.Last == 0 {
		t.Fatalf("partition %d has no effects: the check would check nothing", p)
	}
	reader, err := s.Read(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	frame := uint64(0)
	for n := uint64(1); n <= info.Last; n++ {
		raw, err := reader.Next(ctx)
		if err != nil {
			t.Fatalf("effect %d of partition %d: %v", n, p, err)
		}
		m, err := effect.DecodeMessage(raw.Data)
		if err != nil || raw.Seq != n || m.N != n || m.Seq < frame {
			t.Fatalf("effect message %d of partition %d says it is %d of frame %d, after frame %d; error %v", raw.Seq, p,
				m.N, m.Seq, frame, err)
		}
		frame = m.Seq
	}
	return info.Last
}

// The connection to the log is cut, hangs, and is slow.
func TestNatsCut(t *testing.T) {
	l := begin(t, "log elsewhere, connection cut",
		"a publisher that takes an append without an answer for stored lost 80 acknowledged events.")
	nats := newNats(t)
	line := newLink(t, nats.address, wire)
	s := newOnNats(t, line.address, newClickHouse(t))
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 2000)
	var worst time.Duration
	restarts := 0
	for _, fault := range []struct {
		what   string
		inject func()
		length time.Duration
	}{
		{"cut", line.cut, time.Second},
		{"cut", line.cut, 3 * time.Second},
		{"hung", line.hang, 5 * time.Second},
		{"cut", line.cut, 5 * time.Second},
		{"slow", func() { line.slow(50 * time.Millisecond) }, 5 * time.Second},
		{"cut", line.cut, 8 * time.Second},
		{"hung, and what was on its way lost", line.hang, 6 * time.Second},
		{"hung", line.hang, 14 * time.Second},
		{"cut", line.cut, 14 * time.Second},
	} {
		fault.inject()
		restarts += s.watch(fault.length)
		if strings.Contains(fault.what, "lost") {
			line.cut()
		}
		line.restore()
		took, more := s.takenAgain(time.Minute)
		restarts += more
		worst = max(worst, took)
		if took > 10*time.Second {
			t.Errorf("%s for %v: events were taken again after %v", fault.what, fault.length, took)
		}
		t.Logf("%s for %v: taken again after %v; the server ended by itself %d times so far", fault.what, fault.length,
			took, restarts)
		restarts += s.watch(3 * time.Second)
		restarts += s.supervised(time.Minute, 1000) // it may end only now: it stops for some seconds
	}
	s.tell("level=ERROR")
	stop(time.Minute)
	found := s.settle(2 * time.Minute)
	s.neverHalted()
	s.stop()
	s.replayed()
	effects := inOrder(t, nats.address)
	l.set("cut for 1, 3, 5, 8 and 14 s, hung for 5, 6 and 14 s, 50 ms a chunk for 5 s, under load", fmt.Sprintf(
		"%s; taken again at most %v after; the server ended by itself %d times and was started again; no partition halted; "+
			"%d effect messages, each under its number; a replay of the whole log agrees", found, worst, restarts, effects))
}

// The log's server is killed and started again on its store.
func TestNatsRestart(t *testing.T) {
	l := begin(t, "log elsewhere, its server killed",
		"with the same publisher 280 acknowledged events were lost.")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	nats := newNats(t)
	line := newLink(t, nats.address, wire)
	s := newOnNats(t, line.address, newClickHouse(t))
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 2000)
	var worst time.Duration
	restarts := 0
	const kills = 10
	for range kills {
		restarts += s.supervised(time.Minute, 1000)
		<-time.After(time.Duration(rng.IntN(300_000)) * time.Microsecond)
		nats.kill()
		pause := time.Duration(rng.IntN(4000)) * time.Millisecond
		restarts += s.watch(pause)
		nats.start()
		took, more := s.takenAgain(time.Minute)
		restarts += more
		worst = max(worst, took)
		if took > 10*time.Second {
			t.Errorf("away for %v: events were taken again after %v", pause, took)
		}
	}
	restarts += s.watch(5 * time.Second)
	restarts += s.supervised(time.Minute, 1000)
	s.tell("level=ERROR")
	stop(time.Minute)
	found := s.settle(2 * time.Minute)
	s.neverHalted()
	s.stop()
	s.replayed()
	effects := inOrder(t, nats.address)
	l.set(fmt.Sprintf("kill -9, %d times under load, away for 0 to 4 s", kills), fmt.Sprintf(
		"%s; taken again at most %v after it listened; the server ended by itself %d times; no partition halted; "+
			"%d effect messages, each under its number; a replay of the whole log agrees", found, worst, restarts, effects))
}

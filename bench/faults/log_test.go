package faults_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/stream"
)

// streamDir is where a partition's event stream is kept.
func streamDir(t *testing.T, data string, p int) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(data, "log", "jetstream", "*", "streams", stream.EventStream(p)))
	if err != nil || len(found) != 1 {
		t.Fatalf("the directory of %s: found %v, error %v", stream.EventStream(p), found, err)
	}
	return found[0]
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v %s", err, out)
	}
}

func swapDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	copyDir(t, from, to)
}

// readAsked names the log that this program, started again by inLog, reads.
const readAsked = "NUDGE_FAULTS_READ"

// inLog reads the event streams of a stopped server: the message ids in them. A
// process of its own does it, because a damaged log may be read without end; then
// the answer is nil.
func inLog(t *testing.T, data string) map[string]bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, self)
	command.Env = append(os.Environ(), readAsked+"="+filepath.Join(data, "log"))
	out, err := command.Output()
	if ctx.Err() != nil {
		t.Log("the log cannot be read in 20 s")
		return nil
	}
	if err != nil {
		t.Fatalf("read the log: %v", err)
	}
	there := map[string]bool{}
	for id := range strings.Lines(string(out)) {
		there[strings.TrimSpace(id)] = true
	}
	return there
}

// printLog prints the message ids in a log.
func printLog(dir string) int {
	log, err := stream.OpenEmbedded(stream.EmbeddedConfig{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	for p := 0; p < partitions && err == nil; p++ {
		err = printPartition(log, p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func printPartition(log stream.Log, p int) error {
	ctx := context.Background()
	s, err := log.Open(ctx, stream.EventStream(p), stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		return err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	// One by one: a reader would wait at a message that is damaged.
	for seq := max(info.First, 1); seq <= info.Last; seq++ {
		if m, err := s.Get(ctx, seq); err == nil {
			printEvents(m.Data)
		}
	}
	return nil
}

func printEvents(frame []byte) {
	f, err := stream.DecodeFrame(frame)
	if err != nil {
		return // damaged: what it held is not there
	}
	for _, r := range f.Records {
		if r.Kind != stream.KindEvent {
			continue
		}
		if e, err := campaign.DecodeEvent(r.Data); err == nil {
			fmt.Println(e.ID)
		}
	}
}

// An older copy of one partition's stream is put in place.
func TestRolledBackLog(t *testing.T) {
	l := begin(t, "log rolled back")
	const p = 3
	s := newServer(t, t.TempDir())
	s.run(3000)
	s.stop()
	dir := streamDir(t, s.data, p)
	older, newest := filepath.Join(t.TempDir(), "older"), filepath.Join(t.TempDir(), "newest")
	copyDir(t, dir, older)
	s.run(3000)
	s.stop()
	copyDir(t, dir, newest)
	before := s.book.copied()
	swapDir(t, older, dir)

	s.start()
	s.eventually(time.Minute, "the alarm", func() error {
		if !s.halted(p) {
			return errNotYet
		}
		return nil
	})
	var why error
	s.eventually(30*time.Second, "the reason in /readyz", func() error {
		_, why = get("http://" + s.admin + "/readyz")
		if why == nil || !strings.Contains(why.Error(), fmt.Sprintf("partition %d", p)) {
			return fmt.Errorf("it says: %w", errors.Join(errNotYet, why))
		}
		return nil
	})
	s.patience = time.Millisecond // a client goes on to the next customer
	stop := s.load()
	s.acknowledged(time.Minute, 50*batch)
	refused := s.refusal(p)
	stop(0)
	others, more := s.book.copied(), 0
	for n := range others {
		_, old := before[n]
		switch {
		case partitionOf(n) == p && !old:
			t.Fatalf("event m%d of the halted partition was acknowledged", n)
		case partitionOf(n) == p:
			delete(others, n)
		case !old:
			more++
		}
	}
	s.settled(time.Minute, others)
	s.kill()
	s.patience = 10 * time.Minute

	// The right stream again: the partition goes on, and nothing was skipped.
	swapDir(t, newest, dir)
	s.run(3000)
	found := s.settle(2 * time.Minute)
	s.stop()
	s.verify()
	t.Logf("readyz said: %v; a refused request: %s", why, refused)
	l.set("once, one of 8 partitions", fmt.Sprintf(
		"the partition halted, /readyz said why, its keys got 503; the others went on (%d events); with the right stream back: %s; verify ok",
		more, found))
}

// run starts the server and loads it until so many events are acknowledged.
func (s *server) run(events int) {
	s.t.Helper()
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, events)
	stop(time.Minute)
}

// refusal waits for a 503 to a batch of a partition.
func (s *server) refusal(p int) (answer string) {
	s.t.Helper()
	s.eventually(time.Minute, "a 503", func() error {
		n := 0
		for partitionOf(n) != p {
			n += batch
		}
		if answer = s.post(s.t.Context(), http.DefaultClient, n); !strings.HasPrefix(answer, "503") {
			return errors.New("the answer was " + answer)
		}
		return nil
	})
	return answer
}

// One bit of the last block file of an event stream is flipped.
func TestFlippedBit(t *testing.T) {
	l := begin(t, "bit flipped, after a stop")
	s := newServer(t, t.TempDir())
	s.run(4000)
	s.stop()
	s.flips(l, true)
}

// The same after a kill, with nothing but the log: no snapshot was taken.
func TestFlippedBitAfterKill(t *testing.T) {
	l := begin(t, "bit flipped, after a kill")
	s := newServer(t, t.TempDir(), "NUDGE_SNAPSHOT_EVERY=1h")
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 4000)
	s.kill()
	stop(0)
	s.flips(l, false)
}

// The same where nothing had read the log: no snapshot, no row, no effect. This is
// a known gap, so it fails nothing; the figure is told.
func TestFlippedBitThatNobodyRead(t *testing.T) {
	l := begin(t, "bit flipped, after a kill, read by nobody")
	l.unpromised = true
	s := newServer(t, t.TempDir(), "NUDGE_SNAPSHOT_EVERY=1h", "NUDGE_CLICKHOUSE_URL=http://127.0.0.1:1")
	s.quiet = true
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 4000)
	s.kill()
	stop(0)
	s.flips(l, false)
}

// flips damages copies of the data, one bit each, and looks what comes of it.
func (s *server) flips(l *line, applied bool) {
	s.t.Helper()
	whole := s.data
	acked := s.book.copied()
	if err := missing("log", acked, inLog(s.t, copyOf(s, whole, "whole"))); err != nil {
		s.t.Fatal(err)
	}
	outcomes := map[string]int{}
	shares := []float64{0.02, 0.2, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999}
	for i, share := range shares {
		s.data = copyOf(s, whole, fmt.Sprintf("flip%d", i))
		outcome := s.flip(i%partitions, share, acked, applied)
		s.t.Logf("partition %d, at %g of the last block: %s", i%partitions, share, outcome)
		outcomes[outcome]++
		_ = os.RemoveAll(s.data)
	}
	s.data = whole
	var seen []string
	for _, outcome := range []string{alarmed, harmless, past, later, hung, stuck, silent} {
		if n := outcomes[outcome]; n > 0 {
			seen = append(seen, fmt.Sprintf("%d: %s", n, outcome))
		}
	}
	if outcomes[silent] > 0 && !l.unpromised {
		s.t.Error("acknowledged events were lost without an alarm")
	}
	l.set(fmt.Sprintf("%d times, each in a fresh copy", len(shares)), strings.Join(seen, "; "))
}

func copyOf(s *server, data, name string) string {
	s.t.Helper()
	to := filepath.Join(s.dir, name)
	copyDir(s.t, data, to)
	return to
}

// What may come of a flipped bit.
const (
	alarmed  = "halted with an alarm"
	harmless = "nothing lost"
	past     = "went on (what was damaged was applied and saved before), nothing lost"
	later    = past + ", halted with an alarm at the next start"
	hung     = past + ", did not become ready at the next start"
	stuck    = "not ready in 20 s and no alarm"
	silent   = "acknowledged events lost without an alarm"
)

func (s *server) flip(p int, share float64, acked map[int]time.Time, applied bool) string {
	s.t.Helper()
	s.damage(p, share)
	s.start()
	halted := false
	waiting := poll(s.t.Context(), 20*time.Second, func() error {
		if halted = s.halted(p); halted {
			return nil
		}
		_, err := get("http://" + s.admin + "/readyz")
		return err
	})
	var rows error
	if waiting == nil && !halted {
		// A difference may show only when the next events are applied.
		_ = poll(s.t.Context(), 2*time.Second, func() error {
			if halted = s.halted(p); !halted {
				return errNotYet
			}
			return nil
		})
		rows = errNotYet
	}
	if rows != nil && applied && !halted {
		rows = poll(s.t.Context(), 20*time.Second, func() error { return s.missingRows(acked) })
	}
	s.kill()
	again := ""
	if applied && waiting == nil && !halted {
		again = s.again(p)
	}
	lost := missing("log", acked, inLog(s.t, s.data))
	s.t.Logf("lost: %v; waiting: %v; rows: %v", lost, waiting, rows)
	switch {
	case halted:
		return alarmed
	case waiting != nil:
		return stuck
	case lost == nil:
		return harmless
	case applied && rows == nil:
		return again
	}
	s.tell("nats-server")
	return silent
}

// again starts the server once more, where the damage met only what was applied
// and saved before.
func (s *server) again(p int) string {
	s.t.Helper()
	s.start()
	outcome := past
	if poll(s.t.Context(), 10*time.Second, func() error {
		if !s.halted(p) {
			return errNotYet
		}
		return nil
	}) == nil {
		outcome = later
	} else if _, err := get("http://" + s.admin + "/readyz"); err != nil {
		outcome = hung
		s.t.Log(err)
	}
	s.kill()
	return outcome
}

// damage flips one bit of a partition's last block file.
func (s *server) damage(p int, share float64) {
	s.t.Helper()
	blocks, err := filepath.Glob(filepath.Join(streamDir(s.t, s.data, p), "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		s.t.Fatalf("no block files: %v", err)
	}
	last := slices.MaxFunc(blocks, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	text, err := os.ReadFile(last)
	if err != nil || len(text) == 0 {
		s.t.Fatalf("%s: %d bytes, error %v", filepath.Base(last), len(text), err)
	}
	text[int(share*float64(len(text)-1))] ^= 1 << 3
	if err := os.WriteFile(last, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

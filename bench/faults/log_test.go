package faults_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/servertest"
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
		if e, err := event.Decode(r.Data); err == nil {
			fmt.Println(e.ID)
		}
	}
}

// An older copy of one partition's stream is put in place.
func TestRolledBackLog(t *testing.T) {
	l := begin(t, "log rolled back",
		"without the check of positions 1,800 of 6,320 acknowledged events were missing")
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
		_, why = s.look("/readyz?verbose")
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
	l := begin(t, "bit flipped, after a stop",
		"without the look before the start nothing said that the disk is damaged, and 420 rows were missing")
	s := newServer(t, t.TempDir())
	s.run(4000)
	s.stop()
	s.flips(l, true)
}

// The same after a kill, with nothing but the log: no snapshot was taken.
func TestFlippedBitAfterKill(t *testing.T) {
	l := begin(t, "bit flipped, after a kill",
		"without the look before the start the partition halted again after `nudge recover`")
	s := newServer(t, t.TempDir(), "NUDGE_SNAPSHOT_EVERY=1h")
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 4000)
	s.kill()
	stop(0)
	s.flips(l, false)
}

// The same where nothing had read the log: no snapshot, no row, no effect.
func TestFlippedBitThatNobodyRead(t *testing.T) {
	l := begin(t, "bit flipped, after a kill, read by nobody",
		"before there was a look before the start 8 of 8 lost events without an alarm")
	s := newServer(t, t.TempDir(), "NUDGE_SNAPSHOT_EVERY=1h", "NUDGE_CLICKHOUSE_URL=http://127.0.0.1:1")
	s.quiet = true
	s.start()
	stop := s.load()
	s.acknowledged(time.Minute, 4000)
	s.kill()
	stop(0)
	s.env = append(s.env, "NUDGE_CLICKHOUSE_URL=") // there is one from now on
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
	lost := 0
	for i, share := range shares {
		s.data = copyOf(s, whole, fmt.Sprintf("flip%d", i))
		outcome, n := s.flip(i%partitions, share, acked)
		s.t.Logf("partition %d, at %g of the last block: %s, %d events lost", i%partitions, share, outcome, n)
		outcomes[outcome]++
		lost += n
		_ = os.RemoveAll(s.data)
	}
	s.data = whole
	var seen []string
	for _, outcome := range []string{alarmed, harmless} {
		if n := outcomes[outcome]; n > 0 {
			seen = append(seen, fmt.Sprintf("%d: %s", n, outcome))
		}
	}
	what := "were lost, each in a damaged frame that nobody had read and that was named"
	if applied {
		what = "have no row, each in a damaged frame that was applied, not written yet, and named"
	}
	l.set(fmt.Sprintf("%d times, each in a fresh copy", len(shares)),
		fmt.Sprintf("%s; of %d events acknowledged %d %s", strings.Join(seen, "; "), len(acked)*len(shares), lost, what))
}

func copyOf(s *server, data, name string) string {
	s.t.Helper()
	to := filepath.Join(s.dir, name)
	copyDir(s.t, data, to)
	return to
}

// What may come of a flipped bit: anything else fails.
const (
	alarmed  = "halted with an alarm, `nudge recover` brought the partition back"
	harmless = "named in the server's log, went on: it was applied and saved before"
)

// flip damages one place, and says how many acknowledged events it cost.
func (s *server) flip(p int, share float64, acked map[int]time.Time) (outcome string, lost int) {
	s.t.Helper()
	s.damage(p, share)
	s.start()
	outcome = harmless
	if s.alarms(p) {
		outcome = alarmed
		s.stop()
		s.bringBack()
		s.start()
		if s.alarms(p) {
			s.t.Fatalf("partition %d halts again after `nudge recover`", p)
		}
	}
	if !strings.Contains(s.log.String(), "the disk damaged the log") {
		s.t.Error("nothing in the server's log says that the disk is damaged")
	}
	// What is in the log comes out, and what does not come out is not in the log.
	whole := maps.Clone(acked)
	s.stop()
	if outcome == alarmed {
		s.verify()
	}
	there := inLog(s.t, s.data)
	s.start()
	gone := maps.Clone(acked)
	maps.DeleteFunc(whole, func(n int, _ time.Time) bool { return !there[fmt.Sprintf("m%d", n)] })
	maps.DeleteFunc(gone, func(n int, _ time.Time) bool { return there[fmt.Sprintf("m%d", n)] })
	s.eventually(time.Minute, "the rows of what is in the log", func() error { return s.missingRows(whole) })
	// What is not in the log may have become rows before it was damaged.
	text, err := s.query("SELECT message_id FROM nudge.events")
	if err != nil {
		s.t.Error(err)
	}
	for id := range strings.Lines(text) {
		if n, err := strconv.Atoi(strings.TrimSpace(id)[1:]); err == nil {
			delete(gone, n)
		}
	}
	told := outcome == alarmed || strings.Contains(s.log.String(), "messages left the log before they were written")
	if lost = len(gone); lost > maxFrame || lost > 0 && !told {
		s.t.Errorf("%d acknowledged events were lost; outcome: %s", lost, outcome)
	}
	s.stop()
	return outcome, lost
}

// maxFrame is more events than a frame has under this load.
const maxFrame = 400

// alarms waits until a partition halts, or the server is ready and stays so.
func (s *server) alarms(p int) bool {
	s.t.Helper()
	s.eventually(30*time.Second, "ready or halted", func() error {
		if s.halted(p) {
			return nil
		}
		_, err := s.look("/readyz")
		return err
	})
	return servertest.Poll(s.t.Context(), 2*time.Second, func() error {
		if !s.halted(p) {
			return errNotYet
		}
		return nil
	}) == nil
}

// bringBack has `nudge recover` mend the stopped server's log.
func (s *server) bringBack() {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(binaries, "nudge"), "recover", "--data", s.data, "--yes").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "mended: ") {
		s.t.Errorf("recover: error %v\n%s", err, out)
	}
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

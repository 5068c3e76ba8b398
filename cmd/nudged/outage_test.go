package main_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// ClickHouse is away for a minute under load (NUDGE_TEST_OUTAGE sets another
// time): every request is taken as before, and the rows are complete after.
func TestClickHouseOutage(t *testing.T) {
	// shows: 163
	outage := time.Minute
	if text := os.Getenv("NUDGE_TEST_OUTAGE"); text != "" {
		var err error
		if outage, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	hook := newReceiver(t)
	s := newServer(t, crashDefinitions(hook.URL))
	warehouse := &outside{t: t, listen: s.clickhouse, data: filepath.Join(t.TempDir(), "clickhouse")}
	t.Cleanup(warehouse.kill)
	s.env = append(s.env, "NUDGE_CLICKHOUSE_URL=http://default:"+ownerPassword+"@"+s.clickhouse)
	warehouse.start()
	s.start()
	s.ready()

	sent := 0
	load := func(limit time.Duration) []time.Duration {
		var took []time.Duration
		client := &http.Client{Timeout: 30 * time.Second}
		for end := time.Now().Add(limit); time.Now().Before(end); {
			began := time.Now()
			status, err := s.post(client, crashCalls(sent))
			if err != nil || status != http.StatusOK {
				t.Fatalf("a request failed: status %d, error %v", status, err)
			}
			took = append(took, time.Since(began))
			sent += crashBatch
		}
		return took
	}
	before := load(5 * time.Second)
	s.wantRows(time.Minute, sent, "SELECT count() FROM nudge.events")
	warehouse.kill()
	during := load(outage)
	if text, err := get("http://" + s.admin + "/readyz"); err != nil || !strings.Contains(text, "warning: ClickHouse takes no rows") {
		t.Errorf("meanwhile /readyz says %q, error %v; want it ready, with a warning", text, err)
	}
	warehouse.start()
	s.wantRows(2*time.Minute, sent, "SELECT count() FROM nudge.events")
	s.wantRows(time.Second, sent, "SELECT uniqExact(message_id) FROM nudge.events")
	s.wantRows(2*time.Minute, sent/crashTarget, "SELECT count() FROM nudge.deliveries WHERE status = 'sent'")
	t.Logf("%d events; requests with ClickHouse there: median %v, p99 %v; away for %v: median %v, p99 %v", sent,
		quantile(before, 0.5), quantile(before, 0.99), outage, quantile(during, 0.5), quantile(during, 0.99))
}

func quantile(all []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1))].Round(10 * time.Microsecond)
}

// outside is a ClickHouse that nudged does not own.
type outside struct {
	t            *testing.T
	listen, data string
	process      *exec.Cmd
}

func (o *outside) start() {
	o.t.Helper()
	o.process = exec.Command(filepath.Join(binaries, "clickhoused"), "serve", "--data", o.data, "--listen", o.listen)
	o.process.Env = append(os.Environ(), "CLICKHOUSED_PASSWORD="+ownerPassword, "CLICKHOUSED_READER_PASSWORD="+readerPassword)
	if err := o.process.Start(); err != nil {
		o.t.Fatal(err)
	}
	if err := servertest.Poll(o.t.Context(), time.Minute, func() error {
		_, err := get("http://" + o.listen + "/ping")
		return err
	}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outside) kill() {
	if o.process != nil {
		_ = o.process.Process.Kill()
		_ = o.process.Wait()
		o.process = nil
	}
}

// The engine as a child: when it dies it is started again, and nothing is lost.
func TestEngineDies(t *testing.T) {
	s := newServer(t, crashDefinitions("http://127.0.0.1:1/"))
	s.start()
	s.ready()
	client := &http.Client{Timeout: 30 * time.Second}
	for n := range 20 {
		if n == 10 {
			s.wantRows(time.Minute, 10*crashBatch, "SELECT count() FROM nudge.events")
			out, err := exec.Command("pkill", "-9", "-f", "clickhoused serve --data "+s.data).CombinedOutput()
			if err != nil {
				t.Fatalf("pkill: %v %s", err, out)
			}
		}
		if err := sendUntilAcked(t, s, client, crashCalls(n*crashBatch)); err != nil {
			t.Fatal(err)
		}
	}
	s.wantRows(time.Minute, 20*crashBatch, "SELECT count() FROM nudge.events")
	if !strings.Contains(s.log.String(), "clickhoused ended") {
		t.Error("the engine was not restarted: the test killed nothing")
	}
	if text, err := s.query(fmt.Sprintf("SELECT count() = uniqExact(message_id) AND count() = %d FROM nudge.events",
		20*crashBatch)); err != nil || text != "1" {
		t.Errorf("unexpected answer %q, error %v; want 1", text, err)
	}
}

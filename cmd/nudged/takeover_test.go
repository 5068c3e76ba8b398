package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
	"github.com/nudge-engine/nudge/stream/streamtest"
)

// Two servers on one log: the second waits for the lease; when the first is
// killed it takes over, goes on where the log is, and nothing is lost or doubled.
func TestSecondServerTakesOver(t *testing.T) {
	hook := newReceiver(t)
	url := streamtest.StartServer(t, t.TempDir())
	warehouse := &outside{t: t, listen: servertest.FreePort(t), data: t.TempDir() + "/clickhouse"}
	t.Cleanup(warehouse.kill)
	warehouse.start()
	env := []string{"NUDGE_NATS_URL=" + url, "NUDGE_CLICKHOUSE_URL=http://default:" + ownerPassword + "@" + warehouse.listen}
	first := newServer(t, crashDefinitions(hook.URL), env...)
	second := newServer(t, crashDefinitions(hook.URL), env...)
	first.clickhouse, second.clickhouse = warehouse.listen, warehouse.listen
	first.start()
	first.ready()
	client := &http.Client{Timeout: 30 * time.Second}
	const batches = 50
	for n := range batches {
		if err := sendUntilAcked(t, first, client, crashCalls(n*crashBatch)); err != nil {
			t.Fatal(err)
		}
	}
	second.start()
	second.eventually(time.Minute, "the second waits", func() error {
		if !strings.Contains(second.log.String(), "waiting for the lease") {
			return errNotYet
		}
		return nil
	})
	if _, err := get("http://" + second.http + "/readyz"); err == nil {
		t.Fatal("the second is ready while the first runs")
	}
	first.kill()
	second.ready()
	for n := batches; n < 2*batches; n++ {
		if err := sendUntilAcked(t, second, client, crashCalls(n*crashBatch)); err != nil {
			t.Fatal(err)
		}
	}
	total := 2 * batches * crashBatch
	second.wantRows(time.Minute, total, "SELECT uniqExact(message_id) FROM nudge.events")
	second.wantRows(time.Second, total, "SELECT count() FROM nudge.events")
	second.wantRows(time.Minute, total/crashTarget, "SELECT count() FROM nudge.deliveries WHERE status = 'sent'")
	second.wantRows(time.Second, total/crashTarget, "SELECT count() FROM nudge.deliveries WHERE status = 'handed_off'")
	second.stop()
	checkSends(t, hook, total/crashTarget)
}

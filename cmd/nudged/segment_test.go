package main_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

// Segment's own client for Go, pointed at the server, delivers 10,000 events
// unchanged.
func TestSegmentClient(t *testing.T) {
	const events = 10_000
	s := newServer(t, crashDefinitions("http://127.0.0.1:1/"))
	s.start()
	s.ready()
	failed := make(chan error, events)
	client, err := analytics.NewWithConfig(writeKey, analytics.Config{
		Endpoint: "http://" + s.http, BatchSize: 100,
		Interval: 50 * time.Millisecond, Callback: callback{failed}, Logger: quiet{},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	at := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	for n := range events {
		id := fmt.Sprintf("m%d", n)
		track := analytics.Track{
			MessageId: id,
			UserId:    fmt.Sprintf("u%d", n%100),
			Event:     "Order Completed",
			Timestamp: at,
			Properties: analytics.NewProperties().SetTotal(
				float64(n)/4,
			).SetCurrency(
				"EUR",
			).Set(
				"note",
				"Київ \"q\" \n <&>",
			),
		}
		text, err := json.Marshal(track.Properties)
		if err != nil {
			t.Fatal(err)
		}
		want[id] = string(text)
		if err := client.Enqueue(track); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	close(failed)
	for err := range failed {
		t.Fatalf("the client gave an event up: %v", err)
	}
	s.wantRows(time.Minute, events, "SELECT count() FROM nudge.events")
	text, err := s.query("SELECT message_id, customer, event, toUnixTimestamp64Milli(event_time) AS ms, properties " +
		"FROM nudge.events FORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 0")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		checkSegmentRow(t, line, want, at.UnixMilli())
	}
	if len(want) != 0 {
		t.Errorf("%d events are missing", len(want))
	}
}

func checkSegmentRow(t *testing.T, line string, want map[string]string, at int64) {
	t.Helper()
	var row struct {
		MessageID  string `json:"message_id"`
		Customer   string `json:"customer"`
		Event      string `json:"event"`
		MS         int64  `json:"ms"`
		Properties string `json:"properties"`
	}
	if err := json.Unmarshal([]byte(line), &row); err != nil {
		t.Fatal(err)
	}
	sent, known := want[row.MessageID]
	delete(want, row.MessageID)
	var a, b map[string]any
	if err := json.Unmarshal([]byte(row.Properties), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(sent), &b); known && err != nil {
		t.Fatal(err)
	}
	// The client stamps sentAt, so the time is corrected by what passed on the way.
	if drift := row.MS - at; !known || fmt.Sprint(a) != fmt.Sprint(b) || row.Event != "Order Completed" ||
		!strings.HasPrefix(row.Customer, "u") || drift < -5000 || drift > 5000 {
		t.Errorf("unexpected row %+v; sent %s at %d", row, sent, at)
	}
}

type callback struct{ failed chan error }

func (callback) Success(analytics.Message)                {}
func (c callback) Failure(_ analytics.Message, err error) { c.failed <- err }

type quiet struct{}

func (quiet) Logf(string, ...any)   {}
func (quiet) Errorf(string, ...any) {}

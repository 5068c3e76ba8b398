package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/stream"
)

const serverNow = 1_772_359_200_000 // 2026-03-01T10:00:00Z

// world is a server in front of a log in memory.
type world struct {
	url     string
	address string
	streams []stream.Stream
	refusal error // what Admit says
}

func newWorld(t *testing.T, change func(*ingest.Config)) *world {
	t.Helper()
	log := stream.NewMemory(time.Now)
	w := &world{}
	for p := range 2 {
		s, err := log.Open(t.Context(), stream.EventStream(p), stream.Options{MaxBytes: 64 << 20})
		if err != nil {
			t.Fatal(err)
		}
		w.streams = append(w.streams, s)
	}
	clock := func() (int64, error) { return serverNow, nil }
	c := ingest.Config{
		Keys:      map[string]string{"key": "default"},
		Publisher: stream.NewPublisher(w.streams, clock, slog.New(slog.DiscardHandler)), Clock: clock,
		Admit: func(int) error { return w.refusal }, Ready: func() error { return nil },
		Customer: func(_ context.Context, _, id string) ([]byte, error) {
			known := map[string][]byte{
				"ann": []byte(`{"id":"ann"}`), "a/ann": []byte(`{"id":"slash"}`), "..": []byte(`{"id":"dots"}`),
			}
			return known[id], nil
		},
		Metrics: metrics.NewSet(), Logger: slog.New(slog.DiscardHandler), ReadTimeout: 2 * time.Second,
	}
	if change != nil {
		change(&c)
	}
	s := ingest.New(c)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Shutdown(context.Background()), <-served); err != nil {
			t.Error(err)
		}
	})
	w.address = l.Addr().String()
	w.url = "http://" + w.address
	return w
}

// stored is every record in the log.
func (w *world) stored(t *testing.T) (events []event.Event, rejects []stream.Reject) {
	t.Helper()
	for _, s := range w.streams {
		info, err := s.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for seq := uint64(1); seq <= info.Last; seq++ {
			m, err := s.Get(t.Context(), seq)
			if err != nil {
				t.Fatal(err)
			}
			f, err := stream.DecodeFrame(m.Data)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range f.Records {
				if r.Kind == stream.KindReject {
					var reject stream.Reject
					if err := json.Unmarshal(r.Data, &reject); err != nil {
						t.Fatal(err)
					}
					rejects = append(rejects, reject)
					continue
				}
				e, err := event.Decode(r.Data)
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, e)
			}
		}
	}
	return events, rejects
}

type answer struct {
	status   int
	header   http.Header
	Code     string `json:"code"`
	Detail   string `json:"detail"`
	Request  string `json:"request_id"`
	Accepted int    `json:"accepted"`
	Errors   []struct {
		Path string `json:"path"`
		Code string `json:"code"`
	} `json:"errors"`
	Rejected []struct {
		Index int    `json:"index"`
		Path  string `json:"path"`
		Code  string `json:"code"`
	} `json:"rejected"`
}

func (w *world) post(t *testing.T, path, body string, header ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("key", "")
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			request.Header.Del(header[i])
		}
	}
	response, err := http.DefaultClient.Do(request)
	// A server that refuses a body by its length closes while the client still writes:
	// the client may see the end of the connection before the answer.
	for again := 0; err != nil && len(body) > ingest.MaxBody && again < 50; again++ {
		request.Body = io.NopCloser(strings.NewReader(body))
		response, err = http.DefaultClient.Do(request)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("the answer is no JSON: %v: %s", err, text)
	}
	return a
}

// Every bad request gets a status, a code and the field that is wrong, and
// leaves nothing in the log.
func TestBadInput(t *testing.T) {
	// shows: 158, 164
	w := newWorld(t, nil)
	long := strings.Repeat("x", 256)
	f := func(path, body string, status int, field, code string, header ...string) {
		t.Helper()
		a := w.post(t, path, body, header...)
		gotField := ""
		if len(a.Errors) > 0 {
			gotField = a.Errors[0].Path
		}
		if a.status != status || a.Code != code || gotField != field || a.Detail == "" || a.Request == "" ||
			a.Request != a.header.Get("X-Request-Id") && status != http.StatusRequestEntityTooLarge ||
			a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf(
				"%s %.80s: unexpected %d %s at %q: %s; want %d %s at %q",
				path,
				body,
				a.status,
				a.Code,
				gotField,
				a.Detail,
				status,
				code,
				field,
			)
		}
	}
	track := func(more string) string { return `{"userId":"u","event":"E"` + more + `}` }

	// What can be understood in two ways.
	f("/v1/track", track(`,"userId":"v"`), 400, "userId", "duplicate_key")
	f("/v1/track", track(`,"user\u0049d":"v"`), 400, "userId", "duplicate_key")
	f("/v1/track", track(`,"properties":{"a":[1,{"b":{},"b":1}]}`), 400, "properties.a[1].b", "duplicate_key")
	f("/v1/track", track(`,"properties":{`+strings.Repeat(`"k`+long[:3]+`":1,`, 2)+`"l":1}`), 400, "properties.kxxx", "duplicate_key")
	f("/v1/track", track(`,"properties":{"n":1e999}`), 400, "properties.n", "bad_format")
	f("/v1/track", track(`,"properties":{"n":`+strings.Repeat("9", 400)+`}`), 400, "properties.n", "bad_format")
	f("/v1/batch", `{"batch":[],"batch":[]}`, 400, "batch", "duplicate_key")
	f("/v1/batch", `{"batch":[],"context":{"a":1,"a":2}}`, 400, "context.a", "duplicate_key")
	var many strings.Builder
	for n := range 40 {
		fmt.Fprintf(&many, `"k%d":%d,`, n*7%40, n)
	}
	f("/v1/track", track(`,"properties":{`+many.String()+`"k9":1}`), 400, "properties.k9", "duplicate_key")

	// The text.
	f("/v1/track", ``, 400, "body", "empty_body")
	f("/v1/track", `{`, 400, "body", "invalid_json")
	f("/v1/track", `{"userId":"u","event":"E"}}`, 400, "body", "invalid_json")
	f("/v1/track", `{'userId':'u'}`, 400, "body", "invalid_json")
	f("/v1/track", `{"userId":"u","event":"E","properties":{"n":01}}`, 400, "body", "invalid_json")
	f("/v1/track", `{"userId":"u","event":"E","properties":{"n":NaN}}`, 400, "body", "invalid_json")
	f("/v1/track", "{\"userId\":\"\xff\",\"event\":\"E\"}", 400, "body", "invalid_utf8")
	f("/v1/track", `[]`, 400, "body", "not_an_object")
	f("/v1/track", `"x"`, 400, "body", "not_an_object")
	f("/v1/track", `null`, 400, "body", "not_an_object")
	f(
		"/v1/track",
		track(`,"properties":`+strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40)),
		400,
		"body",
		"too_deep",
	)
	f(
		"/v1/track",
		track(`,"properties":{"a":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+"}"),
		400,
		"body",
		"too_deep",
	)
	f("/v1/track", track(`,"properties":{"a":"`+strings.Repeat("x", 600<<10)+`"}`), 413, "body", "too_large")
	f("/v1/track", track(`,"properties":{"a":"`+strings.Repeat("x", 33<<10)+`"}`), 413, "item", "too_large")

	// Who.
	f("/v1/track", `{"event":"E"}`, 400, "userId", "missing")
	f("/v1/track", `{"userId":"","anonymousId":"","event":"E"}`, 400, "userId", "missing")
	f("/v1/track", `{"userId":1.5,"event":"E"}`, 400, "userId", "wrong_type")
	f("/v1/track", `{"userId":1e300,"event":"E"}`, 400, "userId", "wrong_type")
	f("/v1/track", `{"userId":`+strings.Repeat("9", 256)+`,"event":"E"}`, 400, "userId", "too_long")
	f("/v1/track", `{"userId":["u"],"event":"E"}`, 400, "userId", "wrong_type")
	f("/v1/track", `{"anonymousId":true,"event":"E"}`, 400, "anonymousId", "wrong_type")
	f("/v1/track", `{"userId":"`+long+`","event":"E"}`, 400, "userId", "too_long")
	f("/v1/track", `{"userId":"a\u0000b","event":"E"}`, 400, "userId", "bad_format")
	f("/v1/track", `{"userId":"anon:x","event":"E"}`, 400, "userId", "reserved")

	// What.
	f("/v1/track", `{"userId":"u"}`, 400, "event", "missing")
	f("/v1/track", `{"userId":"u","event":5}`, 400, "event", "wrong_type")
	f("/v1/track", `{"userId":"u","event":"`+long+`"}`, 400, "event", "too_long")
	f("/v1/track", `{"userId":"u","event":"$identify"}`, 400, "event", "reserved")
	f("/v1/group", `{"userId":"u"}`, 400, "groupId", "missing")
	f("/v1/track", track(`,"messageId":[7]`), 400, "messageId", "wrong_type")
	f("/v1/track", track(`,"messageId":"`+long+`"`), 400, "messageId", "too_long")
	f("/v1/track", track(`,"properties":[]`), 400, "properties", "wrong_type")
	f("/v1/track", track(`,"properties":"x"`), 400, "properties", "wrong_type")
	f("/v1/identify", `{"userId":"u","traits":7}`, 400, "traits", "wrong_type")
	f("/v1/track", track(`,"context":[1]`), 400, "context", "wrong_type")
	f("/v1/track", track(`,"historical":"yes"`), 400, "historical", "wrong_type")

	// When.
	f("/v1/track", track(`,"timestamp":"yesterday"`), 400, "timestamp", "bad_format")
	f("/v1/track", track(`,"timestamp":"2026-13-01T00:00:00Z"`), 400, "timestamp", "bad_format")
	f("/v1/track", track(`,"timestamp":"0001-01-01T00:00:00Z"`), 400, "timestamp", "bad_format")
	f("/v1/track", track(`,"timestamp":true`), 400, "timestamp", "wrong_type")
	f("/v1/track", track(`,"timestamp":-1`), 400, "timestamp", "bad_format")
	f("/v1/track", track(`,"timestamp":1e30`), 400, "timestamp", "bad_format")
	f("/v1/track", track(`,"timestamp":"2026-03-01T10:00:00"`), 400, "timestamp", "bad_format")
	f("/v1/track", track(`,"timestamp":"2016-02-01T00:00:00Z"`), 400, "timestamp", "too_old")
	f("/v1/track", track(`,"originalTimestamp":0`), 400, "originalTimestamp", "too_old")
	f("/v1/track", track(`,"timestamp":"1970-01-01T00:00:00Z","sentAt":"9998-01-01T00:00:00Z"`), 400, "timestamp", "too_old")
	f("/v1/track", track(`,"timestamp":"1970-01-01T00:00:00Z","sentAt":"9998-01-01T00:00:00Z","historical":true`), 400,
		"timestamp", "too_old")
	f("/v1/track", track(`,"sentAt":"x"`), 400, "sentAt", "bad_format")

	// Batches as a whole.
	f("/v1/batch", `{}`, 400, "batch", "missing")
	f("/v1/batch", `{"batch":{}}`, 400, "batch", "wrong_type")
	f("/v1/batch", `{"batch":[`+strings.Repeat(`0,`, ingest.MaxBatch)+`0]}`, 413, "batch", "too_large")
	f("/v1/batch", `{"batch":[`+strings.Repeat(`0,`, 200_000)+`0]}`, 413, "body", "too_many_values")
	f("/v1/track", `{"userId":"u","event":"E","properties":{"a":[`+strings.Repeat(`{},`, 80_000)+`{}]}}`, 413, "body",
		"too_many_values")
	f("/v1/batch?strict=1", `{"batch":[{"type":"track","userId":"u","event":"E"},{"type":"track","event":"E"}]}`, 422,
		"batch[1].userId", "rejected")

	// Where and how.
	f("/v1/alias", `{"previousId":"v"}`, 400, "userId", "missing")
	f("/v1/alias", `{"userId":"u"}`, 400, "previousId", "missing")
	f("/v1/alias", `{"userId":"anon:u","previousId":"v"}`, 400, "userId", "reserved")
	f("/v1/alias", `{"userId":"u","previousId":true}`, 400, "previousId", "wrong_type")
	f("/v1/alias", `{"userId":"u","anonymousId":"undefined"}`, 400, "anonymousId", "nobody")
	f("/v1/alias", `{"userId":"u","previousId":"u"}`, 422, "previousId", "known_customer")
	f("/v1/nothing", `{}`, 404, "", "not_found")
	f("/v1/track", track(""), 401, "Authorization", "unauthorized", "Authorization", "")
	f("/v1/track", track(""), 401, "Authorization", "unauthorized", "Authorization", "Basic !!!")
	f("/v1/track", track(""), 401, "Authorization", "unauthorized", "Authorization", "Bearer wrong")
	f("/v1/track", track(""), 401, "Authorization", "unauthorized", "Authorization", "Bearer ")
	f("/v1/track", track(""), 415, "Content-Type", "content_type", "Content-Type", "application/xml")
	f("/v1/track", track(""), 415, "Content-Encoding", "content_encoding", "Content-Encoding", "br")
	f("/v1/track", track(""), 400, "Content-Encoding", "bad_format", "Content-Encoding", "gzip")
	f("/v1/track", track(""), 400, "Content-Encoding", "bad_format", "Content-Encoding", "zstd")
	f("/v1/track", track(""), 400, "Content-Encoding", "bad_format", "Content-Encoding", "deflate")

	if events, rejects := w.stored(t); len(events) != 0 || len(rejects) != 0 {
		t.Errorf("the log holds %d events and %d rejects; want nothing", len(events), len(rejects))
	}
}

// A batch with bad items is taken, the bad ones are listed and kept aside.
func TestBatchKeepsTheGoodOnes(t *testing.T) {
	w := newWorld(t, nil)
	a := w.post(t, "/v1/batch", `{"context":{"ip":"1.2.3.4"},"batch":[
		{"type":"track","userId":"u","event":"E","messageId":"m1","properties":{"n":1}},
		{"type":"track","event":"E"},
		7,
		{"type":"dance","userId":"u"},
		{"userId":"u","event":"E"},
		{"type":"identify","anonymousId":"a","messageId":"m2","traits":{"x":null},"context":{"ip":"5.6.7.8"}}]}`)
	if a.status != http.StatusOK || a.Accepted != 2 ||
		fmt.Sprint(a.Rejected) != "[{1 userId missing} {2 item wrong_type} "+
			"{3 type unknown} {4 type missing}]" {
		t.Errorf("unexpected answer %+v", a)
	}
	events, rejects := w.stored(t)
	if len(events) != 2 || len(rejects) != 4 {
		t.Fatalf("the log holds %d events and %d rejects; want 2 and 4", len(events), len(rejects))
	}
	for _, r := range rejects {
		if r.Raw == "" || r.Field == "" || r.Code == "" || r.Message == "" || r.Workspace != "default" {
			t.Errorf("a reject says too little: %+v", r)
		}
	}
	for _, e := range events {
		if e.ID == "m1" && string(e.Context) != `{"ip":"1.2.3.4"}` ||
			e.ID == "m2" && string(e.Context) != `{"ip":"5.6.7.8"}` {
			t.Errorf("unexpected context %s of %s", e.Context, e.ID)
		}
	}
}

func TestEventFields(t *testing.T) {
	// shows: 11, 15
	w := newWorld(t, nil)
	f := func(path, body string, want event.Event, header ...string) {
		t.Helper()
		before, _ := w.stored(t)
		if a := w.post(t, path, body, header...); a.status != http.StatusOK || a.Accepted != 1 {
			t.Fatalf("%s: unexpected answer %+v", body, a)
		}
		after, _ := w.stored(t)
		var got event.Event
		for _, e := range after {
			known := false
			for _, old := range before {
				known = known || old.ID == e.ID
			}
			if !known {
				got = e
			}
		}
		if want.ID == "" && len(got.ID) == 36 {
			want.ID = got.ID // a made one
		}
		want.Workspace = "default"
		if !bytes.Equal(got.AppendTo(nil), want.AppendTo(nil)) {
			t.Errorf("%s: unexpected event %+v; want %+v", body, got, want)
		}
	}
	f(
		"/v1/track",
		`{"userId":"u","event":"E"}`,
		event.Event{Customer: "u", Type: event.Track, Name: "E", Time: serverNow},
	)
	f(
		"/v1/track",
		`{"userId":"u","event":"E","messageId":"m1","timestamp":"2026-03-01T09:00:00.5Z","properties":{"a":1e2}}`,
		event.Event{
			Customer: "u", ID: "m1", Type: event.Track, Name: "E", Time: serverNow - 3_599_500,
			Properties: []byte(`{"a":1e2}`),
		},
	)
	// The client's clock is two hours ahead: sentAt says so.
	f(
		"/v1/track",
		`{"userId":"u","event":"E","messageId":"m2","timestamp":"2026-03-01T11:00:00Z",`+
			`"sentAt":"2026-03-01T12:00:00Z"}`,
		event.Event{Customer: "u", ID: "m2", Type: event.Track, Name: "E", Time: serverNow - 3_600_000},
	)
	// A time in the future is set to now.
	f("/v1/track", `{"userId":"u","event":"E","messageId":"m3","timestamp":"2027-01-01T00:00:00Z"}`,
		event.Event{Customer: "u", ID: "m3", Type: event.Track, Name: "E", Time: serverNow})
	f(
		"/v1/track",
		`{"anonymousId":"x","event":"E","historical":true}`,
		event.Event{
			Customer:   "anon:x",
			ID:         "idem-1",
			Type:       event.Track,
			Name:       "E",
			Time:       serverNow,
			Historical: true,
		},
		"Idempotency-Key",
		"idem-1",
	)
	f("/v1/identify", `{"userId":"u","anonymousId":"null","messageId":"m4","traits":{"name":"Ann"}}`,
		event.Event{
			Customer: "u", ID: "m4", Type: event.Identify, Name: "$identify", Time: serverNow,
			Traits: []byte(`{"name":"Ann"}`),
		})
	f("/v1/page", `{"userId":"u","messageId":"m5","name":"Home"}`,
		event.Event{
			Customer: "u", ID: "m5", Type: event.Page, Name: "$page", Time: serverNow,
			Properties: []byte(`{"name":"Home"}`),
		})
	f("/v1/group", `{"userId":"u","messageId":"m6","groupId":"g1"}`,
		event.Event{
			Customer: "u", ID: "m6", Type: event.Group, Name: "$group", Time: serverNow,
			Properties: []byte(`{"groupId":"g1"}`),
		})
	f("/v1/track", `{"userId":"u","event":"E","messageId":"m7","properties":null}`,
		event.Event{Customer: "u", ID: "m7", Type: event.Track, Name: "E", Time: serverNow},
		"Authorization", "Bearer key", "Content-Type", "text/plain")
}

func TestUnavailable(t *testing.T) {
	// shows: 163
	w := newWorld(t, nil)
	w.refusal = fmt.Errorf("%w: a test", stream.ErrFull)
	a := w.post(t, "/v1/track", `{"userId":"u","event":"E"}`)
	if a.status != http.StatusServiceUnavailable || a.Code != "log_full" || a.header.Get("Retry-After") == "" {
		t.Errorf("unexpected answer %+v", a)
	}
	if events, _ := w.stored(t); len(events) != 0 {
		t.Errorf("%d events were stored all the same", len(events))
	}
}

func TestRateLimit(t *testing.T) {
	// shows: 160
	w := newWorld(t, func(c *ingest.Config) { c.RatePerKey = 1 })
	batch := `{"batch":[` + strings.Repeat(`{"type":"track","userId":"u","event":"E"},`, 2499) +
		`{"type":"track","userId":"u","event":"E"}]}`
	if a := w.post(t, "/v1/batch", batch); a.status != http.StatusOK {
		t.Fatalf("unexpected answer %+v", a)
	}
	if a := w.post(t, "/v1/batch", batch); a.status != http.StatusTooManyRequests || a.Code != "rate_limited" ||
		a.header.Get("Retry-After") == "" {
		t.Errorf("unexpected answer %+v", a)
	}
}

// What is not HTTP as it should be is refused, and the connection is closed.
func TestSmuggling(t *testing.T) {
	// shows: 158
	w := newHookWorld(t)
	f := func(request string, status string) {
		t.Helper()
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(all), "HTTP/1.1 "); n != 1 || !strings.HasPrefix(string(all), "HTTP/1.1 "+status) {
			t.Errorf("%q: unexpected answer %q; want one %s", request, all, status)
		}
	}
	auth := "Host: x\r\nAuthorization: Bearer key\r\nContent-Type: application/json\r\n"
	f(
		"POST /v1/track HTTP/1.1\r\n"+auth+"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+
			"GET / HTTP/1.1\r\n\r\n",
		"400",
	)
	f("POST /v1/track HTTP/1.1\r\n"+auth+"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", "400")
	f("POST /v1/track HTTP/1.1\r\n"+auth+"Content-Length: 600000\r\n\r\n", "413")
	f("POST /v1/track HTTP/1.1\r\n"+auth+"Content-Length: 100\r\n\r\n{", "408") // the rest never comes
	f("GARBAGE\r\n\r\n", "400")
	f("POST /v1/track HTTP/1.1\r\n"+strings.ReplaceAll(auth, "\r\n", "\n")+"Content-Length: 2\r\n\r\n{}", "400")
	f("POST /v1/track HTTP/1.1\r\n"+auth+"X-A: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", "400")
	f("POST /v1/hooks/%zz HTTP/1.1\r\n"+strings.Replace(auth, "key", "system-key", 1)+
		"Content-Length: 2\r\nConnection: close\r\n\r\n{}", "400")
	f("GET /healthz HTTP/1.1\r\n"+auth+"X-A: a\nX-B: b\r\n\r\n", "400")
}

func TestOtherRoutes(t *testing.T) {
	// shows: 164
	w := newWorld(t, func(c *ingest.Config) {
		c.Sources = []ingest.Source{{Name: "support", Key: "reading-key", Workspace: "default", Scope: ingest.ScopeRead}}
	})
	f := func(path, key string, status int, want string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(key, "")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != status || !strings.Contains(string(text), want) ||
			response.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: unexpected %d %s; want %d with %q", path, response.StatusCode, text, status, want)
		}
	}
	f("/healthz", "", 200, "ok")
	f("/readyz", "", 200, "ready")
	f("/metrics", "", 404, "not_found")
	f("/v1/customers/ann", "key", 403, "scope: read")
	f("/v1/customers/ann", "reading-key", 200, `"ann"`)
	f("/v1/customers/nobody", "reading-key", 404, "no_such_customer")
	f("/v1/customers/a%2F..%2Fann", "reading-key", 404, "no_such_customer")
	f("/v1/customers/a%2Fann", "reading-key", 200, "slash")
	f("/v1/customers/%2e%2e", "reading-key", 200, "dots")
	f("/v1/customers/%2561nn", "reading-key", 404, "no_such_customer") // decoded once
	f("/v1/customers/%ff", "reading-key", 400, "UTF-8")
	f("/v1/customers/", "reading-key", 400, "no id")
	f("/v1/hooks/lead", "key", 405, "use POST")
	f("/v1/customers/ann", "wrong", 401, "unauthorized")
	f("/v1/track", "key", 405, "use POST")
}

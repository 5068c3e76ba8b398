package ingest_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/nudge-engine/nudge/ingest"
)

const track = `{"userId":"u","event":"E"}`

// compressed is a body in each encoding that clients use.
func compressed(t *testing.T, name, body string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch name {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := z.Flush(); err != nil { // a frame of unknown length, with a large window
			t.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompressedBodies(t *testing.T) {
	w := newWorld(t, nil)
	events := strings.Repeat(`{"type":"track","userId":"u","event":"E"},`, 1_000)
	batch := `{"batch":[` + strings.TrimSuffix(events, ",") + `]}`
	for _, name := range []string{"gzip", "deflate", "zstd"} {
		a := w.post(t, "/v1/batch", compressed(t, name, batch), "Content-Encoding", name,
			"Content-Type", "application/x-www-form-urlencoded") // as RudderStack's client for Node
		if a.status != http.StatusOK || a.Accepted != 1_000 {
			t.Errorf("%s: unexpected answer %+v", name, a)
		}
		for what, bomb := range map[string]string{
			"large":      `{"userId":"u","event":"E","properties":{"a":"` + strings.Repeat("x", 100<<20) + `"}}`,
			"over":       `{"userId":"u","event":"E","properties":{"a":"` + strings.Repeat("x", ingest.MaxBody) + `"}}`,
			"suspicious": track + strings.Repeat(" ", 450<<10),
		} {
			if a := w.post(t, "/v1/track", compressed(t, name, bomb), "Content-Encoding", name); a.status != 413 ||
				a.Code != "too_large" {
				t.Errorf("%s, a %s bomb: unexpected answer %+v", name, what, a.Errors)
			}
		}
		whole := compressed(t, name, track)
		if a := w.post(t, "/v1/track", whole[:len(whole)/2], "Content-Encoding", name); a.status != 400 ||
			a.Errors[0].Path != "Content-Encoding" {
			t.Errorf("%s, cut off: unexpected answer %+v", name, a)
		}
	}
	if stored, _ := w.stored(t); len(stored) != 3_000 {
		t.Errorf("%d events are stored; want 3000", len(stored))
	}
}

// A browser has the key in the body or the query; it may be in one place only that counts.
func TestKeyInBody(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) {
		c.Sources = []ingest.Source{
			{Name: "support", Key: "reading-key", Workspace: "default", Scope: ingest.ScopeRead},
		}
	})
	with := func(key string) string { return `{"writeKey":"` + key + `","userId":"u","event":"E"}` }
	for n, c := range []struct {
		path, body, authorization string
		status                    int
	}{
		{"/v1/track", with("key"), "", 200},
		{"/v1/t", with("key"), "", 200},
		{"/v1/i", with("key"), "", 200},
		{"/v1/p", with("key"), "", 200},
		{"/v1/s", with("key"), "", 200},
		{"/v1/g", strings.Replace(with("key"), "event", "groupId", 1), "", 200},
		{"/v1/a", strings.Replace(with("key"), "event", "previousId", 1), "", 200},
		{"/v1/b", `{"writeKey":"key","batch":[{"type":"track","userId":"u","event":"E","writeKey":"key"}]}`, "", 200},
		{"/beacon/v1/batch?writeKey=key", `{"batch":[{"type":"track","userId":"u","event":"E"}]}`, "", 200},
		{"//v1/track", with("key"), "", 200},
		{"/v1/track", with("wrong"), "", 401},
		{"/v1/track", with("reading-key"), "", 403},
		{"/v1/track", track, "", 401},
		{"/v1/track", `{`, "", 401},
		{"/v1/track", with("key"), "Bearer wrong", 401},       // the head goes before
		{"/v1/track?writeKey=wrong", with("key"), "", 401},    // and the query
		{"/v1/track", track, "Bearer reading-key", 403},       // reads, does not write
		{"/v1/track", with("key"), "Bearer reading-key", 403}, // the head goes before
		{"/v1/track", strings.Replace(with("key"), "{", "{"+strings.Repeat(" ", 65<<10), 1), "", 401},
	} {
		a := w.post(t, c.path, c.body, "Authorization", c.authorization, "Content-Type", "text/plain;charset=UTF-8")
		if a.status != c.status {
			t.Errorf("%d: %s %.60s: unexpected answer %+v; want %d", n, c.path, c.body, a, c.status)
		}
	}
	a := w.post(
		t,
		"/v1/b",
		`{"writeKey":"key","batch":[{"type":"dance","userId":"u","writeKey":"key"}]}`,
		"Authorization",
		"",
	)
	if _, rejects := w.stored(t); len(rejects) != 1 || strings.Contains(rejects[0].Raw, "writeKey") {
		t.Errorf("unexpected rejects %+v after %+v", rejects, a)
	}
}

// options asks what a page of that origin may do.
func (w *world) options(t *testing.T, path, origin string) http.Header {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, w.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", origin)
	request.Header.Set("Access-Control-Request-Method", "POST")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	response.Header.Set("Status", response.Status)
	return response.Header
}

func TestBrowsersMaySend(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.Origins = []string{ingest.AnyOrigin} })
	for _, path := range []string{"/v1/track", "/v1/b", "/v1/batch", "/beacon/v1/batch", "/v1/hooks/lead"} {
		h := w.options(t, path, "https://shop.example")
		if !strings.HasPrefix(h.Get("Status"), "204") || h.Get("Access-Control-Allow-Origin") != "*" ||
			h.Get("Access-Control-Allow-Methods") != "POST" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: unexpected head %v", path, h)
		}
		for _, header := range []string{
			"Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key", "AnonymousId", "X-Retry-Count", ", *",
		} {
			if !strings.Contains(h.Get("Access-Control-Allow-Headers"), header) {
				t.Errorf("%s: %s is not allowed: %v", path, header, h)
			}
		}
	}
	for _, path := range []string{"/v1/customers/ann", "/readyz", "/nothing"} {
		if h := w.options(t, path, "https://shop.example"); strings.HasPrefix(h.Get("Status"), "2") &&
			path != "/readyz" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: unexpected head %v", path, h)
		}
	}
	for _, body := range []string{track, `{`} { // an error can be read, too
		if a := w.post(
			t,
			"/v1/track",
			body,
			"Origin",
			"https://shop.example",
		); a.header.Get(
			"Access-Control-Allow-Origin",
		) != "*" {
			t.Errorf("unexpected answer %+v", a)
		}
	}
}

func TestOnlySomeOrigins(t *testing.T) {
	w := newWorld(
		t,
		func(c *ingest.Config) { c.Origins = []string{"https://shop.example", "https://www.shop.example"} },
	)
	h := w.options(t, "/v1/track", "https://www.shop.example")
	if h.Get("Access-Control-Allow-Origin") != "https://www.shop.example" || h.Get("Vary") != "Origin" {
		t.Errorf("unexpected head %v", h)
	}
	if h := w.options(t, "/v1/track", "https://other.example"); h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("unexpected head %v", h)
	}
	for origin, want := range map[string]int{"https://shop.example": 200, "https://other.example": 403, "null": 403, "": 200} {
		if a := w.post(t, "/v1/track", track, "Origin", origin); a.status != want {
			t.Errorf("%s: unexpected answer %+v; want %d", origin, a, want)
		}
	}
}

// raw sends the head of a request and reads what comes, though no body follows.
func (w *world) raw(t *testing.T, head string) string {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil { // the server waits 2 s for bodies
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "POST "+head+"\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		return "no answer"
	}
	line, _, _ := strings.Cut(string(all), "\r\n")
	return line
}

// What the head says is enough to refuse; the body is not waited for.
func TestRefusedBeforeTheBody(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.RatePerKey = 1 })
	const length = "\r\nContent-Length: 400000"
	const chunked = "\r\nTransfer-Encoding: chunked"
	const auth = "\r\nAuthorization: Bearer key"
	for head, want := range map[string]string{
		"/v1/track HTTP/1.1" + length:                                             "401",
		"/v1/track HTTP/1.1\r\nAuthorization: Bearer wrong" + length:              "401",
		"/v1/track HTTP/1.1\r\nAuthorization: Bearer wrong\r\nContent-Length: 10": "401",
		"/v1/track HTTP/1.1\r\nAuthorization: Bearer wrong" + chunked:             "401",
		"/v1/track?writeKey=wrong HTTP/1.1" + length:                              "401",
		"/v1/hooks/lead HTTP/1.1" + length:                                        "401",
		"/v1/track HTTP/1.1" + auth + "\r\nContent-Length: 600000":                "413",
		"/v1/track HTTP/1.1" + auth + "\r\nContent-Type: text/xml" + length:       "415",
		"/v1/track HTTP/1.1" + auth + "\r\nContent-Encoding: br" + length:         "415",
		"/v1/track HTTP/1.1" + auth + "\r\nExpect: 100-continue" +
			"\r\nContent-Type: text/xml" + length: "415",
	} {
		if got := w.raw(t, head); !strings.HasPrefix(got, "HTTP/1.1 "+want) {
			t.Errorf("%q: unexpected answer %q; want %s", head, got, want)
		}
	}
}

// Bodies that never end take no memory.
func TestSlowBodiesAreBounded(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.ReadTimeout = 20 * time.Second })
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	body := strings.Repeat("x", 60<<10)
	refused := 0
	for _, head := range []string{"", "\r\nAuthorization: Bearer key"} {
		for range 1_500 {
			c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			text := "POST /v1/track HTTP/1.1\r\nHost: x" + head + "\r\nContent-Length: 65000\r\n\r\n" + body
			if _, err := io.WriteString(c, text); err != nil {
				refused++
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int(
		after.HeapInuse-before.HeapInuse,
	) >> 20; grown > 110 { // 3000 buffers of 8 KiB, and 34 MiB of bodies
		t.Errorf("3000 bodies under way took %d MiB, %d were refused", grown, refused)
	}
	if a := w.post(t, "/v1/track", track); a.status != 200 && a.status != 429 {
		t.Errorf("unexpected answer %+v", a)
	}
}

// Refused calls count for the rate of a key as others do, and so do bytes.
func TestRefusedCallsCount(t *testing.T) {
	big := strings.Repeat("x", 400<<10) // counts as 100 events
	for _, body := range []string{
		`{"batch":[` + strings.Repeat(`{"type":"dance"},`, 2_000) + `7]}`,
		`{"batch":"` + big + `"}`,
		`{"userId":"u","event":"E","properties":"` + big + `"}`,
		big,
	} {
		w := newWorld(t, func(c *ingest.Config) { c.RatePerKey = 1 })
		limited := false
		for range 50 {
			a := w.post(t, "/v1/batch", body)
			if limited = a.status == http.StatusTooManyRequests; limited {
				if a.header.Get("Retry-After") == "" {
					t.Errorf("unexpected answer %+v", a)
				}
				break
			}
		}
		if !limited {
			t.Errorf("%.40s: 50 refused requests are within a rate of 1 event a second", body)
		}
	}
}

// What is kept of refused calls is bounded; the answer names all of them.
func TestKeptRejectsAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	for _, pad := range []int{0, 200} {
		item := fmt.Sprintf(`{"type":"dance","userId":"u","pad":%q},`, strings.Repeat("y", pad))
		a := w.post(t, "/v1/batch", `{"batch":[`+strings.Repeat(item, 1_500)+`7]}`)
		if a.status != http.StatusOK || len(a.Rejected) != 1_501 {
			t.Errorf("unexpected answer with %d rejected", len(a.Rejected))
		}
	}
	if _, rejects := w.stored(t); len(rejects) != 1_000 {
		t.Errorf("%d refused calls are kept; want 1000", len(rejects))
	}
}

// A client that tries keys is told so less and less; others are served.
func TestStrangersAreSlowedDown(t *testing.T) {
	w := newWorld(t, nil)
	seen := map[int]int{}
	for range 300 {
		seen[w.post(t, "/v1/track", track, "Authorization", "Bearer wrong").status]++
	}
	if seen[401] == 0 || seen[429] == 0 {
		t.Errorf("unexpected answers %v; want some 401, then 429", seen)
	}
	if a := w.post(t, "/v1/track", track); a.status != http.StatusOK {
		t.Errorf("unexpected answer %+v", a)
	}
}

// The public address does not say what is the matter inside.
func TestReasonsStayInside(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) {
		c.Ready = func() error { return errors.New("partition 3 at /secret/path") }
		c.Clock = func() (int64, error) { return 0, errors.New("broken at /secret/path") }
	})
	a := w.post(t, "/v1/track", track)
	if a.status != 503 || strings.Contains(a.Detail, "secret") || a.Detail == "" {
		t.Errorf("unexpected answer %+v", a)
	}
	response, err := http.Get(w.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusServiceUnavailable || strings.Contains(string(text), "secret") {
		t.Errorf("unexpected answer %d %s, error %v", response.StatusCode, text, err)
	}
}

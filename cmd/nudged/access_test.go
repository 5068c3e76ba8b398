package main_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// Who asks the admin address, and how, decides whether it answers.
func TestAdminAccess(t *testing.T) {
	s := newServer(t, "", "NUDGE_PARTITIONS=1", "NUDGE_ALLOWED_HOSTS=nudge.example.com, admin.example.com:8081")
	s.start()
	s.ready()
	f := func(want int, call string, headers ...string) {
		t.Helper()
		method, path, _ := strings.Cut(call, " ")
		path, body, _ := strings.Cut(path, " ")
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.admin+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			if name == "Host" {
				request.Host = value
			}
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != want {
			t.Errorf("%s %v: %s, %s, error %v; want %d", call, headers, response.Status, text, err, want)
		}
	}
	key, asJSON := "Authorization: Bearer "+adminKey, "Content-Type: application/json"
	for _, path := range []string{
		"/metrics", "/v1/definitions", "/v1/customers/a", "/debug/pprof/", "/v1/log", "/nothing", "/readyz?verbose", "/",
	} {
		f(http.StatusUnauthorized, "GET "+path)
		f(http.StatusUnauthorized, "GET "+path, "Authorization: Bearer "+writeKey)
		f(http.StatusUnauthorized, "GET "+path, "Authorization: "+adminKey)
		f(http.StatusForbidden, "GET "+path, key, "Host: evil.example.com")
		f(http.StatusForbidden, "GET "+path, key, "Origin: https://evil.example.com")
		f(http.StatusForbidden, "GET "+path, key, "Sec-Fetch-Site: same-site")
	}
	for _, path := range []string{"/healthz", "/readyz", "/v1/schema/campaign.json"} {
		f(http.StatusOK, "GET "+path)
	}
	f(http.StatusOK, "GET /readyz", "Host: probe.example.com")
	f(http.StatusForbidden, "GET /v1/schema/campaign.json", "Host: evil.example.com")
	f(http.StatusOK, "GET /metrics", key)
	f(http.StatusOK, "GET /metrics", "Authorization: bearer "+adminKey)
	f(http.StatusOK, "GET /metrics", key, "Host: nudge.example.com:99")
	f(http.StatusOK, "GET /metrics", key, "Host: admin.example.com:8081")
	f(http.StatusForbidden, "GET /metrics", key, "Host: admin.example.com:8082")
	f(http.StatusOK, "GET /readyz?verbose", key)
	apply := `POST /v1/definitions {"files":[]}`
	f(http.StatusUnsupportedMediaType, apply, key)
	f(http.StatusUnsupportedMediaType, apply, key, "Content-Type: text/plain")
	f(http.StatusUnsupportedMediaType, apply, key, "Content-Type: application/x-www-form-urlencoded")
	f(http.StatusUnsupportedMediaType, "DELETE /v1/customers/a x", key, "Content-Type: text/plain")
	f(http.StatusOK, apply, key, asJSON)
	f(http.StatusOK, apply, key, asJSON+"; charset=utf-8")
	f(http.StatusUnauthorized, apply, asJSON)
	f(http.StatusNoContent, "POST /v1/clock/accept", key)
}

// A server whose rows nobody has taken since its start gets no traffic; what it is sent all
// the same is taken. Once the warehouse has answered, an outage is only a warning.
func TestReadyOnlyWithWarehouse(t *testing.T) {
	s := newServer(t, "", "NUDGE_PARTITIONS=1")
	own := s.env
	s.env = append(s.env, "NUDGE_CLICKHOUSE_URL=http://"+servertest.FreePort(t))
	s.start()
	s.eventually(60*time.Second, "up", func() error {
		_, err := s.look("/v1/definitions")
		return err
	})
	s.eventually(10*time.Second, "caught up", func() error {
		if _, err := s.look("/readyz"); err == nil || !strings.Contains(err.Error(), "ClickHouse has not answered") {
			return fmt.Errorf("/readyz says %w", err)
		}
		return nil
	})
	if _, err := get("http://" + s.http + "/readyz"); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("the address for events: /readyz says %v; want 503", err)
	}
	call := []map[string]any{{"type": "track", "userId": "u", "event": "E"}}
	if status, err := s.post(http.DefaultClient, call); err != nil || status != http.StatusOK {
		t.Errorf("an event is answered with %d, error %v", status, err)
	}
	s.stop()
	s.env = own
	s.start()
	s.ready()
	s.wantRows(30*time.Second, 1, "SELECT count() FROM nudge.events")
}

// A log that was written under a clock that was ahead holds timers back: that is said.
func TestClockBehindTheLog(t *testing.T) {
	s := newServer(t, "", "NUDGE_PARTITIONS=1")
	env := s.env
	s.env = append(s.env, "NUDGE_CLOCK_OFFSET=3h")
	s.start()
	s.ready()
	behind := func() float64 {
		t.Helper()
		text, err := s.look("/metrics")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			var seconds float64
			if n, err := fmt.Sscanf(line, "nudge_clock_behind_seconds %g", &seconds); n == 1 && err == nil {
				return seconds
			}
		}
		t.Fatal("there is no nudge_clock_behind_seconds")
		return 0
	}
	if got := behind(); got > 1 {
		t.Errorf("a clock that is right is %g s behind", got)
	}
	s.stop()
	s.env = env
	s.start()
	s.ready()
	if got := behind(); got < 10700 || got > 10800 {
		t.Errorf("the clock is %g s behind; want nearly three hours", got)
	}
	if text, err := s.look("/readyz"); err != nil || !strings.Contains(text, "warning: the clock is ") {
		t.Errorf("/readyz says %q, error %v; want a warning", text, err)
	}
}

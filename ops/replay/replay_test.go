package replay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Calls that cannot be sent are told with the flag to change; a server that is not there is waited
// for, and that is said.
func TestErrorsSayWhatToChange(t *testing.T) {
	calls := []json.RawMessage{json.RawMessage(`{}`)}
	f := func(status int, kind, text string, wants ...string) {
		t.Helper()
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}))
		defer s.Close()
		_, err := (&Player{URL: s.URL, Client: s.Client()}).Send(t.Context(), calls, false)
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d: %v; want %q", status, err, want)
			}
		}
	}
	const problem = `{"detail": "the write key is unknown"}`
	f(http.StatusUnauthorized, "application/problem+json", problem,
		"the write key is unknown\n(401 Unauthorized)", "NUDGE_WRITE_KEY", "--data-dir")
	// The admin address, and ClickHouse.
	f(http.StatusUnauthorized, "application/json", problem, "does not look like the address for events", "--url")
	f(http.StatusNotFound, "text/plain", "There is no handle", "There is no handle", "--url or NUDGE_URL")

	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	ctx, cancel := context.WithCancel(t.Context())
	told := 0
	p := &Player{URL: closed.URL, Client: http.DefaultClient, Waiting: func(error) { told++; cancel() }}
	if _, err := p.Send(ctx, calls, false); told != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("told %d times, error %v", told, err)
	}
}

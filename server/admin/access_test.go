package admin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

// Paths and methods that are not there are answered as JSON, like other errors.
func TestUnmatched(t *testing.T) {
	a, err := New(Config{
		Address: "127.0.0.1:8081", Key: "test-admin-key-0001", Metrics: metrics.NewSet(),
		Redact: func(text string) string { return text },
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(method, path string, status int, allow string) {
		t.Helper()
		r := httptest.NewRequest(method, "http://127.0.0.1:8081"+path, http.NoBody)
		r.Header.Set("Authorization", "Bearer test-admin-key-0001")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		var p struct {
			Status int    `json:"status"`
			Detail string `json:"detail"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != status || p.Status != status || p.Detail == "" ||
			w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Allow") != allow {
			t.Errorf("%s %s: status %d, headers %v, %q, error %v", method, path, w.Code, w.Header(), w.Body, err)
		}
	}
	f(http.MethodGet, "/nothing", http.StatusNotFound, "")
	f(http.MethodPost, "/v1/track", http.StatusNotFound, "")
	f(http.MethodGet, "/", http.StatusNotFound, "")
	f(http.MethodPost, "/v1/experiments", http.StatusMethodNotAllowed, "GET, HEAD")
	// One that is there, before the server is up.
	f(http.MethodGet, "/v1/customers/a%2Fb", http.StatusServiceUnavailable, "")
}

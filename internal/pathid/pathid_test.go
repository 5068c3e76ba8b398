package pathid_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/internal/pathid"
)

// What Escape writes is one segment and comes back as it was.
func TestRoundTrip(t *testing.T) {
	for _, id := range []string{
		"ann", ".", "..", "...", "x/../y", "a b", "anon:v", "%2F", "%252e", "ä", "a?b#c", "a+b", "/", "//", ";", "a\\b",
	} {
		escaped := pathid.Escape(id)
		if strings.ContainsAny(escaped, "/?#") || escaped == "." || escaped == ".." {
			t.Errorf("%q is escaped as %q, which is not one segment", id, escaped)
		}
		if got, err := pathid.Unescape(escaped); err != nil || got != id {
			t.Errorf("%q comes back as %q, error %v", id, got, err)
		}
	}
}

func TestUnescapeRefuses(t *testing.T) {
	for _, segment := range []string{"", "%", "%zz", "a%2", "a/b", "%ff", "a%00b", "%0a", strings.Repeat("x", 261)} {
		if got, err := pathid.Unescape(segment); err == nil {
			t.Errorf("%q is the id %q; want an error", segment, got)
		}
	}
}

// A mux of net/http sees the ids as they were sent.
func TestKeepDots(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/customers/{id}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "["+r.PathValue("id")+"]")
	})
	mux.HandleFunc("GET /v1/customers/{id}/explain", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "explain ["+r.PathValue("id")+"]")
	})
	s := httptest.NewServer(pathid.KeepDots(mux))
	defer s.Close()
	for path, want := range map[string]string{
		"/v1/customers/..":                 "[..]",
		"/v1/customers/.":                  "[.]",
		"/v1/customers/%2e%2E":             "[..]",
		"/v1/customers/../explain":         "explain [..]",
		"/v1/customers/x%2F..%2Fy":         "[x/../y]",
		"/v1/customers/x%252Fy":            "[x%2Fy]",
		"/v1/customers/x%2F..%2Fy/explain": "explain [x/../y]",
	} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		if head, body, _ := strings.Cut(string(all), "\r\n\r\n"); !strings.HasPrefix(head, "HTTP/1.1 200") || body != want {
			t.Errorf("%s: unexpected answer %q %q; want %q", path, head[:min(40, len(head))], body, want)
		}
	}
}

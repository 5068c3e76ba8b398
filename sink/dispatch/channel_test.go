package dispatch

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

// The parser's types are those that can be made; another one prints nothing and is an error.
func TestNewChannel(t *testing.T) {
	for _, kind := range program.ChannelTypes() {
		s := ChannelSpec{URL: "https://hooks.example/x", Out: io.Discard, Egress: new(egress.Policy)}
		if c, err := NewChannel(kind, s); err != nil || c == nil {
			t.Errorf("%s: channel %v, error %v", kind, c, err)
		}
	}
	var printed strings.Builder
	_, err := NewChannel("pigeon", ChannelSpec{Out: &printed})
	if err == nil || !strings.Contains(err.Error(), `"pigeon" is no type of channel; there are `+strings.Join(program.ChannelTypes(), ", ")) ||
		printed.Len() > 0 {
		t.Errorf("unexpected error %v, printed %q", err, printed.String())
	}
	_, err = NewChannel(program.ChannelWebhook, ChannelSpec{URL: "file:///etc/passwd", Egress: new(egress.Policy)})
	if err == nil || !strings.Contains(err.Error(), "write https://") {
		t.Errorf("unexpected error %v", err)
	}
}

// What may not be reached fails for good, with the reason, and is not tried again.
func TestWebhookEgress(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	t.Cleanup(s.Close)
	o := newWebhook(s.URL, new(egress.Policy)).Send(t.Context(), new(Outgoing))
	if o.Verdict != output.Permanent || o.Reason != output.ReasonEgress || !strings.Contains(o.Detail, "is loopback") {
		t.Errorf("unexpected %+v", o)
	}
}

// The status and the first line of an answer are kept: one printable line, without what the
// url keeps secret.
func TestWebhookDetail(t *testing.T) {
	f := func(status int, body, want string) {
		t.Helper()
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			if _, err := io.WriteString(w, body); err != nil {
				t.Error(err)
			}
		}))
		defer s.Close()
		url := strings.Replace(s.URL, "http://", "http://robot:hunter2@", 1) + "/T0123456789ABCDEFGHIJKL?token=s3cr3t-t0ken"
		o := NewWebhook(url).Send(t.Context(), new(Outgoing))
		if o.Detail != want {
			t.Errorf("%d %.40q: %q; want %q", status, body, o.Detail, want)
		}
		if len(o.Detail) > maxDetail || !utf8.ValidString(o.Detail) {
			t.Errorf("%d %.40q: %d bytes", status, body, len(o.Detail))
		}
	}
	f(500, "", "HTTP 500")
	f(503, "\n  try\tlater \r\nsecond line", "HTTP 503: try later")
	f(400, "no such user \x1b[31m\x00\xff", "HTTP 400: no such user [31m")
	f(403, "bad token s3cr3t-t0ken of robot:hunter2 at /T0123456789ABCDEFGHIJKL", "HTTP 403: bad token *** of robot:*** at /***")
	f(302, "", "HTTP 302: redirects are not followed; write the url where it leads")
	f(404, strings.Repeat("ж", 1000), fmt.Sprintf("HTTP 404: %s", strings.Repeat("ж", 95)))
	f(200, "welcome", "HTTP 200")
}

// An error of the connection does not tell the url.
func TestWebhookErrorsTellNoSecrets(t *testing.T) {
	o := NewWebhook("http://127.0.0.1:1/T0123456789ABCDEFGHIJKL?token=s3cr3t-t0ken").Send(t.Context(), new(Outgoing))
	if o.Verdict != output.Temporary || !strings.Contains(o.Detail, "refused") || strings.Contains(o.Detail, "s3cr3t") ||
		strings.Contains(o.Detail, "T0123") {
		t.Errorf("unexpected %+v", o)
	}
}

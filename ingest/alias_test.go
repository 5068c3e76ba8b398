package ingest_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/ingest"
)

// An identify call with both ids and an alias call say who an anonymous customer is: an
// event of that customer.
func TestAlias(t *testing.T) {
	down := false
	w := newWorld(t, func(c *ingest.Config) {
		c.Known = func(_, id string) (bool, error) {
			if down {
				return false, errors.New("a test")
			}
			return id == "bob", nil
		}
	})
	for _, body := range []string{
		`{"userId":"ann","previousId":"x","messageId":"m1","anonymousId":"other"}`,
		`{"userId":"ann","anonymousId":"y","messageId":"m2"}`,
		`{"userId":"ann","previousId":"anon:bob","messageId":"m3"}`,
	} {
		if a := w.post(t, "/v1/alias", body); a.status != http.StatusOK || a.Accepted != 1 {
			t.Errorf("%s: unexpected answer %+v", body, a)
		}
	}
	if a := w.post(t, "/v1/batch", `{"batch":[
		{"type":"identify","userId":"ann","anonymousId":"z","messageId":"m4"},
		{"type":"identify","userId":"ann","anonymousId":"NULL","messageId":"m5"},
		{"type":"track","userId":"ann","anonymousId":"z","event":"E","messageId":"m6"},
		{"type":"alias","userId":"ann","previousId":"bob","messageId":"m7"}]}`); a.status != http.StatusOK ||
		a.Accepted != 4 || len(a.Rejected) != 0 { // who is known is not told
		t.Errorf("unexpected answer %+v", a)
	}
	events, _ := w.stored(t)
	into := map[string]string{}
	plain := map[string]string{}
	for i := range events {
		e := &events[i]
		if e.Type != event.Alias {
			plain[e.ID] = e.Customer
			continue
		}
		if e.Name != "$alias" || e.Time != serverNow {
			t.Errorf("unexpected event %+v", e)
		}
		into[e.ID+" "+e.Customer] = e.Target()
	}
	for _, key := range []string{"m1 anon:x", "m2 anon:y", "m3 anon:bob", "m4 anon:z"} {
		if into[key] != "ann" {
			t.Errorf("%s merged into %q", key, into[key])
		}
	}
	if len(into) != 4 || len(plain) != 3 || plain["m4"] != "ann" || plain["m5"] != "ann" || plain["m6"] != "ann" {
		t.Errorf("unexpected merges %v, events %v", into, plain)
	}

	// A known customer and nobody get one answer, and only the operator sees the difference.
	for _, path := range []string{"/v1/alias", "/v1/alias?strict=1"} {
		known := w.post(t, path, `{"userId":"ann","previousId":"bob","messageId":"m8"}`)
		nobody := w.post(t, path, `{"userId":"ann","previousId":"nobody","messageId":"m9"}`)
		if known.status != nobody.status || known.Accepted != nobody.Accepted || known.Code != nobody.Code {
			t.Errorf("a known customer: %+v; nobody: %+v", known, nobody)
		}
	}
	_, rejects := w.stored(t)
	if len(rejects) != 3 || rejects[0].Code != "known_customer" || rejects[0].Field != "previousId" {
		t.Errorf("unexpected refusals %+v", rejects)
	}
	down = true
	for path, body := range map[string]string{
		"/v1/alias": `{"userId":"ann","previousId":"x"}`,
		"/v1/batch": `{"batch":[{"type":"alias","userId":"ann","previousId":"x"}]}`,
	} {
		if a := w.post(t, path, body); a.status != http.StatusServiceUnavailable || a.Code != "partition_unavailable" {
			t.Errorf("%s while the shard does not answer: %+v", path, a)
		}
	}
}

package ingest_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/ingest"
)

const hookBody = `{"contact":{"id":"u","phones":["+380441234567"]}}`

func withSources(c *ingest.Config) {
	c.Sources = []ingest.Source{
		{Name: "partner", Key: "partner-key", Workspace: "default", Consent: "marketing", Scope: ingest.ScopeWrite | ingest.ScopeHook},
		{
			Name: "till", Key: "till-key", Workspace: "default", RatePerKey: 1,
			Scope: ingest.ScopeWrite | ingest.ScopeBroadcast | ingest.ScopeHook,
		},
	}
}

// postAs is post with another write key.
func (w *world) postAs(t *testing.T, key, path, body string, headers ...string) answer {
	t.Helper()
	return w.post(t, path, body, append(headers, "Authorization", "Bearer "+key)...)
}

// An event's context says whose key it came with, whatever the client wrote there, by
// every way in.
func TestSourceOfAnEvent(t *testing.T) {
	// shows: 65
	w := newHookWorld(t, withSources)
	want := map[string]int{}
	for _, c := range []struct{ key, path, body, context string }{
		{"till-key", "/v1/track", `{"userId":"u","event":"E"}`, `{"source":"till"}`},
		{
			"till-key", "/v1/track", `{"userId":"u","event":"E","context":{"ip":"1.2.3.4","source":"partner"}}`,
			`{"ip":"1.2.3.4","source":"till"}`,
		},
		{"till-key", "/v1/track", `{"userId":"u","event":"E","context":{"sourc\u0065":"partner"}}`, `{"source":"till"}`},
		{"till-key", "/v1/identify", `{"userId":"u","context":{"source":{"a":1}}}`, `{"source":"till"}`},
		{
			"till-key", "/v1/batch", `{"context":{"source":"partner","x":1},"batch":[{"type":"track","userId":"u","event":"E"}]}`,
			`{"x":1,"source":"till"}`,
		},
		{"till-key", "/v1/alias", `{"userId":"u","anonymousId":"a"}`, `{"source":"till"}`},
		{"till-key", "/v1/hooks/lead", hookBody, `{"source":"till"}`},
		{"till-key", "/v1/track", `{"event":"Storm"}`, `{"source":"till"}`},
		{"key", "/v1/track", `{"userId":"u","event":"E","context":{"source":"till","x":1}}`, `{"x":1}`},
		{"key", "/v1/track", `{"userId":"u","event":"E"}`, ``},
	} {
		if a := w.postAs(t, c.key, c.path, c.body); a.status != http.StatusOK {
			t.Fatalf("%s: unexpected answer %+v", c.body, a)
		}
		events, _ := w.stored(t)
		got := map[string]int{}
		for _, e := range events {
			got[string(e.Context)]++
		}
		if want[c.context]++; strings.Contains(c.body, "Storm") {
			want[c.context]++ // in both partitions
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s with %s: the contexts are %v; want %v", c.body, c.key, got, want)
		}
	}
}

// Without sources a context is kept as it came.
func TestContextWithoutSources(t *testing.T) {
	w := newWorld(t, nil)
	if a := w.post(t, "/v1/track", `{"userId":"u","event":"E","context":{"source":"x"}}`); a.status != http.StatusOK {
		t.Fatalf("unexpected answer %+v", a)
	}
	if events, _ := w.stored(t); len(events) != 1 || string(events[0].Context) != `{"source":"x"}` {
		t.Errorf("unexpected events %+v", events)
	}
}

// A source that needs consent may send only calls that carry it; what is refused leaves
// its trail, with the source.
func TestSourceNeedsConsent(t *testing.T) {
	// shows: 65
	w := newHookWorld(t, withSources)
	const path = "context.consent.categoryPreferences.marketing"
	refused := func(a answer) bool {
		return a.status == http.StatusUnprocessableEntity && a.Code == "no_consent" && len(a.Errors) == 1 &&
			a.Errors[0].Path == path
	}
	for _, consent := range []string{
		``, `,"context":{}`, `,"context":{"consent":true}`, `,"context":{"consent":{"categoryPreferences":{"marketing":false}}}`,
		`,"context":{"consent":{"categoryPreferences":{"marketing":"maybe"}}}`,
		`,"context":{"consent":{"categoryPreferences":{"other":true}}}`,
	} {
		if a := w.postAs(t, "partner-key", "/v1/track", `{"userId":"u","event":"E"`+consent+`}`); !refused(a) {
			t.Errorf("%s: unexpected answer %+v", consent, a)
		}
	}
	if a := w.postAs(t, "partner-key", "/v1/hooks/lead", hookBody); !refused(a) {
		t.Errorf("a hook: unexpected answer %+v", a)
	}
	a := w.postAs(t, "partner-key", "/v1/batch", `{"batch":[{"type":"track","userId":"u","event":"E","context":`+
		`{"consent":{"categoryPreferences":{"marketing":" Yes"}}}},{"type":"track","userId":"v","event":"E"}]}`)
	if a.status != http.StatusOK || a.Accepted != 1 || len(a.Rejected) != 1 || a.Rejected[0].Path != path {
		t.Errorf("unexpected answer %+v", a)
	}
	events, rejects := w.stored(t)
	if len(events) != 1 || !strings.Contains(string(events[0].Context), `"source":"partner"`) {
		t.Errorf("unexpected events %+v", events)
	}
	if len(rejects) != 1 || rejects[0].Customer != "v" || !strings.HasPrefix(rejects[0].Message, "source partner: ") {
		t.Errorf("unexpected rejects %+v", rejects)
	}
}

// Each source has its own rate, and none may read customers.
func TestSourceLimits(t *testing.T) {
	// shows: 65
	w := newWorld(t, withSources)
	batch := `{"batch":[` + strings.Repeat(`{"type":"track","userId":"u","event":"E"},`, 2499) +
		`{"type":"track","userId":"u","event":"E"}]}`
	for _, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		if a := w.postAs(t, "till-key", "/v1/batch", batch); a.status != want {
			t.Errorf("unexpected answer %+v; want %d", a, want)
		}
	}
	for range 2 { // the others have no limit
		if a := w.postAs(t, "key", "/v1/batch", batch); a.status != http.StatusOK {
			t.Errorf("unexpected answer %+v", a)
		}
	}
	for key, want := range map[string]int{"key": http.StatusForbidden, "till-key": http.StatusForbidden} {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.url+"/v1/customers/ann", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(key, "")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != want {
			t.Errorf("%s reads a customer: %d, error %v; want %d", key, response.StatusCode, err, want)
		}
	}
}

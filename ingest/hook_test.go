package ingest_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/ingest"
)

const hookCampaigns = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: lead}
spec:
  trigger:
    webhook:
      mapping:
        {userId: $.contact.id, messageId: $.id, phone: "$.contact.phones[0]", mail: $.mail, n: $.n, on: $.on, source: $.source}
      required: [phone]
      types: {phone: e164, mail: email, n: number, on: time}
      defaults: {source: web}
  steps: [{id: s, exit: {}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: storm}
spec:
  trigger: {broadcast: {event: Storm}}
  steps: [{id: s, exit: {}}]
`

// newHookWorld is a server for which the campaigns above are active.
func newHookWorld(t *testing.T, change ...func(*ingest.Config)) *world {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := parse.File(lang, "test", []byte(hookCampaigns))
	if err != nil {
		t.Fatal(err)
	}
	lead, ok := docs[0].Campaign.Trigger.(*program.WebhookTrigger)
	if !ok {
		t.Fatal("no webhook trigger")
	}
	return newWorld(t, func(c *ingest.Config) {
		c.Hook = func(workspace, name string) *program.WebhookTrigger {
			if workspace == "default" && name == "lead" {
				return lead
			}
			return nil
		}
		c.Broadcasts = func(_, event string) bool { return event == "Storm" }
		c.Sources = []ingest.Source{{
			Name: "system", Key: "system-key", Workspace: "default",
			Scope: ingest.ScopeWrite | ingest.ScopeBroadcast | ingest.ScopeHook,
		}}
		for _, f := range change {
			f(c)
		}
	})
}

// A call of a campaign's endpoint becomes an event of the customer named in it.
func TestHook(t *testing.T) {
	// shows: 7-9, 72, 153, 155
	w := newHookWorld(t)
	a := w.postAs(t, "system-key", "/v1/hooks/lead", `{"id":"x1","contact":{"id":77,"phones":["+380441234567"]},"n":1.50,"other":true}`)
	if a.status != 200 || a.Accepted != 1 {
		t.Fatalf("unexpected answer %+v", a)
	}
	w.postAs(t, "system-key", "/v1/hooks/lead", `{"contact":{"phones":["+380441234567"]},"anonymousId":"b","source":null}`,
		"Idempotency-Key", "k1")
	events, _ := w.stored(t)
	if len(events) != 2 {
		t.Fatalf("unexpected events %+v", events)
	}
	for _, e := range events {
		id, customer, properties := "x1", "77", `{"phone":"+380441234567","n":1.50,"source":"web"}`
		if e.Customer != "77" {
			id, customer, properties = "k1", "anon:b", `{"phone":"+380441234567","source":"web"}`
		}
		if e.ID != id || e.Customer != customer || string(e.Properties) != properties || e.Name != "$webhook/lead" ||
			e.Time != serverNow || e.Type != event.Track {
			t.Errorf("unexpected event %+v with %s", e, e.Properties)
		}
	}
}

// A body that does not fit the mapping names the field and leaves nothing in the log.
func TestBadHook(t *testing.T) {
	// shows: 155
	w := newHookWorld(t)
	f := func(path, body string, status int, field, code string) {
		t.Helper()
		a := w.postAs(t, "system-key", path, body)
		got := ""
		if len(a.Errors) > 0 {
			got = a.Errors[0].Path
		}
		if a.status != status || a.Code != code || got != field {
			t.Errorf("%s %s: %d %s at %q: %s; want %d %s at %q", path, body, a.status, a.Code, got, a.Detail, status, code, field)
		}
	}
	good := func(more string) string { return `{"contact":{"id":"u","phones":["+380441234567"]}` + more + `}` }
	f("/v1/hooks/lead", `{`, 400, "body", "invalid_json")
	f("/v1/hooks/lead", `[]`, 400, "body", "not_an_object")
	f("/v1/hooks/none", good(""), 404, "", "not_found")
	f("/v1/hooks/storm", good(""), 404, "", "not_found")
	f("/v1/hooks/lead", `{"contact":{"id":"u"}}`, 422, "phone", "missing")
	f("/v1/hooks/lead", `{"contact":{"id":"u","phones":["0441234567"]}}`, 422, "phone", "wrong_type")
	f("/v1/hooks/lead", `{"contact":{"id":"u","phones":[380441234567]}}`, 422, "phone", "wrong_type")
	f("/v1/hooks/lead", `{"contact":{"phones":["+380441234567"]}}`, 422, "userId", "missing")
	f("/v1/hooks/lead", `{"contact":{"id":{},"phones":["+380441234567"]}}`, 422, "userId", "wrong_type")
	f("/v1/hooks/lead", `{"contact":{"id":"anon:x","phones":["+380441234567"]}}`, 422, "userId", "reserved")
	f("/v1/hooks/lead", good(`,"mail":"a b@c"`), 422, "mail", "wrong_type")
	f("/v1/hooks/lead", good(`,"n":"1"`), 422, "n", "wrong_type")
	f("/v1/hooks/lead", good(`,"on":"tomorrow"`), 422, "on", "wrong_type")
	f("/v1/hooks/lead", good(`,"n":1,"n":2`), 422, "n", "duplicate_key")
	if events, rejects := w.stored(t); len(events)+len(rejects) != 0 {
		t.Errorf("the log has %+v %+v", events, rejects)
	}
}

// An event without a customer is taken only where a campaign waits for it, and is copied
// into every partition.
func TestBroadcast(t *testing.T) {
	// shows: 59, 61-63
	w := newHookWorld(t)
	if a := w.post(t, "/v1/track", `{"event":"Sunshine"}`); a.status != 400 || a.Errors[0].Path != "userId" {
		t.Errorf("unexpected answer %+v", a)
	}
	a := w.postAs(t, "system-key", "/v1/batch", `{"batch":[{"type":"track","event":"Storm","messageId":"b1"},{"type":"page"}]}`)
	if a.status != 200 || a.Accepted != 1 || len(a.Rejected) != 1 {
		t.Errorf("unexpected answer %+v", a)
	}
	events, _ := w.stored(t)
	if len(events) != len(w.streams) {
		t.Fatalf("unexpected events %+v", events)
	}
	for _, e := range events {
		if e.Name != "Storm" || e.ID != "b1" || e.Customer != "" {
			t.Errorf("unexpected event %+v", e)
		}
	}
}

// A key may do what its scope says: one of a web page starts no broadcast and calls no
// webhook, and who has such a key does not learn which webhooks there are.
func TestScopes(t *testing.T) {
	w := newHookWorld(t, func(c *ingest.Config) {
		c.Sources = append(c.Sources,
			ingest.Source{Name: "crm", Key: "hook-key", Workspace: "default", Scope: ingest.ScopeHook},
			ingest.Source{Name: "weather", Key: "storm-key", Workspace: "default", Scope: ingest.ScopeBroadcast})
	})
	const event, storm = `{"userId":"u","event":"E"}`, `{"event":"Storm"}`
	f := func(key, path, body string, status int, want string) {
		t.Helper()
		a := w.postAs(t, key, path, body)
		if a.status != status || !strings.Contains(a.Detail, want) || status == 403 && a.Code != "forbidden" {
			t.Errorf("%s %s %s: unexpected answer %+v; want %d %s", key, path, body, a, status, want)
		}
	}
	f("key", "/v1/track", event, 200, "")
	f("key", "/v1/track", storm, 403, "needs a key of scope broadcast, and this one's is write; give a source")
	f("key", "/v1/hooks/lead", hookBody, 403, "needs a key of scope hook")
	f("key", "/v1/hooks/none", hookBody, 403, "needs a key of scope hook")
	f("hook-key", "/v1/hooks/lead", hookBody, 200, "")
	f("hook-key", "/v1/track", event, 403, "needs a key of scope write, and this one's is hook")
	f("hook-key", "/v1/track", storm, 403, "needs a key of scope write")
	f("storm-key", "/v1/track", storm, 200, "")
	f("storm-key", "/v1/track", event, 403, "needs a key of scope write, and this one's is broadcast")
	f("storm-key", "/v1/alias", `{"userId":"u","previousId":"a"}`, 403, "needs a key of scope write")
	f("storm-key", "/v1/hooks/lead", hookBody, 403, "needs a key of scope hook")
	a := w.postAs(t, "key", "/v1/batch", `{"batch":[{"type":"track","event":"Storm"},{"type":"track","userId":"u","event":"E"}]}`)
	if a.status != 200 || a.Accepted != 1 || len(a.Rejected) != 1 || a.Rejected[0].Code != "forbidden" {
		t.Errorf("a batch: unexpected answer %+v", a)
	}
	for path, status := range map[string]int{"/v1/track": 403, "/v1/hooks/lead": 403} {
		if a := w.post(t, path, `{"writeKey":"key","event":"Storm"}`, "Authorization", ""); a.status != status {
			t.Errorf("%s with the key in the body: unexpected answer %+v", path, a)
		}
	}
	events, _ := w.stored(t)
	if len(events) != 3+len(w.streams) {
		t.Errorf("unexpected events %+v", events)
	}
}

package attacks_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Who has the write key, which is in every browser, writes and reads nothing.
func TestWriteKeyOnlyWrites(t *testing.T) {
	attack(t)
	s := begin(t, "")
	if a := s.track("victim", "Seen", `{}`); a.status != http.StatusOK {
		t.Fatalf("the event is answered with %d %s", a.status, a.text)
	}
	key := map[string]string{"Authorization": basic(s.keys.Write), "Content-Type": "application/json"}
	bearer := map[string]string{"Authorization": "Bearer " + s.keys.Write, "Content-Type": "application/json"}
	for _, header := range []map[string]string{key, bearer} {
		refused(t, "customer", s.ask(http.MethodGet, s.http, "/v1/customers/victim", header, ""), "victim")
		refused(t, "explain", s.ask(http.MethodGet, s.http, "/v1/customers/victim/explain", header, ""), "victim")
		refused(t, "metrics", s.ask(http.MethodGet, s.http, "/metrics", header, ""), "nudge_")
		refused(t, "admin: customer", s.ask(http.MethodGet, s.admin, "/v1/customers/victim", header, ""), "victim")
		refused(t, "admin: definitions", s.ask(http.MethodPost, s.admin, "/v1/definitions", header, spy))
		refused(t, "rows", s.ask(http.MethodPost, s.clickhouse, "/", header, "SELECT 1"))
	}
}

const everybody = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: storm}
spec:
  trigger: {broadcast: {event: Storm}}
  steps: [{id: s, delay: 30d}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: lead}
spec:
  trigger: {webhook: {mapping: {userId: $.id}}}
  steps: [{id: s, delay: 30d}]
`

// Who has the write key of a page writes to nobody but the customers whose events they send: no
// broadcast, and nothing in the name of another system. A key with the scopes does both.
func TestWriteKeyStartsNoBroadcast(t *testing.T) {
	attack(t)
	file := filepath.Join(t.TempDir(), "sources.yaml")
	const ours = "a-key-of-our-own-system"
	if err := os.WriteFile(file, []byte("sources: [{name: crm, key: "+ours+", scope: [broadcast, hook]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := begin(t, everybody, "NUDGE_SOURCES_FILE="+file)
	if a := s.track("victim", "Seen", `{}`); a.status != http.StatusOK {
		t.Fatalf("the event is answered with %d %s", a.status, a.text)
	}
	send := func(key, path, body string) answer {
		header := map[string]string{"Authorization": basic(key), "Content-Type": "application/json"}
		return s.ask(http.MethodPost, s.http, path, header, body)
	}
	const storm = `{"event":"Storm"}`
	refused(t, "broadcast", send(s.keys.Write, "/v1/track", storm))
	refused(t, "broadcast, key in the body", s.ask(http.MethodPost, s.http, "/v1/track",
		map[string]string{"Content-Type": "text/plain"}, `{"event":"Storm","writeKey":"`+s.keys.Write+`"}`))
	refused(t, "webhook", send(s.keys.Write, "/v1/hooks/lead", `{"id":"other"}`))
	refused(t, "webhook of no campaign", send(s.keys.Write, "/v1/hooks/none", `{"id":"other"}`), "none")
	if a := send(s.keys.Write, "/v1/batch", `{"batch":[{"type":"track","event":"Storm"}]}`); !strings.Contains(a.text, "forbidden") {
		t.Errorf("a broadcast in a batch: %d %s", a.status, a.text)
	}
	refused(t, "event with a key for other calls", send(ours, "/v1/track", `{"userId":"other","event":"Seen"}`))
	shows := func(campaign string) (view string) {
		t.Helper()
		s.eventually(20*time.Second, campaign, func() error {
			if view = s.manage(http.MethodGet, "/v1/customers/victim", "").text; !strings.Contains(view, `"`+campaign+`"`) {
				return errNotYet
			}
			return nil
		})
		return view
	}
	if a := send(ours, "/v1/hooks/lead", `{"id":"victim"}`); a.status != http.StatusOK {
		t.Errorf("a webhook with its scope: %d %s", a.status, a.text)
	}
	// What was taken before would have been applied before.
	if view := shows("lead"); strings.Contains(view, `"storm"`) {
		t.Errorf("the write key started a broadcast: %s", view)
	}
	if a := s.manage(http.MethodGet, "/v1/customers/other", ""); a.status != http.StatusNotFound {
		t.Errorf("the write key called a webhook: %s", a.text)
	}
	if a := send(ours, "/v1/track", storm); a.status != http.StatusOK {
		t.Errorf("a broadcast with its scope: %d %s", a.status, a.text)
	}
	shows("storm")
}

// Keys that can be guessed are refused at the start, by name.
func TestShortKeysAreRefused(t *testing.T) {
	attack(t)
	for _, setting := range []string{"NUDGE_WRITE_KEY", "NUDGE_ADMIN_KEY", "NUDGE_CLICKHOUSE_PASSWORD", "NUDGE_ERASE_KEY"} {
		t.Run(setting, func(t *testing.T) {
			s := prepare(t, "", setting+"=short")
			s.start()
			text := strings.ToLower(s.ends(20 * time.Second))
			if name := strings.ToLower(strings.TrimPrefix(setting, "NUDGE_")); !strings.Contains(text, name) {
				t.Errorf("the end does not name %s: %s", name, text)
			}
		})
	}
}

// An id in a path is that id: no other customer is read, found or erased by its spelling.
func TestPathsNameOneCustomer(t *testing.T) {
	attack(t)
	s := begin(t, "")
	for _, id := range []string{"y", "x/../y", ".", ".."} {
		if a := s.track(id, "Seen", `{}`); a.status != http.StatusOK {
			t.Fatalf("the event of %q is answered with %d %s", id, a.status, a.text)
		}
	}
	for path, id := range map[string]string{
		"y": `"y"`, "x%2F..%2Fy": `"x/../y"`, "%2E": `"."`, "%2e%2e": `".."`,
	} {
		s.eventually(20*time.Second, path, func() error {
			a := s.manage(http.MethodGet, "/v1/customers/"+path, "")
			if a.status != http.StatusOK || !strings.Contains(a.text, id) {
				return errNotYet
			}
			return nil
		})
	}
	for _, path := range []string{"x/../y", "%2", "%zz", "x%2F..%2Fz", "..;/y", "%2E%2E/y"} {
		if a := s.manage(http.MethodGet, "/v1/customers/"+path, ""); a.status == http.StatusOK {
			t.Errorf("%s reads %.200s", path, a.text)
		}
	}
}

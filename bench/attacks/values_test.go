package attacks_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const bombs = `
apiVersion: nudge/v1
kind: Channel
metadata: {name: hook}
spec: {type: webhook, url: "%[1]s"}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: plain}
spec:
  trigger: {event: {name: Plain}}
  steps: [{id: s, send: {channel: hook, inline: {body: "hello"}}}]
`

const bomb = `---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: %s}
spec:
  trigger: {event: {name: Bomb}}
  steps: [{id: s, send: {channel: hook, inline: {body: %q}}}]
`

// One event whose value bounds a loop or a width neither ends the sender nor keeps others'
// messages back, also after a start anew.
func TestTemplateBombs(t *testing.T) {
	attack(t)
	var mu sync.Mutex
	got := map[string]int{}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := make([]byte, 4096)
		n, _ := r.Body.Read(body)
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(string(body[:n]), "hello") {
			got["plain"]++
		} else {
			got["bomb"]++
		}
	}))
	defer hook.Close()
	texts := []string{
		"{% for i in (1..trigger.properties.n) %}{% endfor %}done",
		"{% for i in (1..trigger.properties.n) %}*{% endfor %}",
		"{% assign s = 'x' %}{% for i in (1..trigger.properties.k) %}{% assign s = s | append: s %}{% endfor %}{{ s.size }}",
		"{% assign r = (1..trigger.properties.n) | reverse %}{{ r.size }}",
		"{% for i in (1..1000) %}{% for j in (1..1000) %}{% for k in (1..1000) %}{% endfor %}{% endfor %}{% endfor %}x",
		"{% tablerow i in (1..trigger.properties.n) %}x{% endtablerow %}",
		"{{ 'now' | date: trigger.properties.format }}",
		"{% capture c %}{% for i in (1..trigger.properties.k) %}{{ c }}xxxxxxxxxxxxxxxx{% endfor %}{% endcapture %}{{ c | size }}",
		"{{ trigger.properties.long | replace: 'a', trigger.properties.long | replace: 'a', trigger.properties.long }}",
	}
	definitions := fmt.Sprintf(bombs, hook.URL)
	var applied []string
	s := prepare(t, definitions, "NUDGE_EGRESS_ALLOW=127.0.0.1")
	s.start()
	s.ready()
	for i, text := range texts { // some may be refused at once, which is as good
		body := fmt.Sprintf(`{"files":[{"name":"b.yaml","text":%q}]}`, fmt.Sprintf(bomb[4:], fmt.Sprintf("bomb%d", i), text))
		if a := s.manage(http.MethodPost, "/v1/definitions", body); a.status == http.StatusOK {
			applied = append(applied, text)
		}
	}
	if len(applied) == 0 {
		t.Fatal("no template was taken")
	}
	properties := fmt.Sprintf(`{"n":2000000000,"k":64,"format":"%%999999999d","long":%q}`, strings.Repeat("a", 20000))
	if a := s.track("victim", "Bomb", properties); a.status != http.StatusOK {
		t.Fatalf("the event is answered with %d %s", a.status, a.text)
	}
	settled := func(times int) {
		t.Helper()
		s.track(fmt.Sprint("other", times), "Plain", `{}`)
		s.eventually(40*time.Second, "the other's message", func() error {
			s.alive()
			mu.Lock()
			defer mu.Unlock()
			if got["plain"] < times {
				return errNotYet
			}
			return nil
		})
	}
	settled(1)
	s.eventually(60*time.Second, "each bomb is a failure", func() error {
		a := s.query("SELECT count() FROM nudge.decisions WHERE customer = 'victim' AND reason = 'template_limit'")
		mu.Lock()
		defer mu.Unlock()
		var failed int
		if _, err := fmt.Sscan(a.text, &failed); err != nil || failed+got["bomb"] < len(applied) || failed == 0 {
			return fmt.Errorf("%s failed, %d sent, of %d", strings.TrimSpace(a.text), got["bomb"], len(applied))
		}
		return nil
	})
	s.kill()
	s.start()
	s.ready()
	settled(2)
}

// A pattern from an event is refused before a campaign is in force.
func TestPatternFromAnEvent(t *testing.T) {
	attack(t)
	file := filepath.Join(t.TempDir(), "c.yaml")
	for _, where := range []string{
		"event.properties.text.matches(event.properties.pattern)",
		"matches(event.properties.text, event.properties.pattern)",
		"customer.traits.name.matches('(' + event.properties.pattern + ')*')",
		"event.properties.text.matches('((a{1,1000}){1,1000}){1,1000}')",
	} {
		text := fmt.Sprintf("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n"+
			"  trigger: {event: {name: E, where: %q}}\n"+
			"  steps: [{id: s, send: {channel: console, inline: {body: x}}}]\n", where)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(filepath.Join(programs, "nudge"), "check", file).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "c.yaml:5:") {
			t.Errorf("%s: check says %v %s", where, err, out)
		}
	}
}

// Times and ids that make no sense change nothing: an event is never stored as of the
// future or of an age before there were clients.
func TestTimesAndIdsOfNonsense(t *testing.T) {
	attack(t)
	s := begin(t, "")
	header := map[string]string{"Authorization": basic(s.keys.Write), "Content-Type": "application/json"}
	sent := 0
	for _, times := range []string{
		`"timestamp":"1970-01-01T00:00:00Z","sentAt":"9998-01-01T00:00:00Z"`,
		`"timestamp":"9999-12-31T23:59:59Z","sentAt":"1970-01-01T00:00:00Z"`,
		`"timestamp":"2199-01-01T00:00:00Z"`,
		`"timestamp":"0001-01-01T00:00:00Z"`,
		`"timestamp":-9223372036854775808`,
		`"timestamp":9223372036854775807`,
	} {
		a := s.ask(http.MethodPost, s.http, "/v1/track", header, `{"userId":"clock","event":"E",`+times+`}`)
		if a.status == http.StatusOK {
			sent++
		} else {
			refused(t, times, a)
		}
	}
	s.cell(60*time.Second, strconv.Itoa(sent), "SELECT count() FROM nudge.events WHERE customer = 'clock'")
	s.cell(time.Second, "0", "SELECT count() FROM nudge.events WHERE event_time > now() + 60 "+
		"OR event_time < now() - INTERVAL 3660 DAY")
	for _, id := range []string{"undefined", " NULL ", "[object Object]", "00000000-0000-0000-0000-000000000000", "NaN"} {
		body := fmt.Sprintf(`{"userId":%q,"anonymousId":"visitor","traits":{"a":1}}`, id)
		s.ask(http.MethodPost, s.http, "/v1/identify", header, body)
		refused(t, "alias to "+id, s.ask(http.MethodPost, s.http, "/v1/alias", header,
			fmt.Sprintf(`{"previousId":"visitor","userId":%q}`, id)))
	}
	if a := s.manage(http.MethodGet, "/v1/customers/undefined", ""); a.status != http.StatusNotFound {
		t.Errorf("the customer undefined is there: %d %s", a.status, a.text)
	}
	header["Idempotency-Key"] = "a\xff\xfeb"
	refused(t, "a key that is no UTF-8", s.ask(http.MethodPost, s.http, "/v1/track", header, `{"userId":"k","event":"E"}`))
}

package attacks_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const channel = `{"files":[{"name":"c.yaml","text":"apiVersion: nudge/v1\nkind: Channel\nmetadata: {name: %s}\n` +
	`spec: {type: webhook, url: \"%s\"}\n---\napiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: %[1]s}\n` +
	`spec:\n  trigger: {event: {name: Go}}\n  steps: [{id: s, send: {channel: %[1]s, inline: {body: x}}}]\n"}]}`

// A channel does not lead to files, to the machine itself, to its network's metadata or to
// private addresses, neither by address nor by a name or a redirect that leads there.
func TestChannelsLeadOutside(t *testing.T) {
	attack(t)
	var reached atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inside.Close()
	port := inside.URL[strings.LastIndexByte(inside.URL, ':'):]
	s := begin(t, "")
	refusedAtOnce := 0
	urls := []string{
		"file:///etc/passwd", "gopher://127.0.0.1:1/x", "nonsense", "ftp://example.com/x", "https://", "javascript:alert(1)",
		"http://169.254.169.254/latest/meta-data/", "http://" + s.admin + "/v1/clock/accept",
		inside.URL + "/a", "http://localhost" + port + "/b", "https://127.0.0.1" + port + "/c",
		"http://[::ffff:127.0.0.1]" + port + "/d", "http://0.0.0.0" + port + "/e", "http://127.1" + port + "/f",
		"http://2130706433" + port + "/g", "http://0x7f000001" + port + "/h",
	}
	for i, url := range urls {
		a := s.manage(http.MethodPost, "/v1/definitions", fmt.Sprintf(channel, fmt.Sprintf("c%d", i), url))
		if a.status != http.StatusOK {
			refusedAtOnce++
			refused(t, url, a)
		}
	}
	t.Logf("%d of %d addresses are refused before they are in force", refusedAtOnce, len(urls))
	for _, i := range []int{0, 1, 2, 3, 4, 5} {
		if a := s.manage(http.MethodGet, "/v1/definitions", ""); strings.Contains(a.text, fmt.Sprintf(`"c%d"`, i)) {
			t.Errorf("the channel to %s is in force", urls[i])
		}
	}
	if a := s.track("victim", "Go", `{}`); a.status != http.StatusOK {
		t.Fatalf("the event is answered with %d %s", a.status, a.text)
	}
	s.cell(90*time.Second, strconv.Itoa(len(urls)-refusedAtOnce),
		"SELECT uniqExact(delivery_id) FROM nudge.deliveries WHERE customer = 'victim' AND status = 'failed'")
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached the loopback", n)
	}
}

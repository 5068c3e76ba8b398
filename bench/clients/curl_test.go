package clients_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/servertest"
)

// curl runs curl and gives what the server answered; a status of 400 or more fails the test.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	return finish(t, exec.CommandContext(t.Context(), "curl", append([]string{"-sS", "--fail-with-body"}, args...)...))
}

// Each path for events by itself, as a script would use it.
func TestCurlSends(t *testing.T) {
	needs(t, npm)
	s := begin(t)
	zipped := filepath.Join(t.TempDir(), "body.gz")
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(`{"batch": [{"type": "track", "userId": "curl-user", "event": "Zipped"}]}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(zipped, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	key := s.keys.Write + ":"
	user := `{"userId": "curl-user", `
	for _, args := range [][]string{
		{
			"/v1/track", "-u", key, "--json",
			`{"anonymousId": "curl-visitor", "event": "Cart Updated", "properties": ` + cart + `}`,
		},
		{"/v1/identify", "-u", key, "--json", user + `"anonymousId": "curl-visitor", "traits": ` + person + `}`},
		{"/v1/page", "-u", key, "--json", user + `"name": "Pricing", "category": "Docs", "properties": {"url": "/pricing"}}`},
		{"/v1/screen", "-u", key, "--json", user + `"name": "Home", "properties": {"tab": 1}}`},
		{"/v1/group", "-u", key, "--json", user + `"groupId": "acme", "traits": {"plan": "pro"}}`},
		{"/v1/alias", "-u", key, "--json", user + `"previousId": "curl-phone"}`},
		{
			"/v1/track", "-H", "Authorization: Bearer " + s.keys.Write, "-H", "Idempotency-Key: curl-order",
			"-H", "Content-Type: text/plain", "-d", user + `"event": "Order Completed", "properties": {"order_id": 7}}`,
		},
		{"/v1/t?writeKey=" + s.keys.Write, "--json", user + `"event": "Order Completed", "messageId": "curl-order"}`},
		{
			"/v1/batch", "-u", key, "-H", "Content-Encoding: gzip", "-H", "Content-Type: application/json",
			"--data-binary", "@" + zipped,
		},
		{
			"/v1/b", "--json",
			`{"writeKey": "` + s.keys.Write + `", "batch": [` + user + `"type": "track", "event": "Keyed"}]}`,
		},
	} {
		curl(t, append([]string{s.url + args[0]}, args[1:]...)...)
	}
	want := story(t, "curl")
	for _, event := range []string{"Keyed", "Zipped"} {
		last := want[len(want)-1]
		last.Event, last.Properties = event, nil
		want = append(want, last)
	}
	want[len(want)-3], want[len(want)-2] = want[len(want)-2], want[len(want)-3]
	servertest.Eventually(t, 30*time.Second, "the rows", func() error {
		found, err := called(t, s, "curl")
		if err != nil || len(found) < len(want) {
			return fmt.Errorf("%d rows, %w", len(found), err)
		}
		for i, f := range found {
			if i < len(want) && !reflect.DeepEqual(f.row, want[i]) {
				t.Errorf("row %d is\n  %+v; want\n  %+v", i, f.row, want[i])
			}
		}
		if len(found) > len(want) {
			t.Errorf("%d rows; want %d", len(found), len(want))
		}
		return nil
	})
	curlReads(t, s)
}

// curlReads asks ClickHouse, where curl's form of a user and a parameter are ClickHouse's own.
func curlReads(t *testing.T, s *server) {
	t.Helper()
	reader := []string{"-u", "reader:" + s.keys.Reader, "--compressed", "--get", "http://" + s.clickhouse + "/"}
	got := curl(t, append(reader, "--data-urlencode", "query=SELECT type, count() FROM nudge.events "+
		"WHERE customer = {customer:String} AND type != 'track' GROUP BY type ORDER BY type FORMAT CSV",
		"--data-urlencode", "param_customer=curl-user", "--data-urlencode", "enable_http_compression=1")...)
	if want := "\"group\",1\n\"identify\",1\n\"page\",1\n\"screen\",1\n"; got != want {
		t.Errorf("curl read %q; want %q", got, want)
	}
	for _, sql := range []string{"INSERT INTO nudge.events (customer) VALUES ('x')", "DROP TABLE nudge.events"} {
		refused := exec.CommandContext(t.Context(), "curl", "-sS", "-u", "reader:"+s.keys.Reader,
			"-d", sql, "http://"+s.clickhouse+"/")
		if text := finish(t, refused); !strings.Contains(text, fmt.Sprintf("Code: %d.", accessDenied)) {
			t.Errorf("%s: answered with %s", sql, text)
		}
	}
}

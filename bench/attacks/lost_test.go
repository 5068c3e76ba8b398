package attacks_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const console = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: hello}
spec:
  trigger: {event: {name: Hello}}
  steps:
    - {id: s, send: {channel: console, inline: {body: "Hello {{ customer.id }}"}}}
`

// used is the data directory of a server that did all it does: campaigns are in force, rows
// and messages went out, a customer was erased.
func used(t *testing.T) string {
	t.Helper()
	s := begin(t, console)
	for _, who := range []string{"ann", "bob", "gone"} {
		if a := s.track(who, "Hello", `{}`); a.status != http.StatusOK {
			t.Fatalf("the event is answered with %d %s", a.status, a.text)
		}
	}
	s.cell(60*time.Second, "3", "SELECT uniqExact(customer) FROM nudge.deliveries WHERE status = 'sent'")
	if a := s.manage(http.MethodDelete, "/v1/customers/gone", ""); a.status != http.StatusAccepted {
		t.Fatalf("the erasure is answered with %d %s", a.status, a.text)
	}
	s.eventually(60*time.Second, "erased", func() error {
		if a := s.manage(http.MethodGet, "/v1/customers/gone/erasure", ""); !strings.Contains(a.text, `"done": true`) {
			return errors.New(a.text)
		}
		return nil
	})
	s.stop()
	return s.data
}

// copyOf makes a server of the same kind on a copy of a directory.
func copyOf(t *testing.T, data string) *server {
	t.Helper()
	s := prepare(t, console)
	if err := os.CopyFS(s.data, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	return s
}

// streams are where the embedded log keeps each stream.
func (s *server) streams() string {
	return filepath.Join(s.data, "log", "jetstream", "$G", "streams")
}

// A part of the data directory that is gone, or of another server, stops the start with
// what is missing and a way out; nothing goes on as if it had never been.
func TestLostParts(t *testing.T) {
	attack(t)
	data := used(t)
	t.Run("nothing is lost", func(t *testing.T) { // else the others prove nothing
		s := copyOf(t, data)
		s.start()
		s.ready()
		s.stop()
	})
	gone := func(part ...string) func(*server) error {
		return func(s *server) error { return os.RemoveAll(filepath.Join(append([]string{s.data}, part...)...)) }
	}
	stream := func(name string) func(*server) error {
		return func(s *server) error {
			if _, err := os.Stat(filepath.Join(s.streams(), name)); err != nil {
				return err
			}
			return os.RemoveAll(filepath.Join(s.streams(), name))
		}
	}
	for _, c := range []struct {
		name string
		lose func(*server) error
		says []string
	}{
		{"control log", stream("CTL"), []string{"CTL"}},
		{"warehouse positions", stream("WH"), []string{"WH"}},
		{"messages of a channel", stream("SEND_console"), []string{"SEND_console"}},
		{"events of a partition", stream("EV_0"), []string{"EV_0"}},
		{"effects of a partition", stream("FX_1"), []string{"FX_1"}},
		{"identity", gone("node.json"), []string{"node.json"}},
		{"snapshots", gone("state"), []string{"state"}},
		{"log", gone("log"), []string{"log"}},
		{"rows", gone("clickhouse"), []string{"clickhouse"}},
		{"keys of another server", func(s *server) error {
			path := filepath.Join(s.data, "node.json")
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			id := map[string]any{}
			if err := json.Unmarshal(text, &id); err != nil {
				return err
			}
			id["erase_key"] = strings.Repeat("ab", 32)
			if text, err = json.Marshal(id); err != nil {
				return err
			}
			return os.WriteFile(path, text, 0o600)
		}, []string{"erase"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := copyOf(t, data)
			if err := c.lose(s); err != nil {
				t.Fatal(err)
			}
			s.start()
			text := s.ends(20 * time.Second)
			lines := strings.Split(strings.TrimSpace(text), "\n")
			last := lines[max(0, len(lines)-4):]
			for _, word := range c.says {
				if !slices.ContainsFunc(last, func(line string) bool { return strings.Contains(line, word) }) {
					t.Errorf("the end does not name %s: %s", word, strings.Join(last, "\n"))
				}
			}
		})
	}
}

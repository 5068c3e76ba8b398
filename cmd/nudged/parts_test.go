package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/internal/identity"
	"github.com/nudge-engine/nudge/internal/servertest"
	"github.com/nudge-engine/nudge/storage"
)

const partsDefinitions = `
apiVersion: nudge/v1
kind: Channel
metadata: {name: hook}
spec: {type: webhook, url: %q}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: greet}
spec:
  trigger: {event: {name: Greeted}}
  reentry: {on_active: parallel}
  steps:
    - {id: say, send: {channel: hook, inline: {body: hello}}}
`

// greet sends an event that sends a message, and waits for both in ClickHouse.
func (s *server) greet(total int) {
	s.t.Helper()
	status, err := s.post(http.DefaultClient, []map[string]any{{"type": "track", "userId": "ann", "event": "Greeted"}})
	if err != nil || status != http.StatusOK {
		s.t.Fatalf("an event is answered with %d, error %v", status, err)
	}
	s.wantRows(time.Minute, total, "SELECT uniqExact(message_id) FROM nudge.events")
}

// newParts is a stopped server that has used all of its parts.
func newParts(t *testing.T) (*server, *receiver) {
	t.Helper()
	hook := newReceiver(t)
	s := newServer(t, fmt.Sprintf(partsDefinitions, hook.URL), "NUDGE_PARTITIONS=1")
	s.start()
	s.ready()
	s.greet(1)
	s.wantRows(time.Minute, 1, "SELECT count() FROM nudge.deliveries WHERE status = 'sent'")
	s.stop()
	return s, hook
}

func streamPath(t *testing.T, data, name string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(data, "log", "*", "*", "streams", name))
	if err != nil || len(found) != 1 {
		t.Fatalf("stream %s is at %q, error %v", name, found, err)
	}
	return found[0]
}

// refuses starts a server on its data and wants it to end by itself, with a text.
func (s *server) refuses(wants ...string) {
	s.t.Helper()
	s.log = new(servertest.Output)
	s.start()
	select {
	case err := <-s.ended:
		s.process = nil
		if err == nil {
			s.t.Errorf("the server ends without an error")
		}
	case <-time.After(time.Minute):
		s.t.Fatalf("the server runs; want it to refuse for %q", wants)
	}
	for _, want := range wants {
		if !strings.Contains(s.log.String(), want) {
			s.t.Errorf("the server says %s; want %q", s.log.String(), want)
		}
	}
}

// A part of the data that is missing, or of another directory, stops the start with what is
// missing and the way out; the way out works.
func TestMissingParts(t *testing.T) {
	whole, hook := newParts(t)
	other, _ := newParts(t)
	if whole.data == other.data {
		t.Fatal("there is no other directory")
	}
	f := func(name string, wayOut bool, breaks func(data string) error, wants ...string) {
		t.Run(name, func(t *testing.T) {
			copied := *whole
			s := &copied
			s.t, s.data = t, filepath.Join(t.TempDir(), "data")
			s.env = append(append([]string{}, s.env...), "NUDGE_DATA_DIR="+s.data)
			if out, err := exec.Command("cp", "-a", whole.data, s.data).CombinedOutput(); err != nil {
				t.Fatalf("cp: %v %s", err, out)
			}
			t.Cleanup(s.kill)
			if err := breaks(s.data); err != nil {
				t.Fatal(err)
			}
			s.refuses(append(wants, "what belongs together is not complete")...)
			s.refuses(wants...) // the failed start has not made it anew
			if !wayOut {
				return
			}
			sent := hook.triggers()
			t.Log(s.nudge("recover", "--data", s.data))
			s.refuses(wants...) // without --yes nothing changes
			t.Log(s.nudge("recover", "--data", s.data, "--yes"))
			s.start()
			s.ready()
			status, err := s.post(http.DefaultClient, []map[string]any{{"type": "track", "userId": "ann", "event": "Greeted"}})
			if err != nil || status != http.StatusOK {
				t.Fatalf("afterwards an event is answered with %d, error %v", status, err)
			}
			s.eventually(30*time.Second, "a message is sent", func() error {
				if hook.triggers() == sent {
					return errNotYet
				}
				return nil
			})
			s.stop()
			s.start() // and the parts are known again
			s.ready()
		})
	}
	remove := func(name string) func(string) error {
		return func(data string) error { return os.RemoveAll(streamPath(t, data, name)) }
	}
	f("CTL", false, remove("CTL"), "CTL: ", "is missing", "backup")
	f("WH", true, remove("WH"), "WH: ", "is missing", "nudge recover")
	f("SEND", true, remove("SEND_hook"), "SEND_hook: ", "is missing", "nudge recover")
	f("EV", true, remove("EV_0"), "EV_0: ", "is missing", "nudge recover")
	f("FX", true, remove("FX_0"), "FX_0: ", "is missing", "nudge recover")
	f("log", false, func(data string) error { return os.RemoveAll(filepath.Join(data, "log")) }, "CTL: ", "EV_0: ", "WH: ")
	f("state", true, func(data string) error { return os.RemoveAll(filepath.Join(data, "state")) }, "state/: ", "nudge recover")
	f("node.json", true, func(data string) error { return os.Remove(identity.Path(data)) }, "node.json: ", "nudge recover")
	f("clickhouse", true, func(data string) error { return os.RemoveAll(filepath.Join(data, "clickhouse")) },
		"clickhouse/: ", "rows", "nudge recover")
	f("clickhouse of another", false, func(data string) error {
		own := filepath.Join(data, "clickhouse")
		return replace(own, filepath.Join(other.data, "clickhouse"))
	}, "clickhouse/: ")
	f("node.json of another", false, func(data string) error {
		return replace(identity.Path(data), identity.Path(other.data))
	}, "node.json: ")
	f("state of another", false, func(data string) error {
		return replace(filepath.Join(data, "state"), filepath.Join(other.data, "state"))
	}, "node.json: ", "CTL: ")
	f("log of another", false, func(data string) error {
		return replace(filepath.Join(data, "log"), filepath.Join(other.data, "log"))
	}, "CTL: ", "EV_0: ")
	f("stream of another", false, func(data string) error {
		own := streamPath(t, data, "WH")
		return replace(own, streamPath(t, other.data, "WH"))
	}, "WH: ", "another one")
}

func replace(path, by string) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	if out, err := exec.Command("cp", "-a", by, path).CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %w: %s", err, out)
	}
	return nil
}

// forget takes the marks away, as in a directory of a version that had none.
func forget(t *testing.T, data string) {
	t.Helper()
	store, err := storage.OpenPebble(storage.PebbleConfig{Dir: filepath.Join(data, "state")})
	if err != nil {
		t.Fatal(err)
	}
	b := new(storage.Batch)
	b.Delete(storage.PartsKey())
	if err := store.Commit(b); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	id, err := identity.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	id.Log = ""
	if err := id.Save(data); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, "clickhouse", "nudge-id")); err != nil {
		t.Fatal(err)
	}
}

// A directory without marks gets them at the next start; what is missing there is found as
// far as its state tells.
func TestPartsWithoutMarks(t *testing.T) {
	s, _ := newParts(t)
	forget(t, s.data)
	s.start()
	s.ready()
	s.greet(2)
	s.stop()
	store, err := storage.OpenPebble(storage.PebbleConfig{Dir: filepath.Join(s.data, "state"), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	text, err := store.Get(storage.PartsKey())
	if err = errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	var marks struct {
		Log, Node, Rows string
		Streams         map[string]int64
	}
	if err := json.Unmarshal(text, &marks); err != nil || marks.Log == "" || marks.Node == "" || marks.Rows == "" ||
		len(marks.Streams) != 6 {
		t.Errorf("unexpected marks %s, error %v; want CTL, WH, EV_0, FX_0, SEND_console and SEND_hook", text, err)
	}
	for _, name := range []string{"CTL", "WH", "SEND_hook", "EV_0"} {
		forget(t, s.data)
		path := streamPath(t, s.data, name)
		if err := os.Rename(path, path+"-away"); err != nil {
			t.Fatal(err)
		}
		away := filepath.Join(t.TempDir(), name)
		if err := os.Rename(path+"-away", away); err != nil {
			t.Fatal(err)
		}
		s.refuses(name+": ", "is missing")
		if err := os.Rename(away, path); err != nil {
			t.Fatal(err)
		}
		s.start() // nothing was made in its place
		s.ready()
		s.stop()
	}
}

// triggers is how many events led to a message.
func (r *receiver) triggers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sent)
}

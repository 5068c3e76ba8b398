package streamtest

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
)

// Witness sees what is published to a log and how it is answered. A writer is known
// by the inbox that the answers to its connection go to.
type Witness struct {
	mu     sync.Mutex
	inbox  map[string]bool      // of those who published so far
	stored map[string][2]uint64 // inbox and kind of stream -> messages stored, refused
}

// NewWitness watches the server at url until the test ends.
func NewWitness(t *testing.T, url string) *Witness {
	t.Helper()
	w := &Witness{inbox: map[string]bool{}, stored: map[string][2]uint64{}}
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if _, err := conn.Subscribe("nudge.*", w.published); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Subscribe("_INBOX.>", w.answered); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *Witness) published(m *nats.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inbox[owner(m.Reply)] = true
}

func (w *Witness) answered(m *nats.Msg) {
	var ack struct {
		Stream string          `json:"stream"`
		Error  json.RawMessage `json:"error"`
	}
	if json.Unmarshal(m.Data, &ack) != nil || ack.Stream == "" {
		return // an answer to something else
	}
	kind, _, _ := strings.Cut(ack.Stream, "_")
	key := owner(m.Subject) + " " + kind
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.stored[key]
	if ack.Error == nil {
		n[0]++
	} else {
		n[1]++
	}
	w.stored[key] = n
}

// owner is the part of an inbox that all answers to one connection share.
func owner(subject string) string {
	parts := strings.SplitN(subject, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

// Writers are those who published so far.
func (w *Witness) Writers() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]string, 0, len(w.inbox))
	for writer := range w.inbox {
		all = append(all, writer)
	}
	slices.Sort(all)
	return all
}

// Count is how many messages of writers were stored, and refused, by the streams of
// a kind: what stands before the underscore of their names.
func (w *Witness) Count(kind string, writers []string) (stored, refused uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, writer := range writers {
		n := w.stored[writer+" "+kind]
		stored, refused = stored+n[0], refused+n[1]
	}
	return stored, refused
}

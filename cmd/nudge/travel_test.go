package main

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"github.com/nudge-engine/nudge/campaign/unit"
)

const travelled = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: trip}
spec:
  trigger: {event: {name: Go}}
  reentry: {on_active: parallel}
  goals: [{id: back, event: Back, window: 3d, stop: true}]
  steps:
    - {id: first, delay: 1h}
    - {id: say, send: {channel: email}}
    - {id: mark, set: {traits: {seen: {cel: "now"}}, tags: [known]}}
    - {id: rest, delay: 20h}
`

// moment is what the shard said of a customer when a frame was applied.
type moment struct {
	at   int64
	view map[string]string // by customer; empty before their first record
}

// The state at a past instant is what the shard had then: from the beginning of the log,
// from a checkpoint, between frames; what the log and the checkpoints no longer reach is
// refused with the earliest instant that they do.
func TestTimeTravel(t *testing.T) {
	s := newStory(t, t.TempDir())
	defer s.close(t)
	s.apply(t, travelled)
	var moments []moment
	s.after = func() {
		m := moment{at: s.clock, view: map[string]string{"ann": s.view(t, "ann"), "bob": s.view(t, "bob")}}
		if n := len(moments); n > 0 && moments[n-1].at == m.at {
			moments = moments[:n-1] // the last frame of an instant holds
		}
		moments = append(moments, m)
	}
	look := func(customer, at string) (out, errs string) { return s.tool(t, "customer", customer, "--at", at) }
	check := func(from int64) {
		t.Helper()
		for _, m := range moments {
			if m.at < from {
				continue
			}
			for _, at := range []int64{m.at, m.at + 1} { // 1 ms later nothing more has happened
				for _, customer := range []string{"ann", "bob"} {
					out, errs := look(customer, unit.FormatTime(at))
					switch want := m.view[customer]; {
					case want == "" && !strings.Contains(errs, "no event of customer "+customer+" was seen until"):
						t.Errorf("%s at %s: %s; want: not seen", customer, unit.FormatTime(at), out)
					case want != "" && !reflect.DeepEqual(state(t, out), state(t, want)):
						t.Errorf("%s at %s:\n%s\nwant\n%s", customer, unit.FormatTime(at), out, want)
					}
				}
			}
		}
	}

	s.calls(t, `{"type": "track", "userId": "ann", "event": "Go"}`)
	s.advance(t, "90m")
	s.calls(t, `{"type": "track", "userId": "bob", "event": "Go"}
{"type": "identify", "userId": "ann", "traits": {"name": "Ann"}}`)
	s.advance(t, "10m")
	check(0)

	// The oldest checkpoint is as far as it goes when the log before it is gone; a later
	// one is taken up where it is nearer.
	s.checkpoint(t, true)
	reach := moments[len(moments)-1].at
	s.advance(t, "3h")
	s.calls(t, `{"type": "track", "userId": "ann", "event": "Go"}`)
	s.checkpoint(t, false)
	s.advance(t, "5h")
	s.calls(t, `{"type": "track", "userId": "ann", "event": "Back"}`)
	s.advance(t, "2d")
	s.snapshot(t)
	check(reach)
	_, errs := look("ann", unit.FormatTime(reach-1))
	if want := "go back to " + unit.FormatTime(reach); !strings.Contains(errs, want) {
		t.Errorf("before the earliest: %s; want %q", errs, want)
	}
	last := moments[len(moments)-1]
	out, errs := s.tool(t, "customer", "ann")
	if !reflect.DeepEqual(state(t, out), state(t, last.view["ann"])) {
		t.Errorf("without an instant: %s%s", out, errs)
	}
}

// state is a customer as JSON, without the decisions, which are no part of the state.
func state(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	delete(v, "recent_decisions")
	return v
}

// The directory of a running server is left alone.
func TestPastOfARunningServer(t *testing.T) {
	dir := t.TempDir()
	lock := flock.New(filepath.Join(dir, "lock"))
	if locked, err := lock.TryLock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	defer func() { _ = lock.Unlock() }()
	for _, command := range []string{"explain ann", "explain --customer ann", "customer ann"} {
		code, _, errs := runTool(t, append(strings.Fields(command), "--data", dir)...)
		if code == 0 || !strings.Contains(errs, "is in use: stop the server first") {
			t.Errorf("%s: exit %d: %s; want: in use", command, code, errs)
		}
	}
}

func TestTimeTravelArguments(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"customer ann --at 2026-03-01T10:00:00Z", "--at needs --data"},
		{"customer ann --data DIR --at yesterday", `--at "yesterday" is no time`},
		{"customer ann --data DIR", "state"}, // nothing is there
		{"explain ann --from 2026-03-01T10:00:00Z", "--from and --until need --data"},
		{"explain --customer ann --data DIR --until x", `--until "x" is no time`},
	} {
		code, out, errs := runTool(t, strings.Fields(strings.ReplaceAll(c.args, "DIR", t.TempDir()))...)
		if code == 0 || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d: %s%s; want %q", c.args, code, out, errs, c.want)
		}
	}
}

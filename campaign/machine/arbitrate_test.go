package machine

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// rival is a campaign that competes for the places of one cap.
type rival struct {
	name     string
	priority int
	exempt   bool
	delay    int64 // minutes before its send is due
}

func (r rival) text() string {
	category := program.Marketing
	if r.exempt {
		category = program.Transactional
	}
	return fmt.Sprintf(`apiVersion: nudge/v1
kind: Campaign
metadata: {name: %s}
spec:
  trigger: {event: {name: Start, where: event.properties.delay == %d}}
  policy: {priority: %d, caps: [c], category: %s}
  steps:
    - {id: d, delay: %dm}
    - {id: s, send: {channel: email}}
`, r.name, r.delay, r.priority, category, r.delay)
}

// What is due together competes in one total order: transactional first, then priority,
// due time, name. The order of the documents does not show. Half of the sends are
// late: they were due earlier and are decided at the same instant.
func TestArbitrationIsATotalOrder(t *testing.T) {
	// shows: 142, 146
	const places = 3
	for seed := range uint64(200) {
		r := seeded(seed)
		rivals := make([]rival, 2+r.IntN(8))
		names := r.Perm(26)
		for i := range rivals {
			rivals[i] = rival{
				name: string(rune('a' + names[i])), priority: r.IntN(3), exempt: r.IntN(5) == 0, delay: 1 + r.Int64N(2),
			}
		}
		want := slices.Clone(rivals)
		sort.Slice(want, func(i, j int) bool {
			a, b := want[i], want[j]
			switch {
			case a.exempt != b.exempt:
				return a.exempt
			case a.priority != b.priority:
				return a.priority > b.priority
			case a.delay != b.delay:
				return a.delay < b.delay
			}
			return a.name < b.name
		})
		var wanted []string
		left := places
		for _, w := range want {
			if w.exempt {
				wanted = append(wanted, w.name)
			} else if left > 0 {
				left--
				wanted = append(wanted, w.name)
			}
		}
		sort.Strings(wanted)
		for range 3 {
			r.Shuffle(len(rivals), func(i, j int) { rivals[i], rivals[j] = rivals[j], rivals[i] })
			if got := compete(t, rivals, places); !slices.Equal(got, wanted) {
				t.Fatalf("seed %d: %+v: %v were sent; want %v", seed, rivals, got, wanted)
			}
		}
	}
}

// compete gives the campaigns that sent, in the order of their rows.
func compete(t *testing.T, rivals []rival, places int) []string {
	t.Helper()
	texts := []string{fmt.Sprintf(`apiVersion: nudge/v1
kind: Policy
metadata: {name: p}
spec: {caps: [{name: c, limit: %d, window: 24h}]}
`, places)}
	for _, r := range rivals {
		texts = append(texts, r.text())
	}
	s := newStage(t, strings.Join(texts, "---\n"))
	s.now = 1_772_359_200_000
	s.event("Start", `{"delay":1}`)
	s.event("Start", `{"delay":2}`)
	s.now += 2 * 60_000
	s.m.Fire(s.c, s.now, s.now, &s.out) // what was due a minute ago, and now
	s.take()
	var sent []string
	for _, d := range s.sent {
		sent = append(sent, d.Campaign)
	}
	if len(sent)+len(s.refused) != len(rivals) {
		t.Fatalf("%d sent, %d refused of %d", len(sent), len(s.refused), len(rivals))
	}
	sort.Strings(sent)
	return sent
}

// Transactional deliveries go first also where they compete: for a dedupe key.
func TestTransactionalGoesFirst(t *testing.T) {
	const text = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: %s}
spec:
  trigger: {event: {name: E}}
  policy: {priority: %d, category: %s, dedupe: {key: trigger.properties.id, window: 1h}}
  steps: [{id: s, send: {channel: email}}]
`
	s := newStage(
		t,
		fmt.Sprintf(text, "a", 9, program.Marketing)+"---\n"+fmt.Sprintf(text, "b", 0, program.Transactional),
	)
	s.now = 1_772_359_200_000
	s.event("E", `{"id": 1}`)
	if len(s.sent) != 1 || s.sent[0].Campaign != "b" || len(s.refused) != 1 ||
		s.refused[0].Reason != output.ReasonDedupe {
		t.Errorf("sent %+v, refused %+v; want b, a for its key", s.sent, s.refused)
	}
}

// The rows of an instant are by campaign and entry number, whatever the order in which
// they were decided.
func TestRowsAreByCampaign(t *testing.T) {
	s := newStage(t, strings.Join([]string{`apiVersion: nudge/v1
kind: Policy
metadata: {name: p}
spec: {caps: [{name: c, limit: 9, window: 24h}]}
`, rival{"b", 3, false, 1}.text(), rival{"a", 1, false, 1}.text(), rival{"c", 2, true, 1}.text()}, "---\n"))
	s.now = 1_772_359_200_000
	s.event("Start", `{"delay":1}`)
	s.advance(s.now + 60_000)
	var got []string
	for _, d := range s.sent {
		got = append(got, d.Campaign)
	}
	if strings.Join(got, "") != "abc" {
		t.Errorf("rows in the order %v", got)
	}
}

// Of one group at most one chain is live, and the highest priority of those that a
// record starts, whatever their names.
func TestGroupIsIndependentOfNames(t *testing.T) {
	// shows: 142
	for seed := range uint64(100) {
		r := seeded(seed)
		names, priorities := r.Perm(26)[:4], r.Perm(4)
		var texts []string
		want := ""
		for i, n := range names {
			name := string(rune('a' + n))
			if priorities[i] == 3 {
				want = name
			}
			texts = append(texts, fmt.Sprintf(`apiVersion: nudge/v1
kind: Campaign
metadata: {name: %s}
spec:
  trigger: {event: {name: E}}
  policy: {priority: %d, group: g, preempt: %v}
  steps: [{id: d, delay: 1h}]
`, name, priorities[i], r.IntN(2) == 0))
		}
		s := newStage(t, strings.Join(texts, "---\n"))
		s.now = 1_772_359_200_000
		s.event("E", "{}")
		var live []string
		for _, ch := range s.c.Chains {
			if ch.Live() {
				live = append(live, ch.Campaign)
			}
		}
		if len(live) != 1 || live[0] != want {
			t.Fatalf("seed %d: %v are live; want %s", seed, live, want)
		}
	}
}

// What was handed off does not leave while sends are switched off.
func TestSwitchedOffHoldsPending(t *testing.T) {
	s := newStage(t, rival{"a", 1, true, 1}.text())
	s.now = 1_772_359_200_000
	s.event("Start", `{"delay":1}`)
	s.advance(s.now + 60_000)
	for _, c := range []struct {
		off  program.SendsOff
		want bool
	}{
		{program.SendsOff{}, false},
		{program.SendsOff{Workspace: true}, true},
		{program.SendsOff{Channels: []string{"email"}}, true},
		{program.SendsOff{Campaigns: []string{"a"}}, true},
		{program.SendsOff{Channels: []string{"a"}, Campaigns: []string{"email"}}, false},
	} {
		s.m.set.SetPolicies([]*program.Policy{{Name: "p", Off: c.off}})
		if got := s.m.set.Holds(s.c, s.sent[0].ID); got != c.want {
			t.Errorf("%+v: %v; want %v", c.off, got, c.want)
		}
	}
	if s.m.set.Holds(s.c, output.ID{}) {
		t.Error("what is not pending is held")
	}
}

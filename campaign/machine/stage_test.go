package machine

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// stage is one customer with a machine, on a clock that the test moves.
type stage struct {
	t   *testing.T
	m   *Machine
	c   *customer.Customer
	now int64
	out output.Output
	ids int
	// sent are the deliveries handed off, in the order of their rows; refused those that
	// were not.
	sent, refused, ghosts []output.Delivery
}

func newStage(t *testing.T, text string) *stage {
	t.Helper()
	s := &stage{t: t, m: New(), c: customer.New("w", "ann", 0, 1)}
	s.m.Use(compileSet(t, text))
	return s
}

// compileSet is the set of the campaigns and policies of a text, at version 1.
func compileSet(t *testing.T, text string) *active.Set {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := parse.File(lang, "test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var programs []*program.Program
	var policies []*program.Policy
	for _, d := range docs {
		if d.Campaign != nil {
			d.Campaign.Workspace, d.Campaign.Version = "w", 1
			programs = append(programs, d.Campaign)
		}
		if d.Policy != nil {
			policies = append(policies, d.Policy)
		}
	}
	set := active.NewSet(programs, map[string]uint64{}, 1)
	set.SetPolicies(policies)
	return set
}

// advance fires every timer up to an instant, each when it is due.
func (s *stage) advance(to int64) {
	s.t.Helper()
	for {
		due := s.c.NextDue()
		if due == 0 || due > to {
			break
		}
		s.now = max(s.now, due)
		s.m.Fire(s.c, s.now, s.now, &s.out)
		s.take()
	}
	s.now = to
}

// event applies an event now.
func (s *stage) event(name, properties string) {
	s.t.Helper()
	s.ids++
	e := event.Event{
		Workspace: "w", Customer: s.c.ID, ID: strconv.Itoa(s.ids), Type: event.Track, Name: name, Time: s.now,
		Properties: []byte(properties),
	}
	if name == "$identify" {
		e.Type, e.Properties, e.Traits = event.Identify, nil, []byte(properties)
	}
	s.m.Apply(s.c, &e, s.now, s.ids == 1, &s.out)
	s.take()
}

func (s *stage) result(d *output.Delivery, v output.Verdict) {
	s.t.Helper()
	s.m.Settle(
		s.c,
		&output.Result{Workspace: "w", Customer: s.c.ID, Delivery: d.ID, Attempt: 1, Verdict: v},
		s.now,
		&s.out,
	)
	s.take()
}

// take sorts what was decided, and reads the customer back from its bytes: nothing
// that matters lives elsewhere.
func (s *stage) take() {
	s.t.Helper()
	for _, d := range s.out.Deliveries {
		switch d.Status {
		case output.HandedOff:
			s.sent = append(s.sent, d)
		case output.StatusDropped, output.StatusDefer:
			s.refused = append(s.refused, d)
		case output.StatusGhost:
			s.ghosts = append(s.ghosts, d)
		default:
		}
	}
	s.out.Reset()
	stored := s.c.AppendTo(nil)
	again, err := customer.Decode(stored, event.Names{})
	if err != nil || !bytes.Equal(again.AppendTo(nil), stored) {
		s.t.Fatalf("the customer does not survive: %v", err)
	}
	s.c = again
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

package shard

import (
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/effect"
)

// newMachine is a machine that the configured trace observes, if there is one.
func newMachine(c *Config) *machine.Machine {
	m := machine.New()
	m.Observe(c.Trace)
	return m
}

// Explanation is what a shard can say beside the trace.
type Explanation struct {
	Decisions []output.Decision // since this process started, newest first, at most 50
	// Unknown says that the trace is about a campaign that is not in force.
	Unknown bool
}

// Explain notes in t how its customer stands at an instant (ms; not before the log time);
// known is as for MayLeave, found false when there is no such customer. It works on a
// copy: nothing of the shard changes.
func (s *Shard) Explain(t *trace.Trace, at int64) (found, known bool, err error) {
	c, known := s.Customer(t.Workspace, t.Customer)
	if c == nil {
		return false, known, nil
	}
	own, err := customer.Decode(c.AppendTo(nil), event.Names{})
	if err != nil {
		return false, known, fmt.Errorf("actors: explain %s: %w", t.Customer, err)
	}
	m := machine.New()
	m.Use(s.defs.set(t.Workspace))
	m.ExplainNow(own, max(s.now, at), t)
	return true, known, nil
}

// Explain says how a customer stands at an instant; nil when there is none.
func (o *Owner) Explain(t *trace.Trace, at int64) (*Explanation, error) {
	if err := o.fetch(t.Workspace, t.Customer); err != nil {
		return nil, err
	}
	found, _, err := o.Shard.Explain(t, at)
	if err != nil || !found {
		return nil, err
	}
	x := &Explanation{Unknown: t.Campaign != "" && len(t.Steps) == 0}
	for _, d := range o.recent.Of(t.Workspace, t.Customer) {
		if t.Campaign == "" || d.Campaign == "" || d.Campaign == t.Campaign {
			x.Decisions = append(x.Decisions, d.Decision)
		}
	}
	return x, nil
}

// PastView is a customer as a replayed shard has them, with what the replay decided about
// them (newest first); nil when there is no such customer.
func (s *Shard) PastView(workspace, id string, decisions []output.Decision) *view.Customer {
	c, _ := s.Customer(workspace, id)
	if c == nil {
		return nil
	}
	all := make([]view.Noted, len(decisions))
	for i := range decisions {
		all[i].Decision = decisions[i]
	}
	return view.New(c, all)
}

// duplicateTraced notes in the trace that an event came again.
func (s *Shard) duplicateTraced(e *event.Event) {
	s.config.Trace.Aside(e.Workspace, e.Customer, s.now, output.Decision{Kind: output.Deduplicate, EventID: e.ID})
}

// asideTraced notes in the trace that a record was put aside; of a panic the guard has
// said it.
func (s *Shard) asideTraced(l *effect.DeadLetter) {
	if l.Reason == output.ReasonPanic {
		return
	}
	s.config.Trace.Aside(l.Workspace, l.Customer, s.now, output.Decision{
		Kind: output.Deadletter, Reason: l.Reason, Detail: l.Detail,
	})
}

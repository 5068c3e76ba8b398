package shard

import (
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// Explanation is what a shard adds to a trace.
type Explanation struct {
	// Decisions are those about the customer since this process started, newest first, at
	// most 50. Older ones are in the warehouse.
	Decisions []output.Decision
	// Unknown reports that the trace asks about a campaign that is not in force.
	Unknown bool
}

// Explain records in t how its customer stands at an instant (ms; an earlier one than the
// log time counts as the log time). It works on a copy of the customer, so nothing
// changes. found is false if there is no such customer; known is as for MayLeave.
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

// Explain records in t how its customer stands, and returns what a shard adds to the
// trace; nil if there is no such customer.
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

// PastView returns a customer of a replayed shard as people see it, with the decisions
// that the replay made about them (newest first); nil if there is no such customer.
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

package actors

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign"
)

// newMachine is a machine that the configured trace observes, if there is one.
func newMachine(c *Config) *campaign.Machine {
	m := campaign.NewMachine()
	m.Observe(c.Trace)
	return m
}

// Explanation is how a customer stands, and what was last decided about them.
type Explanation struct {
	At        int64 // log time of the shard, ms
	Trace     *campaign.Trace
	Decisions []campaign.Decision // since this process started, newest first, at most 50
	// Unknown says that the trace is about a campaign that is not in force.
	Unknown bool
}

// Explain notes in t how its customer stands; known is as for MayLeave, found false when
// there is no such customer. It works on a copy: nothing of the shard changes.
func (s *Shard) Explain(t *campaign.Trace) (found, known bool, err error) {
	c, known := s.Customer(t.Workspace, t.Customer)
	if c == nil {
		return false, known, nil
	}
	own, err := campaign.DecodeCustomer(c.AppendTo(nil), campaign.Names{})
	if err != nil {
		return false, known, fmt.Errorf("actors: explain %s: %w", t.Customer, err)
	}
	m := campaign.NewMachine()
	m.Use(s.defs.set(t.Workspace))
	m.Standing(own, s.now, t)
	return true, known, nil
}

// Explain says how a customer stands; nil when there is none.
func (o *Owner) Explain(t *campaign.Trace) (*Explanation, error) {
	if err := o.fetch(t.Workspace, t.Customer); err != nil {
		return nil, err
	}
	found, _, err := o.Shard.Explain(t)
	if err != nil || !found {
		return nil, err
	}
	x := &Explanation{At: o.Shard.Now(), Trace: t, Unknown: t.Campaign != "" && len(t.Occasions) == 0}
	for _, d := range o.recent.of(t.Workspace, t.Customer) {
		if t.Campaign == "" || d.Campaign == "" || d.Campaign == t.Campaign {
			x.Decisions = append(x.Decisions, d)
		}
	}
	return x, nil
}

// PastView is a customer as a replayed shard has them, with what the replay decided about
// them (newest first); nil when there is no such customer.
func (s *Shard) PastView(workspace, id string, decisions []campaign.Decision) *View {
	c, _ := s.Customer(workspace, id)
	if c == nil {
		return nil
	}
	return newView(c, decisions)
}

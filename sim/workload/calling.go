package workload

import (
	"slices"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// calling gives campaigns and their later versions steps that call, some of which look at
// the reply.
func (d *draw) calling(w *Workload) {
	for i := range w.Campaigns {
		d.withCalls(&w.Campaigns[i])
	}
	for i := range w.Edits {
		w.Edits[i].Campaigns = slices.Clone(w.Edits[i].Campaigns)
		for j := range w.Edits[i].Campaigns {
			d.withCalls(&w.Edits[i].Campaigns[j])
		}
	}
	if d.one(4) && w.Policy != nil {
		h := *w.Policy
		h.OffChannels = append(slices.Clone(h.OffChannels), audit.CallChannel)
		w.Policy = &h
	}
}

// withCalls has some steps of a campaign call instead of what they did.
func (d *draw) withCalls(c *audit.Campaign) {
	var steps []audit.Step
	for i, s := range c.Steps {
		switch {
		case s.Delay != nil && d.one(2), s.Send != nil && d.one(8):
			s.Delay, s.Send = nil, nil
			s.Call = d.call(c.Steps, i)
		}
		steps = append(steps, s)
		if s.Call != nil && s.Call.Wait && s.Goto == "" && d.one(2) {
			steps = append(steps, audit.Step{ID: s.ID + "r", Branch: &audit.Branch{Arms: []audit.Arm{{
				When: audit.P(d.replied()), Goto: d.after(c.Steps, i),
			}}}})
		}
	}
	c.Steps = reachable(steps)
}

func (d *draw) replied() audit.Comparison {
	if d.one(3) {
		return audit.Comparison{Subject: audit.SubjectReply, Path: "level", Op: "==", Value: "gold"}
	}
	return audit.Comparison{Subject: audit.SubjectReply, Path: "points", Op: ">=", Value: 10.0}
}

func (d *draw) call(steps []audit.Step, i int) *audit.Call {
	call := audit.Call{Wait: !d.one(3)}
	if call.Wait && !d.one(3) {
		call.Timeout = d.duration()
	}
	if d.one(3) {
		call.Expires = pick(d, []time.Duration{time.Minute, time.Hour, d.duration()})
	}
	if d.one(2) && i+1 < len(steps) {
		call.OnFail = d.after(steps, i)
	}
	if d.one(4) {
		call.Needs = "value"
	}
	return &call
}

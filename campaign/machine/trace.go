package machine

import (
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// recorded begins a step of the trace for an event. What follows is noted under it.
func (m *Machine) recorded(e *event.Event) {
	what := "event"
	if m.depth > 0 {
		what = "derived event"
	}
	m.trace.Step(trace.Step{At: m.now, What: what, Name: e.Name, ID: e.ID, Time: e.Time})
}

// timed begins a step of the trace for a timer that fires.
func (m *Machine) timed(t *timer) {
	o := trace.Step{At: m.now, What: "timer", Due: m.planned}
	switch {
	case t.chain != nil:
		o.Name = t.chain.Campaign + "/" + t.chain.Step
	case t.watch != "":
		o.Name = "inactivity of " + t.watch
	case t.date > 0:
		o.Name = "date of " + t.campaign
	case t.level:
		o.Name = "value of " + t.campaign
	default:
		d := &m.c.Pending[t.pending].Delivery
		o.Name = "delivery of " + d.Campaign + "/" + d.Step
	}
	m.trace.Step(o)
}

// visited begins a step of the trace for a task that concerns all customers.
func (m *Machine) visited(v *active.BulkTask) {
	o := trace.Step{At: m.now, Due: v.Due}
	switch v.Kind {
	case active.BulkBroadcast:
		o.What, o.Name, o.ID, o.Time = "broadcast", v.Event.Name, v.Event.ID, v.Event.Time
	case active.BulkSchedule:
		o.What = "schedule"
	case active.BulkActivation:
		o.What = "activation"
	case active.BulkForget:
		o.What = "counters that are kept no more"
	}
	m.trace.Step(o)
}

// quietly calls f, and drops what it writes and notes. It serves explanations, which evaluate without
// deciding.
func (rs *rows) quietly(f func()) {
	out, trace := rs.to, rs.trace
	rs.to, rs.trace = new(output.Output), nil
	f()
	rs.to, rs.trace = out, trace
}

package machine

import (
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
)

// broadcasting returns the programs whose audience may hold for a broadcast, by campaign name. It is
// valid until the next call of a lookup; so are the results of the others in this file.
func (ts *triggers) broadcasting(event string) []*program.Program {
	all, x := ts.set.BroadcastIndex(event)
	if x == nil || ts.unindexed || ts.trace != nil { // who asks why is told of each
		return all
	}
	return ts.pick(all, x)
}

// newcomers returns the programs that watch customers from their first record on and have
// something to do about this one, by campaign name.
func (ts *triggers) newcomers() []*program.Program {
	all, x := ts.set.ProfileIndex()
	if x == nil || ts.unindexed {
		return all
	}
	return ts.pick(all, x)
}

// pick returns those of the programs that an index finds. An index may find too many, never too few.
func (ts *triggers) pick(all []*program.Program, x *expr.Index) []*program.Program {
	ts.found, ts.programs = x.Find(ts.scope, ts.found[:0]), ts.programs[:0]
	for _, i := range ts.found {
		ts.programs = append(ts.programs, all[i])
	}
	return ts.programs
}

// looking returns the places in w of the segments and thresholds whose value before a record has to
// be known, ascending.
func (ts *triggers) looking(w *active.TriggerIndex, created bool) []int32 {
	if w.All || ts.unindexed || ts.trace != nil { // who asks why is told of each
		ts.found = w.Valued(ts.found[:0])
	} else {
		ts.found = w.Look(ts.scope, ts.c, created, &ts.heights, ts.found[:0])
	}
	return ts.found
}

// concerned returns the places in w of the programs that may do something about a record, ascending,
// after it changed the customer; event says whether there is one. Those that were measured before the
// record are always among them, since their value may have changed.
func (ts *triggers) concerned(w *active.TriggerIndex, event bool) []int32 {
	ts.found = ts.found[:0]
	if w.All || ts.unindexed || ts.trace != nil { // who asks why is told of each
		ts.found = w.Everything(ts.found)
		return ts.found
	}
	for i := range ts.before {
		ts.found = append(ts.found, ts.before[i].at)
	}
	ts.found = w.Candidates(ts.scope, ts.c, ts.seenTraits, event, &ts.heights, ts.found)
	return ts.found
}

package machine

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// triggers asks the campaigns whether an input concerns them, and keeps what that takes: armed
// dates and inactivity timers, streaks, the side of a threshold or segment on which the customer
// is.
//
// A trigger that looks at a value fires when the value changed: before has the values before the
// record, seenTraits and seenTags the profile at which triggers last looked.
type triggers struct {
	*turn

	zones   *zones
	profile *profile
	chains  *chains
	entries *entries

	// before has the values, before the current record, that it can change, by campaign name; heights those
	// of thresholds, once for each expression.
	before  []observation
	heights active.ValuesBefore
	// seenTraits and seenTags are the profile that triggers last looked at, see notedProfile.
	seenTraits []byte
	seenTags   []string

	found    []int32            // scratch: what indexes found
	programs []*program.Program // scratch: these programs
}

// apply asks the campaigns that watch a record, by campaign name. Those of which an index tells that
// they would do nothing are not asked.
func (ts *triggers) apply(watch *active.TriggerIndex, e *event.Event) {
	for _, at := range ts.concerned(watch, true) {
		ts.evaluate(watch.Programs[at], e)
	}
	ts.notedProfile()
}

// evaluate asks one campaign's trigger about the current record; e is nil when a step or a merge changed
// the profile without one.
func (ts *triggers) evaluate(p *program.Program, e *event.Event) {
	ts.scope.Chain.Chain = nil
	ts.scope.Trigger.Set(e)
	if ts.trace != nil {
		ts.explain(p, e)
	}
	switch t := p.Trigger.(type) {
	case *program.EventTrigger:
		if t.Where == nil || ts.holds(t.Where, p.Name) {
			ts.entries.tryEnter(p, e)
		}
	case *program.WebhookTrigger:
		ts.entries.tryEnter(p, e)
	case *program.CountTrigger:
		ts.countTrigger(p, t, e)
	case *program.InactivityTrigger:
		ts.rearm(p, t, e)
	case *program.StreakTrigger:
		ts.streak(p, t, e)
	case *program.ThresholdTrigger, *program.SegmentTrigger:
		if ts.crossed(p) {
			ts.entries.tryEnter(p, e)
		}
	case *program.ChangeTrigger:
		ts.change(p, t, e)
	case *program.DateTrigger:
		ts.planDates(p, t, true, ts.keptDate(t, e))
	case *program.BroadcastTrigger, *program.ScheduleTrigger: // come as visits
	}
}

// countTrigger fires when the customer's counter has just reached the number of the trigger. A customer
// whose history before the counter is unknown is refused, unless the campaign says that the events
// counted so far are enough (existing: include).
func (ts *triggers) countTrigger(p *program.Program, t *program.CountTrigger, e *event.Event) {
	spec := ts.set.CounterSpecFor(t.Event, t.Where)
	c := ts.c.Counter(spec.ID)
	if c == nil || c.Count != t.Reaches {
		return
	}
	// The count stands at N also after a later event that does not match.
	if t.Where != nil && !ts.holds(t.Where, p.Name) {
		return
	}
	if ts.profile.historyUnknown(spec) && !p.Existing {
		ts.out.refuse(p, output.ReasonHistory)
		return
	}
	ts.entries.tryEnter(p, e)
}

// rearm moves the inactivity timer to the latest matching event. An event that arrives late and is not
// the latest moves nothing: the counter's Last tells.
func (ts *triggers) rearm(p *program.Program, t *program.InactivityTrigger, e *event.Event) {
	c := ts.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where)))
	if c == nil || c.Last != e.Time || (t.Where != nil && !ts.holds(t.Where, p.Name)) {
		return
	}
	ts.arm(p, t, e)
}

// arm sets the inactivity timer that event e starts. An event older than the campaign takes, whose
// silence is over already, arms nothing.
func (ts *triggers) arm(p *program.Program, t *program.InactivityTrigger, e *event.Event) {
	due := e.Time + t.For
	if due <= ts.now && (e.Historical || ts.now-e.Time > p.MaxEventAge) {
		ts.c.DropWatch(p.Name)
		return
	}
	ts.c.SetWatch(customer.InactivityTimer{Campaign: p.Name, Due: due, Trigger: e.AppendBody(nil)})
}

// watchProfiles arms what counts from a customer's first record e: date triggers, and inactivity
// triggers whose event the customer never did. That record is their trigger.
func (ts *triggers) watchProfiles(e *event.Event) {
	for _, p := range ts.newcomers() {
		if t, ok := p.Trigger.(*program.DateTrigger); ok {
			ts.planDates(p, t, false, false)
		}
		t, ok := p.Trigger.(*program.InactivityTrigger)
		if !ok {
			continue
		}
		if c := ts.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where))); c == nil || c.Count == 0 {
			ts.arm(p, t, e)
		}
	}
}

// fireWatch enters a chain for a silence that is over. The campaign may have gone, or have another
// trigger, since the timer was set.
func (ts *triggers) fireWatch(campaign string) {
	i, found := ts.c.Watch(campaign)
	if !found {
		return
	}
	trigger := event.DecodeBody(ts.c.Watches[i].Trigger)
	ts.c.DropWatch(campaign)
	p := ts.set.ByName[campaign]
	if p == nil {
		return
	}
	if _, ok := p.Trigger.(*program.InactivityTrigger); !ok {
		return
	}
	ts.entries.enterByTime(p, trigger)
}

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

// streak marks an event in the customer's streak of a campaign, and asks for an entry if that
// completes it. An event that both breaks and counts breaks the streak. Marks are kept by event
// time, so a late event lands where it belongs.
func (ts *triggers) streak(p *program.Program, t *program.StreakTrigger, e *event.Event) {
	breaks := t.BreakOn != nil && t.BreakOn.Event == e.Name &&
		(t.BreakOn.Where == nil || ts.holds(t.BreakOn.Where, p.Name))
	counts := !breaks && t.Event == e.Name && (t.Where == nil || ts.holds(t.Where, p.Name))
	if !breaks && !counts {
		return
	}
	s := ts.ensureStreak(p, t)
	if s != nil && s.Mark(customer.Mark{Time: e.Time, Break: breaks}, t.Length, t.MaxGap) {
		ts.entries.tryEnter(p, e)
	}
}

// ensureStreak returns the customer's streak of a campaign, an empty one when there is none or the
// trigger has changed (another Spec); nil, with a decision, when the customer has no room for another.
// It is valid until the list of streaks changes.
func (ts *triggers) ensureStreak(p *program.Program, t *program.StreakTrigger) *customer.Streak {
	c := ts.c
	at := func() int {
		return sort.Search(len(c.Streaks), func(i int) bool { return c.Streaks[i].Campaign >= p.Name })
	}
	i := at()
	if i == len(c.Streaks) || c.Streaks[i].Campaign != p.Name {
		// Making room may move the place, so it is searched again.
		c.Streaks = active.InForce(ts.set, c.Streaks, func(s *customer.Streak) string { return s.Campaign })
		if len(c.Streaks) >= maxStates {
			ts.out.refuse(p, output.ReasonStates)
			return nil
		}
		i = at()
		c.Streaks = append(c.Streaks, customer.Streak{})
		copy(c.Streaks[i+1:], c.Streaks[i:])
		c.Streaks[i] = customer.Streak{Campaign: p.Name, Spec: t.Spec}
	}
	if c.Streaks[i].Spec != t.Spec {
		c.Streaks[i] = customer.Streak{Campaign: p.Name, Spec: t.Spec}
	}
	return &c.Streaks[i]
}

package machine

import (
	"slices"
	"sort"
	"time"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// planDates plans the next occurrences of a date trigger, one for each of its offsets, from the
// customer's present profile. report records a value that cannot be read as a date when the profile
// changed just now. kept says that the date itself was known before.
func (ts *triggers) planDates(p *program.Program, t *program.DateTrigger, report, kept bool) {
	v, missing, err := t.Path.Eval(ts.scope)
	d, ok := program.DateValue{}, false
	if err == nil && !missing {
		if d, ok = t.Parse(v); !ok && report && ts.profileChanged() {
			ts.out.decide(
				output.Decision{Campaign: p.Name, Version: p.Version, Kind: output.Erred, Reason: output.ReasonDate},
			)
		}
	}
	loc := ts.zones.dateZone(p, t)
	for _, o := range t.Offsets {
		ts.planDate(p, t, o, d, ok, kept, loc)
	}
	if ts.trace != nil {
		ts.explainPlanned(p, t)
	}
}

// keptDate reports whether a record, nil for a timer, left the date of a recurring trigger as it was,
// so that only the zone moved it: the day of a date that was known before is no anniversary again.
func (ts *triggers) keptDate(t *program.DateTrigger, e *event.Event) bool {
	if e != nil && e.Type != event.Identify || t.Repeat == program.NoRepeat {
		return false
	}
	now, isNow := ts.dateIn(t, ts.c.Traits)
	before, was := ts.dateIn(t, ts.lastTraits())
	ts.scope.Customer.Set(ts.c)
	return isNow && was && now == before
}

// dateIn returns the date of a trigger in a profile with the given traits; ok is false without one.
// It leaves that profile in the scope: the caller gives the scope its customer back.
func (ts *triggers) dateIn(t *program.DateTrigger, traits []byte) (d program.DateValue, ok bool) {
	own := ts.c.Traits
	ts.c.Traits = traits
	ts.scope.Customer.Set(ts.c)
	v, missing, err := t.Path.Eval(ts.scope)
	ts.c.Traits = own
	if err != nil || missing {
		return program.DateValue{}, false
	}
	return t.Parse(v)
}

// planDate plans one offset o of a date trigger; known says that d is a date. The state of an earlier
// version of the trigger (another Spec) counts as none, so that its occurrences may fire again.
// When there is no room, states of campaigns that are no longer in force are dropped first.
func (ts *triggers) planDate(
	p *program.Program,
	t *program.DateTrigger,
	o program.Offset,
	d program.DateValue,
	known, kept bool,
	loc *time.Location,
) {
	c := ts.c
	i := sort.Search(len(c.Dates), func(i int) bool { return !c.Dates[i].Before(p.Name, o.Ms()) })
	found := i < len(c.Dates) && c.Dates[i].Campaign == p.Name && c.Dates[i].Offset == o.Ms()
	old := customer.DateWatch{Campaign: p.Name, Offset: o.Ms(), Spec: t.Spec}
	if found && c.Dates[i].Spec == t.Spec {
		old = c.Dates[i]
	}
	due, n := int64(0), int64(0)
	if known {
		due, n = t.Plan(d, loc, o, ts.asOf, &old, kept)
	}
	old.Due, old.Number = due, n
	switch {
	case found:
		c.Dates[i] = old
	// Nothing is planned, so nothing needs to be remembered.
	case due == 0:
	case len(c.Dates) >= customer.MaxDates:
		c.Dates = active.InForce(ts.set, c.Dates, func(w *customer.DateWatch) string { return w.Campaign })
		if len(c.Dates) >= customer.MaxDates {
			ts.out.refuse(p, output.ReasonStates)
			return
		}
		// Once more: the index has moved.
		ts.planDate(p, t, o, d, known, kept, loc)
	default:
		c.Dates = slices.Insert(c.Dates, i, old)
	}
}

// fireDate fires the planned date at an index of the customer's list: it notes that the occurrence
// fired, plans the next one, and asks for an entry. The next is planned before the entry, so
// that a refused entry does not stop a recurring date.
func (ts *triggers) fireDate(at int) {
	w := &ts.c.Dates[at]
	p := ts.set.ByName[w.Campaign]
	var t *program.DateTrigger
	if p != nil {
		t, _ = p.Trigger.(*program.DateTrigger)
	}
	i := -1
	if t != nil && t.Spec == w.Spec {
		i = slices.IndexFunc(t.Offsets, func(o program.Offset) bool { return o.Ms() == w.Offset })
	}
	if i < 0 { // the campaign is gone, or has no such offset
		ts.c.Dates = slices.Delete(ts.c.Dates, at, at+1)
		return
	}
	o, fired := t.Offsets[i], *w
	w.Fired = append(slices.Clone(w.Fired), w.Number)
	// Only the last occurrences can be asked about again, so few are kept.
	w.Fired = w.Fired[max(0, len(w.Fired)-customer.MaxFired):]
	w.Due, w.Number = 0, 0
	// The date may have gone since it was planned: then nothing fires.
	v, missing, err := t.Path.Eval(ts.scope)
	if err != nil || missing {
		return
	}
	d, ok := t.Parse(v)
	if !ok {
		return
	}
	loc := ts.zones.dateZone(p, t)
	ts.planDate(p, t, o, d, true, true, loc)
	trigger := t.DateEvent(d, loc, o, &fired)
	ts.scope.Chain.Chain = nil
	ts.scope.Trigger.Set(trigger)
	q := ts.entries.entry(p, trigger)
	q.dated = true
	ts.entries.enterIfAllowed(q)
}

// explainPlanned notes the instants at which a date trigger will fire for the customer.
func (ts *triggers) explainPlanned(p *program.Program, t *program.DateTrigger) {
	a := ts.exprFacts(trace.Row(p, nil, trace.RuleTrigger, trace.Note), t.Path)
	for i := range ts.c.Dates {
		if w := &ts.c.Dates[i]; w.Campaign == p.Name {
			a.Facts = append(a.Facts, trace.TimeFact("planned", w.Due))
		}
	}
	ts.trace.Note(a)
}

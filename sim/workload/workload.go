// Package workload draws what the simulator plays: small sets of campaigns and
// a bounded history of calls for them.
//
// Every choice comes from the rand.Rand passed in, so a seed is a workload.
// Campaigns and gaps draw their durations from the same few values: instants
// then coincide often (a stop at the very timer, the last instant of a window,
// a cooldown that is just over), which is where readings of a rule part.
package workload

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// Options bound a workload; what is 0 is drawn.
type Options struct {
	Campaigns int // drawn: 1-6
	Customers int // drawn: 1-50
	Calls     int // drawn: 20-219
	// Exact has most calls come exactly so long after an earlier call of their customer
	// as campaigns count: the last instant of a window, the end of a cooldown, a timer.
	Exact bool
	// Expires has some steps say how long their messages may leave.
	Expires bool
	// Cooldowns has most campaigns use one, and many calls come at the very instant at
	// which one is over. It is for Exact.
	Cooldowns bool
	// Edits is how often definitions are applied again, among the calls.
	Edits int
	// Features are parts of the language beyond the first.
	Features Features
}

// Workload is a set of campaigns, all applied before the first call, the calls in log
// order, and what is applied among them.
type Workload struct {
	Campaigns []audit.Campaign
	Calls     []Call
	Edits     []Edit
	// Policy is the workspace's policy; nil is none. Broadcasts are events without a
	// customer, in log order.
	Policy     *audit.WorkspacePolicy
	Broadcasts []Call
	Erasures   []Erasure
}

// Edit is campaigns that are applied at an instant, new ones or new versions.
type Edit struct {
	At        int64
	Campaigns []audit.Campaign
	Policy    *audit.WorkspacePolicy
}

// Call is one record and the log time it arrives at, in Unix ms.
type Call struct {
	At    int64
	Event audit.Event
}

// Start is the log time calls start from: 2026-03-01T00:00:00Z.
const Start int64 = 1_772_323_200_000

// duplicateWithin has repeated calls come while their ids are mostly still known: a delay
// can take them beyond.
const duplicateWithin = 12 * int64(time.Hour/time.Millisecond)

// draw is the state of one generation.
type draw struct {
	rng    *rand.Rand
	pool   []time.Duration // what campaigns and gaps have in common
	events []string
	o      Options
	f      Features
}

// Generate draws a workload.
func Generate(rng *rand.Rand, o Options) Workload {
	d := &draw{rng: rng, o: o, f: o.Features}
	d.events = eventNames()[:4+rng.IntN(3)]
	all := durations()
	for range 4 {
		d.pool = append(d.pool, pick(d, all))
	}
	if o.Campaigns == 0 {
		o.Campaigns = 1 + rng.IntN(6)
	}
	if o.Customers == 0 {
		o.Customers = 1 + rng.IntN(50)
		if d.one(3) || o.Exact || d.f.any() && !d.one(4) { // few customers: dense histories
			o.Customers = 1 + rng.IntN(4)
		}
		if d.f.Deciding && !d.one(3) { // else all are of one variant
			o.Customers = 6 + rng.IntN(12)
		}
	}
	if o.Calls == 0 {
		o.Calls = 20 + rng.IntN(200)
		if d.f.any() {
			o.Calls = 120 + rng.IntN(200)
		}
	}
	var w Workload
	for i := range o.Campaigns {
		w.Campaigns = append(w.Campaigns, d.campaign("camp-"+strconv.Itoa(i+1)))
	}
	if d.f.any() {
		w.Policy = d.workspacePolicy()
		for i := range w.Campaigns {
			d.enrich(&w.Campaigns[i], i+1, len(w.Campaigns))
		}
	}
	w.Calls = d.calls(o, w)
	for range o.Edits {
		d.edit(&w)
	}
	slices.SortStableFunc(w.Edits, func(x, y Edit) int { return cmp.Compare(x.At, y.At) })
	w.Edits = counting(w.Campaigns, w.Edits)
	if d.f.BulkScans {
		d.bulkScans(&w)
	}
	d.datesAndStatuses(&w)
	d.changes(&w)
	d.callsAndExperiments(&w)
	d.ends(&w)
	d.realSources(&w)
	d.values(&w)
	if d.f.Made {
		cut(&w)
	}
	return w
}

func eventNames() []string {
	return []string{
		"Cart Updated", "Order Completed", "Cart Cleared", "Product Viewed", "Page Read", "Plan Changed",
	}
}

func durations() []time.Duration {
	return []time.Duration{
		10 * time.Second, time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
		6 * time.Hour, 24 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour,
	}
}

func pick[T any](d *draw, from []T) T { return from[d.rng.IntN(len(from))] }

// one is true once in n.
func (d *draw) one(n int) bool { return d.rng.IntN(n) == 0 }

func (d *draw) duration() time.Duration { return pick(d, d.pool) }

func (d *draw) calls(o Options, w Workload) []Call {
	model := audit.New(w.Campaigns)
	if w.Policy != nil {
		model.SetPolicies(*w.Policy)
	}
	var calls, fresh []Call // fresh: without the repeated ones
	at := Start
	last := make([]int64, o.Customers) // event time of each customer's last record
	came := make([][]int64, o.Customers)
	for i := range o.Calls {
		at += d.gap(o.Customers)
		if i > 0 && d.one(15) {
			if again := pick(d, fresh); at-again.At <= duplicateWithin {
				calls = append(calls, Call{At: at, Event: again.Event})
				continue
			}
		}
		if o.Cooldowns {
			follow(model, calls, at)
			if again, ok := d.freed(model, fresh, at); ok && d.one(2) {
				at = again.At
				again.Event.ID, again.Event.Time = "m"+strconv.Itoa(i+1), at
				fresh = append(fresh, again)
				calls = append(calls, again)
				continue
			}
		}
		who := d.rng.IntN(o.Customers)
		if o.Exact {
			at = d.coincide(at, came[who])
			came[who] = append(came[who], at)
		}
		e := d.event()
		e.Customer = "u" + strconv.Itoa(who+1)
		e.ID = "m" + strconv.Itoa(i+1)
		e.Time = d.eventTime(at, last[who])
		last[who] = e.Time
		fresh = append(fresh, Call{At: at, Event: e})
		calls = append(calls, fresh[len(fresh)-1])
	}
	return calls
}

// follow plays the calls before an instant to the model, and its timers up to it.
func follow(model *audit.Auditor, calls []Call, at int64) {
	for i := range calls {
		c := &calls[i]
		if c.At <= model.Now() && i+1 < len(calls) {
			continue // played before
		}
		play(model, c.At)
		model.Event(c.Event) // the model passes over an id that it has seen
	}
	play(model, at-1)
}

func play(model *audit.Auditor, at int64) {
	for due, ok := model.Next(); ok && due <= at; due, ok = model.Next() {
		model.Frame(due)
	}
	model.Frame(at)
}

// freed is a call that would start a chain at the first instant from at on at which
// a cooldown is over: the trigger of the chain before comes again.
func (d *draw) freed(model *audit.Auditor, fresh []Call, at int64) (again Call, ok bool) {
	for _, f := range model.Cooling() {
		if f.At < at || ok && f.At >= again.At {
			continue
		}
		for i := range fresh {
			if e := &fresh[i].Event; e.ID == f.TriggerID && e.Customer == f.Customer {
				again, ok = Call{At: f.At, Event: *e}, true
			}
		}
	}
	return again, ok
}

// gap is the log time between two calls, ms. With many customers the longer
// ones are rarer: one customer's own gaps stay of the size of the durations.
func (d *draw) gap(customers int) int64 {
	longer := 2
	if customers > 8 {
		longer = 5
	}
	if !d.one(longer) {
		return pick(d, []int64{0, 0, 1, 7, 900, 1000, 10_000, 60_000})
	}
	gap := d.duration().Milliseconds()
	switch d.rng.IntN(8) {
	case 0:
		return gap - 1
	case 1:
		return gap + 1
	case 2:
		return gap + d.duration().Milliseconds()
	case 3:
		return d.rng.Int64N(gap)
	}
	return gap
}

// coincide moves a call to an instant that lies one or two of the durations behind
// an earlier call of its customer, as far as one of those drawn is ahead.
func (d *draw) coincide(at int64, came []int64) int64 {
	for range min(8, len(came)) {
		since := came[len(came)-1-d.rng.IntN(min(4, len(came)))]
		t := since + d.duration().Milliseconds()
		if d.one(3) { // what began when the first was over
			t += d.duration().Milliseconds()
		}
		if t >= at {
			return t
		}
	}
	return at
}

// eventTime is mostly the log time; else earlier, or that of the record before.
func (d *draw) eventTime(at, last int64) int64 {
	switch d.rng.IntN(12) {
	case 0:
		return at - d.duration().Milliseconds()
	case 1:
		return at - d.rng.Int64N(5000)
	case 2:
		return at - pick(d, []int64{23, 24, 25, 31 * 24})*int64(time.Hour/time.Millisecond)
	case 3:
		if last != 0 {
			return last
		}
	}
	return at
}

func (d *draw) event() audit.Event {
	if d.f.any() {
		if e, ok := d.further(); ok {
			return e
		}
	}
	if d.one(7) {
		return audit.Event{Type: audit.TypeIdentify, Traits: d.traits(), Historical: d.one(25)}
	}
	p := map[string]any{"color": pick(d, []string{"red", "blue"})}
	if !d.one(8) {
		p["cart_id"] = pick(d, []string{"A", "B", "C"})
		if d.f.Dedupe && d.o.Exact {
			p["cart_id"] = "A"
		}
	}
	if !d.one(8) {
		p["value"] = pick(d, []float64{5, 10, 20, 40})
	}
	if d.one(2) {
		p["total"] = pick(d, []float64{0, 1.25, 99.5})
	}
	return audit.Event{Type: audit.TypeTrack, Name: pick(d, d.events), Properties: p, Historical: d.one(25)}
}

func (d *draw) traits() map[string]any {
	t := map[string]any{}
	switch d.rng.IntN(4) {
	case 0:
		t["level"] = nil
	case 1, 2:
		t["level"] = pick(d, []string{"basic", "silver", "gold"})
	}
	if d.one(2) {
		t["score"] = pick(d, []float64{0.5, 3, 10})
	}
	return t
}

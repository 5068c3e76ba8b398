package workload

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// pauses has campaigns rest for a while, in each way that the language knows, and mostly
// go on; some keep resting in another way first. Meanwhile customers do what would start
// chains and move those that there are.
func (d *draw) pauses(w *Workload) {
	for range 5 + d.rng.IntN(6) {
		c := pick(d, latest(w))
		if !rests(&c) && !d.f.Changes.Timed {
			continue
		}
		// Chains wait when it comes; not where they emit what starts them, which would never end.
		if d.one(2) && c.Trigger.Event != madeEvent {
			c.Steps = d.waiting(c.Steps)
		}
		call := d.starter(w, &c)
		at := call.At + pick(d, []int64{0, 1, 1000, d.duration().Milliseconds()})
		for again := true; again; again = d.one(4) {
			p := d.paused(c)
			w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{p}})
			long := d.duration()
			if p.Queue && !d.one(3) { // what it keeps is not too old afterwards
				long = min(long, 6*time.Hour)
			}
			d.meanwhile(w, &p, call, at, long.Milliseconds())
			at += long.Milliseconds()
		}
		if d.one(8) {
			continue
		}
		c.Status, c.InFlight = "", pick(d, []string{"", "", audit.Pin})
		if d.one(3) {
			c.Steps = reachable(d.retimed(c.Steps))
		}
		w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{c}})
	}
	slices.SortStableFunc(w.Calls, func(x, y Call) int { return cmp.Compare(x.At, y.At) })
}

// paused is a version of the campaign that rests.
func (d *draw) paused(c audit.Campaign) audit.Campaign {
	c.Status, c.Queue, c.Freeze = audit.Paused, d.one(2), !d.one(4)
	c.InFlight = pick(d, []string{"", "", "", audit.Pin, audit.Exit})
	if c.Trigger.Event == madeEvent { // what is kept leads to more, of which more is kept
		c.Queue = false
	}
	if d.one(4) {
		c.Steps = reachable(d.retimed(c.Steps))
	}
	return c
}

// starter is a call that may have started a chain of the campaign, where one is found.
func (d *draw) starter(w *Workload, c *audit.Campaign) Call {
	call := pick(d, w.Calls)
	for range 8 {
		if n := call.Event.Name; n == c.Trigger.Event || n == "$webhook/"+c.Name {
			break
		}
		call = pick(d, w.Calls)
	}
	return call
}

// meanwhile adds calls of the customer of a call, in a while from at on, that concern the
// campaign: its trigger, or what its waits look for.
func (d *draw) meanwhile(w *Workload, c *audit.Campaign, like Call, at, long int64) {
	for range d.rng.IntN(4) {
		e := like.Event
		e.Properties = map[string]any{"color": pick(d, []string{"red", "blue"}), "value": pick(d, []float64{5, 20})}
		if key := like.Event.Properties[keyProperty]; key != nil && !d.one(3) {
			e.Properties[keyProperty] = key
		}
		e.Type, e.Traits, e.Historical = audit.TypeTrack, nil, false
		e.Name = cmp.Or(c.Trigger.Event, "$webhook/"+c.Name)
		for i := range c.Steps {
			if s := &c.Steps[i]; s.Wait != nil && !d.one(3) {
				e.Name = pick(d, s.Wait.For).Match.Event
				break
			}
		}
		e.ID, e.Time = "p"+strconv.Itoa(len(w.Calls)), at+d.rng.Int64N(long)
		w.Calls = append(w.Calls, Call{At: e.Time, Event: e})
	}
}

// waiting begins with a wait, which some event leads to the end.
func (d *draw) waiting(steps []audit.Step) []audit.Step {
	w := audit.Step{ID: "w0", Wait: &audit.Wait{Timeout: d.duration(), For: []audit.WaitFor{
		{Match: audit.Match{Event: pick(d, d.events)}, Goto: pick(d, []string{"", "", audit.End})},
	}}}
	if len(steps) > 0 && steps[0].ID == w.ID {
		return steps
	}
	return append([]audit.Step{w}, steps...)
}

package workload

import (
	"slices"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// complete gives a step what the whole language has for it, or another verb.
func (d *draw) complete(c *audit.Campaign, s *audit.Step, i, number, of int) {
	n := len(c.Steps)
	later := func() string { return d.after(c.Steps, i) }
	if s.Send != nil {
		send := *s.Send
		if d.one(8) {
			send.Category = audit.Transactional
		}
		if d.f.Caps {
			send.OnCap = pick(d, []string{"", audit.CapDrop, audit.CapDefer, audit.CapDefer, audit.CapExit})
		}
		if d.f.Gates && d.one(3) {
			send.Needs = "value"
		}
		if d.f.Gates && d.one(3) && i+1 < n {
			send.OnFail = later()
		}
		s.Send = &send
		return
	}
	if s.Wait != nil && d.f.Goals && d.one(2) {
		m := d.match()
		s.Wait.RestartOn, s.Wait.MaxRestarts = &m, pick(d, []int{1, 2, 3})
		return
	}
	if s.Delay == nil || d.one(2) {
		return
	}
	if verbs := d.verbs(c, number, of); len(verbs) > 0 {
		s.Delay = nil
		d.verb(s, pick(d, verbs), later, number, of)
	}
}

// verbs are those that a step may have instead of its delay.
func (d *draw) verbs(c *audit.Campaign, number, of int) (verbs []string) {
	if d.f.Experiments {
		verbs = append(verbs, "experiment", "experiment")
	}
	if d.f.Made && c.Trigger.Kind != audit.KindChange && c.Trigger.Kind != audit.KindSegment &&
		c.Trigger.Kind != audit.KindThreshold { // else chains would set what starts them
		verbs = append(verbs, "set", "set")
	}
	if d.f.Made && (c.Trigger.Event != madeEvent || number == 1) {
		verbs = append(verbs, "emit")
	}
	if d.f.Made && number < of {
		verbs = append(verbs, "start")
	}
	if d.f.Calendar {
		verbs = append(verbs, "until", "until")
	}
	return verbs
}

func (d *draw) verb(s *audit.Step, verb string, later func() string, number, of int) {
	switch verb {
	case "experiment":
		weight := pick(d, []int{50, 10, 99})
		s.Experiment = &audit.Experiment{Variants: []audit.Variant{
			{ID: "a", Weight: weight, Goto: later()}, {ID: "b", Weight: 100 - weight},
		}}
		if d.one(4) {
			s.Experiment.Salt = "salt"
		}
		if s.Goto == "" && d.one(2) {
			s.Experiment.Variants[1].Goto = ""
		}
	case "set":
		s.Set = &audit.Set{Trait: "level", Value: pick(d, []any{"basic", "silver", "gold", nil})}
		if d.one(3) {
			s.Set.Trait, s.Set.Value = "score", pick(d, []float64{0.5, 3, 10})
		}
		if d.one(2) {
			s.Set.Tag, s.Set.Remove = "vip", d.one(3)
		}
	case "emit":
		s.Emit = &audit.Emit{Event: madeEvent, Value: pick(d, []float64{5, 20})}
		if d.one(2) {
			s.Emit.Copy = keyProperty
		}
	case "start":
		s.Start = "camp-" + strconv.Itoa(number+1+d.rng.IntN(of-number))
	case "until":
		s.Until = &audit.Until{Minute: pick(d, []int{0, 9 * 60, 2*60 + 30, 21 * 60})}
		if d.one(2) {
			s.Until.Days = []time.Weekday{time.Monday, time.Wednesday, time.Sunday}
		}
		if d.one(3) {
			s.Until.Zone = pick(d, zones())
		}
	}
}

// after is the id of a step after the i-th, or the end. It is one that is reached
// anyway, so that no step becomes reached or unreached.
func (d *draw) after(steps []audit.Step, i int) string {
	if i+1 == len(steps) || d.one(4) {
		return audit.End
	}
	return steps[i+1+d.rng.IntN(len(steps)-i-1)].ID
}

// loop has some later steps go back to one that allows it. A rest lies between, so that
// a chain does not send often in one instant.
func (d *draw) loop(c *audit.Campaign) {
	rests := func(s audit.Step) bool { return s.Delay != nil || s.Wait != nil || s.Until != nil }
	for i := range c.Steps {
		s := &c.Steps[i]
		if !rests(*s) || i == 0 || i+1 == len(c.Steps) || s.Goto != "" || d.one(3) {
			continue
		}
		to := d.rng.IntN(i + 1)
		c.Steps[to].Loop = 1 + d.rng.IntN(3)
		if s.Wait != nil {
			w := *s.Wait
			w.For = slices.Clone(w.For)
			w.For[0].Goto = c.Steps[to].ID
			s.Wait = &w
			continue
		}
		s.Goto = c.Steps[to].ID
	}
}

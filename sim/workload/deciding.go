package workload

import (
	"slices"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// deciding has some campaigns look for the better of two ways, with a rule that few chains
// satisfy, and some of their versions change it.
func (d *draw) deciding(w *Workload) {
	var with []int
	for i := range w.Campaigns {
		if i > 0 && d.one(2) {
			continue
		}
		d.decided(&w.Campaigns[i])
		with = append(with, i)
	}
	for range d.rng.IntN(4) {
		whole := w.Campaigns[pick(d, with)]
		c := whole
		c.Status = "" // a draft that has chains is frozen
		c.Goals, c.Steps = slices.Clone(c.Goals), slices.Clone(c.Steps)
		x := *c.Steps[0].Experiment
		x.Variants = slices.Clone(x.Variants)
		c.Steps[0].Experiment = &x
		switch d.rng.IntN(5) {
		case 0:
			x.Winner = d.rule()
		case 1:
			x.Variants[0].Weight, x.Variants[1].Weight = x.Variants[1].Weight, x.Variants[0].Weight
		case 2:
			c.Goals[0].Window = d.duration()
		case 3:
			c.Steps[0] = audit.Step{ID: c.Steps[0].ID + "-gone", Branch: &audit.Branch{Arms: []audit.Arm{
				{When: d.about(audit.SubjectTrigger), Goto: x.Variants[0].Goto},
			}}}
		case 4:
			c.Steps = reachable(append(c.Steps[:1:1], d.retimed(c.Steps[1:])...))
		}
		at := d.rng.IntN(len(w.Calls))
		w.Edits = append(w.Edits, Edit{At: w.Calls[at].At, Campaigns: []audit.Campaign{c}})
		if c.Steps[0].Experiment == nil && d.one(2) { // and comes again
			whole.Status = ""
			again := w.Calls[min(at+1+d.rng.IntN(20), len(w.Calls)-1)].At
			w.Edits = append(w.Edits, Edit{At: again, Campaigns: []audit.Campaign{whole}})
		}
	}
}

// decided puts an experiment before the steps of a campaign that nearly everybody enters.
func (d *draw) decided(c *audit.Campaign) {
	if !c.Recheck {
		c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: d.events[d.rng.IntN(3)]}
		c.Audience, c.Reentry = nil, audit.Reentry{OnActive: audit.ActiveParallel}
	}
	c.Policy.Holdout = min(c.Policy.Holdout, 2525)
	if len(c.Goals) == 0 {
		c.Goals = []audit.Goal{d.goal("goal1")}
	}
	if g := &c.Goals[0]; !d.one(4) {
		g.Match = audit.Match{Event: pick(d, d.events[:4])}
		g.Window = pick(d, []time.Duration{time.Hour, 24 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour, d.duration()})
	}
	x := audit.Experiment{Winner: d.rule(), Variants: []audit.Variant{
		{ID: "a", Weight: pick(d, []int{50, 50, 30, 90}), Goto: d.after(c.Steps, -1)}, {ID: "b"},
	}}
	x.Variants[1].Weight = 100 - x.Variants[0].Weight
	if d.one(2) {
		x.Goal = c.Goals[0].ID
	}
	c.Steps = append([]audit.Step{{ID: "x0", Experiment: &x}}, c.Steps...)
	for i := range c.Steps {
		if s := &c.Steps[i]; i > 0 && s.Experiment != nil && d.one(2) {
			more := *s.Experiment
			more.Winner = d.rule()
			s.Experiment = &more
		}
	}
}

func (d *draw) rule() *audit.Rule {
	r := audit.Rule{
		MinPer:     1 + d.rng.IntN(3),
		MinTime:    pick(d, []time.Duration{time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}),
		Confidence: pick(d, []float64{0.513, 0.513, 0.617, 0.811, 0.953}), // no small fraction is just enough
	}
	if d.one(3) {
		r.Deadline = r.MinTime + pick(d, []time.Duration{0, 24 * time.Hour, 72 * time.Hour, 14 * 24 * time.Hour})
		r.OnDeadline = pick(d, []string{
			audit.DeadlineBest, audit.DeadlineBest, audit.DeadlineKeep, audit.DeadlineOriginal,
		})
	}
	return &r
}

package sim

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/stream"
)

const (
	// lookEvery is the time between two looks at the experiments, ms; two of them are not
	// at the same time of the hour.
	lookEvery = 3_700_000
	// urgeEvery is how many looks there are for one that has idle partitions tick.
	urgeEvery = 30
	// looksOn is how long after the last call they go on, ms.
	looksOn = 2 * 24 * 3_600_000
)

// decider is the double of actors.Decider: it asks the owners for their log time, then for
// what they counted, and appends what experiment.State says, unless another control record
// came meanwhile. It may crash in between.
type decider struct {
	w       *World
	until   int64
	hour    int64 // looked at up to here
	records int   // control records then
	noted   map[string]uint64
	decided map[string]string
	said    map[uint64]*control.Decide
	asks    bool // a look is under way
}

// decides has somebody look at the experiments while there are calls and some time after.
func (w *World) decides(last int64) {
	if !w.opt.Language.Deciding {
		return
	}
	w.decider = &decider{
		w: w, until: last + looksOn, noted: map[string]uint64{}, decided: map[string]string{},
		said: map[uint64]*control.Decide{},
	}
	w.decider.plan(lookEvery)
}

func (d *decider) plan(pause int64) {
	d.w.after(pause, func() {
		d.look()
		if d.w.now < d.until || !d.w.healed || d.asks || d.records != len(d.w.ctl) {
			d.plan(lookEvery)
		}
	})
}

// pause is how long an answer takes: sometimes so long that other things happen meanwhile.
func (d *decider) pause() int64 {
	if d.w.healed || d.w.rng.IntN(3) > 0 {
		return d.w.delay()
	}
	return d.w.rng.Int64N(lookEvery)
}

// trial is an experiment in force that nobody decided.
type trial struct {
	campaign, step string
	x              *program.Experiment
}

func (t trial) name() string { return t.campaign + "/" + t.step }

// trials are those, by the records that there are.
func (d *decider) trials() (all []trial) {
	docs := map[string]program.Document{}
	for k := range d.w.ctl {
		if i, ok := d.w.editOf[uint64(k+1)]; ok {
			for _, doc := range d.w.applies[i].Documents {
				docs[doc.Name] = doc
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		doc := docs[name]
		if doc.Kind != program.KindCampaign {
			continue
		}
		parsed, err := d.w.compile(workspace, &doc)
		d.w.fail(err)
		parsed.Campaign.Experiments(func(step string, x *program.Experiment) {
			t := trial{name, step, x}
			if x.Index(d.decided[t.name()]) < 0 {
				all = append(all, t)
			}
		})
	}
	return all
}

// look begins a look, when an hour is full or a record came.
func (d *decider) look() {
	through := int64(math.MaxInt64)
	for _, p := range d.w.parts {
		n := p.newest()
		if n == nil {
			return
		}
		through = min(through, n.owner.Shard.Now()/unit.HourMillis)
	}
	records, trials := len(d.w.ctl), d.trials()
	if len(trials) > 0 && d.w.now < d.until && d.w.rng.IntN(urgeEvery) == 0 { // idle ones do not hold it up
		for _, p := range d.w.parts {
			if n := p.newest(); n != nil && n.owner.Shard.Now()/unit.HourMillis < d.w.now/unit.HourMillis {
				d.w.mark(reachUrged)
				n.p.add(record{kind: stream.KindTick})
			}
		}
	}
	if d.asks || through <= d.hour && records == d.records {
		return
	}
	d.asks = true
	d.w.after(d.pause(), func() {
		d.asks = false
		if d.w.hit(d.w.opt.SinkCrash) {
			return
		}
		if n := d.w.parts[d.w.rng.IntN(len(d.w.parts))].newest(); n != nil && d.w.hit(d.w.opt.CrashStep) {
			n.crash() // between two questions
			d.asks = true
			d.w.after(d.w.rng.Int64N(2*restartPause), func() { d.asks = false; d.sum(trials, through, records) })
			return
		}
		d.sum(trials, through, records)
	})
}

// sum adds up what the owners counted.
func (d *decider) sum(trials []trial, through int64, records int) {
	parts := map[string][]experiment.Counts{}
	for _, p := range d.w.parts {
		n := p.newest()
		if n == nil {
			return
		}
		if n.owner.Shard.Now()/unit.HourMillis < through { // another owner, which is behind
			return
		}
		for _, t := range n.owner.Shard.ExperimentCounts() {
			parts[t.Campaign+"/"+t.Step] = append(parts[t.Campaign+"/"+t.Step], t)
		}
	}
	for _, t := range trials {
		noted := d.noted[t.name()] == t.x.Print()
		s := experiment.NewState(t.x)
		s.Look(parts[t.name()], through, noted)
		if r := s.Record(workspace, t.campaign, t.step, noted); r != nil {
			d.asks = true
			d.w.after(d.pause(), func() { d.asks = false; d.write(r, records) })
			return // one at a time: the others at the next look
		}
	}
	d.hour, d.records = through, records
}

// write appends a record, if it was made in sight of all that there are.
func (d *decider) write(r *control.Decide, records int) {
	if len(d.w.ctl) != records {
		return
	}
	k := d.w.record(control.Record{Decide: r})
	d.said[uint64(k)] = r
	d.w.note("control record %d: %s/%s: %q at hour %d", k, r.Campaign, r.Step, r.Variant, r.Hour)
	d.w.copyControl(k)
	name := r.Campaign + "/" + r.Step
	if r.Variant == "" {
		d.noted[name] = r.Experiment
		d.w.mark(reachBlocked)
	} else {
		d.decided[name] = r.Variant
		d.w.mark(map[bool]string{true: reachDecided, false: reachDeadline}[r.Needed > 0])
	}
	d.look()
}

// decide tells the auditor of a decision, and keeps what it counted before.
func (f *reading) decide(k uint64, d *control.Decide) {
	if f.counted == nil {
		f.counted = map[uint64]audit.ExperimentCounts{}
	}
	f.counted[k] = f.a.ExperimentCounts(d.Campaign, d.Step)
	if d.Variant != "" {
		f.a.Decide(d.Campaign, d.Step, d.Variant)
	}
}

// judgeDecisions: each decision is that of the model, and none is missing.
func (w *World) judgeDecisions() error {
	d := w.decider
	if d == nil || w.err != nil {
		return w.err
	}
	blocked := map[string]bool{}
	for _, k := range slices.Sorted(maps.Keys(d.said)) {
		r := d.said[k]
		sum := w.parts[0].counted[k]
		for _, p := range w.parts[1:] {
			sum = sum.Add(p.counted[k])
		}
		if slices.ContainsFunc(sum.Rulings(r.Hour), func(r audit.Ruling) bool { return r.SkippedHours }) {
			w.mark(reachPassed)
		}
		block := fmt.Sprintf("%s/%s %x", r.Campaign, r.Step, r.Experiment)
		if err := rules(r, sum, blocked[block]); err != nil {
			return fmt.Errorf("audit: control record %d: %w", k, err)
		}
		blocked[block] = blocked[block] || r.Variant == ""
	}
	for i, sum := range w.parts[0].tallies {
		for _, p := range w.parts[1:] {
			sum = sum.Add(p.tallies[i])
		}
		for _, r := range sum.Rulings(d.hour) {
			if r.Variant != "" || !d.wasBlocked(sum) {
				return fmt.Errorf("audit: no decision of %s/%s: %+v of %+v", sum.Campaign, sum.Step, r, sum)
			}
		}
	}
	return nil
}

func (d *decider) wasBlocked(t audit.ExperimentCounts) bool {
	return d.noted[t.Campaign+"/"+t.Step] != 0
}

// rules compares a decision with what the model says of the counts.
func rules(r *control.Decide, sum audit.ExperimentCounts, blocked bool) error {
	all := sum.Rulings(r.Hour)
	if len(all) > 0 && blocked && all[0].Variant == "" {
		all = all[1:]
	}
	if len(all) == 0 {
		return fmt.Errorf("%+v, and the model decides nothing: %+v", *r, sum)
	}
	want := all[0]
	look := r.Look
	if r.Reason != output.ReasonConfidence {
		look = 0
	}
	if want.Hour != r.Hour || want.Variant != r.Variant && !want.Tie || want.Look != look {
		return fmt.Errorf("decision\n  engine %+v\n  model  %+v\n  of %+v", *r, want, sum)
	}
	for i, a := range r.Arms {
		if m := want.Arms[i]; a.Exposures != m.Exposures || a.Conversions != m.Converted || a.Variant != m.Variant {
			return fmt.Errorf("figures\n  engine %+v\n  model  %+v\n  of %+v", *r, want, sum)
		}
	}
	return nil
}

package actors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/winner"
	"github.com/nudge-engine/nudge/stream"
)

// counts is what one shard says about its experiments.
type counts struct {
	now     int64
	tallies []experiment.Counts
}

// experimentCounts asks a shard what it counted.
func (e *Engine) experimentCounts(ctx context.Context, partition int) (counts, error) {
	return ask(ctx, e.host(partition), func(o *shard.Owner) (counts, error) {
		return counts{now: o.Shard.Now(), tallies: o.Shard.ExperimentCounts()}, nil
	})
}

// logTime asks a shard for its log time.
func (e *Engine) logTime(ctx context.Context, partition int) (int64, error) {
	return ask(ctx, e.host(partition), func(o *shard.Owner) (int64, error) { return o.Shard.Now(), nil })
}

// OpenExperiment is an experiment that looks for a winner, in force, and how it stands.
type OpenExperiment struct {
	Workspace  string
	Campaign   string
	Version    uint32
	Step       string
	Experiment *program.Experiment
	Decided    *control.Decide // nil while it is open
	Noted      *control.Decide // the record of its block; nil without one
	State      *experiment.State
}

func (t *OpenExperiment) key() experiment.Key {
	return experiment.Key{Workspace: t.Workspace, Campaign: t.Campaign, Step: t.Step}
}

func (c *Controller) foldDecide(d *control.Decide) {
	key := experiment.Key{Workspace: d.Workspace, Campaign: d.Campaign, Step: d.Step}
	if d.Variant == "" {
		c.blocked[key] = *d
	} else {
		c.decided[key] = *d
	}
}

// trials are the experiments in force, sorted by workspace, campaign and step order, and
// the number of control records that they come from.
func (c *Controller) trials() (all []OpenExperiment, records int, err error) {
	type campaignDocument struct {
		workspace string
		program.Document
	}
	var docs []campaignDocument
	c.mu.Lock()
	records = len(c.records)
	decided, blocked := maps.Clone(c.decided), maps.Clone(c.blocked)
	for workspace, of := range c.docs { //nudge:unordered sorted below
		for _, d := range of { //nudge:unordered sorted below
			if d.Kind == program.KindCampaign {
				docs = append(docs, campaignDocument{workspace, d})
			}
		}
	}
	c.mu.Unlock()
	slices.SortFunc(docs, func(a, b campaignDocument) int {
		return strings.Compare(a.workspace+"\x00"+a.Name, b.workspace+"\x00"+b.Name)
	})
	for i := range docs {
		d := &docs[i]
		parsed, err := c.engine.config.Compile(d.workspace, &d.Document)
		if err != nil {
			return nil, 0, fmt.Errorf("actors: workspace %s: %w", d.workspace, err)
		}
		parsed.Campaign.Experiments(func(step string, x *program.Experiment) {
			t := OpenExperiment{Workspace: d.workspace, Campaign: d.Name, Version: d.Version, Step: step, Experiment: x}
			if w, known := decided[t.key()]; known && x.Index(w.Variant) >= 0 {
				t.Decided = &w
			}
			if b, known := blocked[t.key()]; known && b.Experiment == x.Print() {
				t.Noted = &b
			}
			all = append(all, t)
		})
	}
	return all, records, nil
}

// slowest is the last full hour that the log time of every partition has reached.
func (c *Controller) slowest(ctx context.Context) (hour int64, err error) {
	for p := range c.publisher.Partitions() {
		now, err := c.engine.logTime(ctx, p)
		if err != nil {
			return 0, err
		}
		if full := now / unit.HourMillis; p == 0 || full < hour {
			hour = full
		}
	}
	return hour, nil
}

// gather asks all shards what they counted, by experiment. One that began again since it
// was asked for its log time may be behind the hour; its counts are not whole then.
func (c *Controller) gather(ctx context.Context, hour int64) (map[experiment.Key][]experiment.Counts, error) {
	all := map[experiment.Key][]experiment.Counts{}
	for p := range c.publisher.Partitions() {
		counted, err := c.engine.experimentCounts(ctx, p)
		if err != nil {
			return nil, err
		}
		if counted.now/unit.HourMillis < hour {
			return nil, shard.ErrBehind
		}
		for _, t := range counted.tallies {
			all[t.Key()] = append(all[t.Key()], t)
		}
	}
	return all, nil
}

// stand fills in how the open experiments stand at an hour.
func (c *Controller) stand(
	ctx context.Context,
	all []OpenExperiment,
	hour int64,
	noted func(*OpenExperiment) bool,
) error {
	parts, err := c.gather(ctx, hour)
	if err != nil {
		return err
	}
	for i := range all {
		if t := &all[i]; t.Decided == nil {
			t.State = experiment.NewState(t.Experiment)
			t.State.Look(parts[t.key()], hour, noted(t))
		}
	}
	return nil
}

// Experiments says how the experiments that look for a winner stand.
//
// REQUIRES: the controller is attached.
func (c *Controller) Experiments(ctx context.Context) ([]OpenExperiment, error) {
	all, _, err := c.trials()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	hour, err := c.slowest(ctx)
	if err != nil {
		return nil, err
	}
	return all, c.stand(ctx, all, hour, func(*OpenExperiment) bool { return true })
}

// decide appends a decision, if it was made in sight of all the control records that
// there are, and sees to it that every partition has it.
func (c *Controller) decide(ctx context.Context, d *control.Decide, records int) (written bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.records) != records {
		return false, nil
	}
	if err := c.append(ctx, &control.Record{Decide: d}); err != nil {
		return false, err
	}
	return true, c.copy(ctx)
}

// complete is copy for who does not hold the controller.
func (c *Controller) complete(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy(ctx)
}

// Decider decides experiments. It belongs to one goroutine.
type Decider struct {
	c       *Controller
	clock   func() (int64, error)
	hour    int64 // that was looked at last
	records int   // control records known then; 0: look again
	open    bool  // there is one that is not decided
	partial bool  // a record may not have come to all partitions
}

// NewDecider is a decider for a controller that is attached; clock is that of the
// writers of the log (ms).
func NewDecider(c *Controller, clock func() (int64, error)) *Decider {
	return &Decider{c: c, clock: clock}
}

// Look looks at the experiments if an hour is full or a control record came since the
// last call, records what there is to record and returns it. Partitions behind the hour
// that the clock has reached get a tick while an experiment is open, so that idle ones
// do not hold it up.
func (d *Decider) Look(ctx context.Context) ([]control.Decide, error) {
	if d.partial {
		if err := d.c.complete(ctx); err != nil {
			return nil, err
		}
		d.partial = false
	}
	hour, err := d.c.slowest(ctx)
	if err != nil {
		return nil, err
	}
	var said []control.Decide
	for hour > d.hour || d.c.known() != d.records {
		record, err := d.next(ctx, hour)
		if record != nil {
			said = append(said, *record)
		}
		if err != nil {
			d.records = 0
			return said, err
		}
	}
	return said, d.urge(ctx)
}

// known is how many control records the controller knows.
func (c *Controller) known() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.records)
}

// next records the first of what there is to record, and returns it; nil when there is
// nothing, or when another record came meanwhile.
func (d *Decider) next(ctx context.Context, hour int64) (*control.Decide, error) {
	all, records, err := d.c.trials()
	if err != nil {
		return nil, err
	}
	if d.open = false; len(all) > 0 {
		if err := d.c.stand(ctx, all, hour, func(t *OpenExperiment) bool { return t.Noted != nil }); err != nil {
			return nil, err
		}
	}
	d.hour, d.records = hour, records
	for i := range all {
		t := &all[i]
		if t.Decided != nil {
			continue
		}
		d.open = true
		if record := t.State.Record(t.Workspace, t.Campaign, t.Step, t.Noted != nil); record != nil {
			written, err := d.c.decide(ctx, record, records)
			if d.partial = err != nil; !written {
				record = nil
			}
			return record, err
		}
	}
	return nil, nil //nolint:nilnil // nothing to record
}

// urge appends a tick to the partitions that are behind the hour of the clock.
func (d *Decider) urge(ctx context.Context) error {
	now, err := d.clock()
	if err != nil || !d.open || now/unit.HourMillis <= d.hour {
		return nil //nolint:nilerr // a clock that is refused stops the writers already
	}
	for p := range d.c.publisher.Partitions() {
		at, err := d.c.engine.logTime(ctx, p)
		if err != nil {
			return err
		}
		if at/unit.HourMillis >= now/unit.HourMillis {
			continue
		}
		err = d.c.publisher.Add(p, []stream.Record{{Kind: stream.KindTick}}, func(error) {})
		if err != nil && !errors.Is(err, stream.ErrBusy) {
			return fmt.Errorf("actors: tick of partition %d: %w", p, err)
		}
	}
	return nil
}

// Blocked says whether the shares of the variants keep an experiment from being decided.
func (t *OpenExperiment) Blocked() bool { return t.State != nil && t.State.Verdict == winner.Blocked }

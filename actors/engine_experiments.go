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

// counts is what one shard says about its experiments, at log time now (ms).
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

// logTime asks a shard for its log time, ms.
func (e *Engine) logTime(ctx context.Context, partition int) (int64, error) {
	return ask(ctx, e.host(partition), func(o *shard.Owner) (int64, error) { return o.Shard.Now(), nil })
}

// OpenExperiment is an experiment in force that looks for a winner, and how it stands.
type OpenExperiment struct {
	Workspace  string
	Campaign   string
	Version    uint32 // of the campaign
	Step       string
	Experiment *program.Experiment
	Decided    *control.Decide   // its decision; nil while it is open
	Noted      *control.Decide   // the record of its block; nil if none was written
	State      *experiment.State // nil once it is decided
}

// key returns the name under which shards count the experiment.
func (t *OpenExperiment) key() experiment.Key {
	return experiment.Key{Workspace: t.Workspace, Campaign: t.Campaign, Step: t.Step}
}

// foldDecide applies a decision, or a block, to what the controller knows.
func (c *Controller) foldDecide(d *control.Decide) {
	key := experiment.Key{Workspace: d.Workspace, Campaign: d.Campaign, Step: d.Step}
	if d.Variant == "" {
		c.blocked[key] = *d
	} else {
		c.decided[key] = *d
	}
}

// trials returns the experiments in force that look for a winner, sorted by workspace,
// campaign and step order, and the number of control records that they come from. A
// decision counts while its variant exists, a block while the fingerprint is the same.
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
			// A version may have removed the variant that won: the experiment is open
			// again.
			if w, known := decided[t.key()]; known && x.Index(w.Variant) >= 0 {
				t.Decided = &w
			}
			// A block is about figures that another fingerprint does not have.
			if b, known := blocked[t.key()]; known && b.Experiment == x.Print() {
				t.Noted = &b
			}
			all = append(all, t)
		})
	}
	return all, records, nil
}

// slowest returns the last full hour (hours since 1970) that the log time of every
// partition has reached. Up to it the counts of all shards are final.
func (c *Controller) slowest(ctx context.Context) (hour int64, err error) {
	for p := range c.publisher.Partitions() {
		now, err := c.engine.logTime(ctx, p)
		if err != nil {
			return 0, err
		}
		// The slowest partition decides: ahead of it, counts are not final.
		if full := now / unit.HourMillis; p == 0 || full < hour {
			hour = full
		}
	}
	return hour, nil
}

// gather returns what all shards counted, by experiment. A shard that was restarted since
// it was asked for its log time may be behind the hour again, and its counts are not
// complete then: the error is shard.ErrBehind.
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

// stand evaluates the open experiments at an hour and sets their State.
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

// Experiments returns the experiments that look for a winner, and how they stand at the
// last hour that all partitions have reached.
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

// decide appends a decision and waits until every partition has applied it. It writes
// nothing, and written is false, if there are other control records than the ones that
// the decision was made from: an apply in between may have changed the experiment.
func (c *Controller) decide(ctx context.Context, d *control.Decide, records int) (written bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The next look decides from what is in force then.
	if len(c.records) != records {
		return false, nil
	}
	if err := c.append(ctx, &control.Record{Decide: d}); err != nil {
		return false, err
	}
	return true, c.copy(ctx)
}

// complete completes copies that an error cut off.
func (c *Controller) complete(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy(ctx)
}

// Decider decides experiments from the counts of all shards (ADR 14). It keeps nothing
// that matters: the records are the same, whichever process looks at an hour and however
// late. It must be used by one goroutine.
type Decider struct {
	c       *Controller
	clock   func() (int64, error)
	hour    int64 // the last that was looked at
	records int   // control records known then; 0: look again
	open    bool  // an experiment is not decided
	partial bool  // a record may not have come to all partitions
}

// NewDecider returns a decider for an attached controller. clock is that of the writers
// of the log, ms since the epoch.
func NewDecider(c *Controller, clock func() (int64, error)) *Decider {
	return &Decider{c: c, clock: clock}
}

// Look evaluates the experiments if a full hour has passed or a control record came since
// the last call, writes the records that follow and returns them. While an experiment is
// open, partitions whose log time is behind the clock's hour get a tick, so that idle
// ones do not hold it up.
//
// After an error it can be called again at any time. It first completes the copies of a
// record that an error left behind: until all partitions have applied it, their counts
// differ.
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
			// Look again at the next call even if nothing seems to have changed.
			d.records = 0
			return said, err
		}
	}
	return said, d.urge(ctx)
}

// known returns how many control records the controller knows.
func (c *Controller) known() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.records)
}

// next writes the first record that is to be written, and returns it; nil if there is
// none, or if another control record came meanwhile. The caller calls it again, because
// each record changes what the next is decided from.
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
			// The record may be in the stream although copying it failed.
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

// Blocked reports whether the shares of the variants keep the experiment from being
// decided.
func (t *OpenExperiment) Blocked() bool { return t.State != nil && t.State.Verdict == winner.Blocked }

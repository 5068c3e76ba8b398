package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/backfill"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/stream"
)

// ErrBackfill reports that documents cannot be applied, or a backfill not begun, because
// one is under way.
var ErrBackfill = errors.New("actors: a backfill is under way")

// How fast backfill records are appended: they share the publisher with the events of
// clients, who must not be refused because of them.
const (
	backfillBatch    = 100                    // records handed to the publisher at a time
	backfillPatience = 200 * time.Millisecond // before a busy publisher is asked again
)

// NotFilled is a counter that a backfill cannot fill, so that it counts only from now on.
type NotFilled struct {
	Text string `json:"counter"` // the counter as people read it
	Why  string `json:"why"`     // why the log does not tell its history
}

// BackfillStart is what a backfill begins with, as the API answers it.
type BackfillStart struct {
	Applied []Applied   `json:"applied"`  // the documents with the versions that they will have
	Record  uint64      `json:"record"`   // number of its control record; 0: there was nothing to fill
	Filled  []string    `json:"filled"`   // counters that are filled, as people read them
	FromNow []NotFilled `json:"from_now"` // the others
}

// BackfillProgress is how the last backfill of the log stands.
type BackfillProgress struct {
	Record     uint64              `json:"record"`     // number of its control record; 0: there was none
	Open       bool                `json:"open"`       // it is under way
	GivenUp    bool                `json:"given_up"`   // the log no longer had what was to be counted
	Partitions []PartitionProgress `json:"partitions"` // of a backfill under way
}

// PartitionProgress is how far the backfill of one partition is, in sequences of its log.
type PartitionProgress struct {
	First uint64 `json:"first"` // first frame that is counted; 0: not begun
	Upto  uint64 `json:"upto"`  // all frames up to this one are counted
	End   uint64 `json:"end"`   // frame with the backfill record, where it ends
	Done  bool   `json:"done"`
}

// backfills is what the control records say about backfills. There is one at a time.
type backfills struct {
	last    uint64            // number of the last one's record; 0: there was none
	open    *control.Backfill // the one under way; nil if none is
	givenUp bool              // the last one was given up
}

// fold applies a control record: one of a backfill begins it, and an apply record that carries the
// backfill's number ends it. If that has no documents, the backfill was given up.
func (b *backfills) fold(r *control.Record) {
	switch {
	case r.Backfill != nil:
		*b = backfills{last: r.K, open: r.Backfill}
	case r.Apply != nil && r.Apply.Backfilled != 0 && r.Apply.Backfilled == b.last:
		b.open, b.givenUp = nil, len(r.Apply.Documents) == 0
	}
}

// waits reports whether a document waits for the backfill under way.
func (b *backfills) waits(workspace string, d *program.Document) bool {
	return b.open != nil && b.open.Workspace == workspace &&
		slices.ContainsFunc(b.open.Documents, func(o program.Document) bool {
			return o.Kind == d.Kind && o.Name == d.Name
		})
}

// Backfilling reports whether a backfill is under way. The log must not be trimmed for
// age then.
func (c *Controller) Backfilling() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backfills.open != nil
}

// StartBackfill writes the record that begins a backfill: the counters that the documents
// need count from now on, and RunBackfill fills them from the retained log. The documents
// come into force when that is done. If they need nothing that can be filled they are
// applied at once, and Record is 0. The error is ErrBackfill while another backfill is
// under way.
func (c *Controller) StartBackfill(ctx context.Context, workspace string, docs []program.Document) (
	BackfillStart, error,
) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.backfills.open != nil {
		return BackfillStart{}, fmt.Errorf("%w: control record %d; wait for its end", ErrBackfill, c.backfills.last)
	}
	applied, changed := c.changes(workspace, docs)
	start := BackfillStart{Applied: applied, Filled: []string{}, FromNow: []NotFilled{}}
	asks, err := c.plan(ctx, workspace, changed, &start)
	if err != nil {
		return start, err
	}
	if len(asks) == 0 {
		return start, c.put(ctx, workspace, changed)
	}
	// One record must carry all documents, so that they come into force together.
	if fitting(changed) < len(changed) {
		return start, errors.New("actors: the definitions are too many for one backfill; apply fewer at a time")
	}
	record := &control.Record{Backfill: &control.Backfill{Workspace: workspace, Documents: changed, Asks: asks}}
	if err := c.append(ctx, record); err != nil {
		return start, err
	}
	start.Record = record.K
	return start, c.copy(ctx)
}

// plan returns the counters that can be filled, and puts them and those that cannot into
// start. The definitions of partition 0 stand for all: every partition has applied the
// same records.
func (c *Controller) plan(ctx context.Context, workspace string, docs []program.Document, start *BackfillStart) (
	asks []active.CounterRequest, err error,
) {
	defs, err := ask(ctx, c.engine.host(0), func(o *shard.Owner) ([]byte, error) { return o.Shard.Definitions(), nil })
	if err != nil {
		return nil, err
	}
	old, set, err := shard.BackfillSets(c.engine.config.Compile, defs, workspace, docs)
	if err != nil {
		return nil, err
	}
	made, err := c.emitters(workspace, docs)
	if err != nil {
		return nil, err
	}
	for _, a := range set.NewAsks(old) {
		why := set.BackfillObstacle(a)
		if by := made[a.Event]; by != "" && why == "" {
			why = fmt.Sprintf("campaign %s emits the event, and what is emitted is not in the log", by)
		}
		if why != "" {
			start.FromNow = append(start.FromNow, NotFilled{Text: a.String(), Why: why})
			continue
		}
		start.Filled = append(start.Filled, a.String())
		asks = append(asks, a)
	}
	return asks, nil
}

// emitters returns, by event name, a campaign that has a step which emits the event, in
// any version ever applied: events that were emitted are not in the log, so they cannot
// be counted. If several campaigns do, it is the last by name.
func (c *Controller) emitters(workspace string, docs []program.Document) (map[string]string, error) {
	all := slices.Clone(docs)
	for key, d := range c.all { //nudge:unordered the largest name wins below
		if key.workspace == workspace && key.kind == program.KindCampaign {
			all = append(all, d)
		}
	}
	made := map[string]string{}
	for i := range all {
		if all[i].Kind != program.KindCampaign {
			continue
		}
		p, err := c.engine.config.Compile(workspace, &all[i])
		if err != nil {
			return nil, err
		}
		for _, event := range p.Campaign.Emits() {
			made[event] = max(made[event], all[i].Name)
		}
	}
	return made, nil
}

// RunBackfill brings the backfill under way to its end, if there is one: it fills every
// partition and puts the documents in force, or gives up if the log no longer has what is
// to be counted. After any other error it can be called again, in this process or after a
// restart; what was done stays done. Only one call may run at a time.
//
// The partitions are filled one after the other, so one log at a time is read in whole.
// mu is not held meanwhile, so other changes are not delayed.
func (c *Controller) RunBackfill(ctx context.Context) error {
	c.mu.Lock()
	open, k, ids := c.backfills.open, c.backfills.last, c.genesis.DedupeIDs
	c.mu.Unlock()
	if open == nil {
		return nil
	}
	end := &control.Record{Apply: &control.Apply{Workspace: open.Workspace, Documents: open.Documents, Backfilled: k}}
	for p := range c.engine.hosts {
		err := c.engine.runBackfill(ctx, p, open.Workspace, k, c.Skips(p), ids)
		if errors.Is(err, backfill.ErrTrimmed) {
			c.engine.config.Logger.Error("actors: a backfill is given up", slog.Any("error", err))
			end.Apply.Documents = nil
			break
		}
		if err != nil {
			return fmt.Errorf("actors: backfill of partition %d: %w", p, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Ended meanwhile: an append that failed earlier was stored after all.
	if c.backfills.open == nil {
		return nil
	}
	if err := c.append(ctx, end); err != nil {
		return err
	}
	return c.copy(ctx)
}

// Backfill returns how the last backfill stands.
func (c *Controller) Backfill(ctx context.Context) (BackfillProgress, error) {
	c.mu.Lock()
	state, engine := c.backfills, c.engine
	c.mu.Unlock()
	p := BackfillProgress{
		Record: state.last, Open: state.open != nil, GivenUp: state.givenUp, Partitions: []PartitionProgress{},
	}
	if state.open == nil {
		return p, nil
	}
	for partition := range engine.hosts {
		h := engine.host(partition)
		s, err := engine.fillState(ctx, h, state.open.Workspace)
		if err != nil {
			return p, err
		}
		p.Partitions = append(p.Partitions, PartitionProgress{
			First: s.First, Upto: s.Upto, End: s.Place.Seq, Done: s.Done,
		})
	}
	return p, nil
}

// fillState returns how the backfill of a workspace stands in a shard.
func (e *Engine) fillState(ctx context.Context, h *host, workspace string) (backfill.State, error) {
	return ask(ctx, h, func(o *shard.Owner) (backfill.State, error) { return o.Shard.BackfillState(workspace), nil })
}

// runBackfill brings backfill k of one partition to its end: it asks the shard how far
// that is, appends the record that fixes the first frame if there is none yet, and goes
// on with a new filler from that frame. Frames that were counted before are read again,
// but only to recognise repetitions.
func (e *Engine) runBackfill(
	ctx context.Context, partition int, workspace string, k uint64, skips control.Skips, ids int,
) error {
	h := e.host(partition)
	state, err := e.fillState(ctx, h, workspace)
	if err != nil || state.Done {
		return err
	}
	// The record is copied to every partition before RunBackfill is called.
	if state.K != k {
		return fmt.Errorf("actors: the shard knows of backfill %d, not of %d", state.K, k)
	}
	info, err := e.config.Events[partition].Info(ctx)
	if err != nil {
		return err
	}
	first := max(info.First, 1)
	if state.First == 0 {
		if err := e.appendFills(ctx, h, workspace, state.Begin(workspace, first), state.Marked+1); err != nil {
			return err
		}
		if state, err = e.fillState(ctx, h, workspace); err != nil {
			return err
		}
	}
	// The log was trimmed past frames that are to be counted.
	if first > state.First || first > state.Place.Seq {
		return fmt.Errorf("%w: partition %d begins at %d, %d is needed", backfill.ErrTrimmed, partition, first,
			state.First)
	}
	return e.backfillFrom(ctx, h, workspace, backfill.NewFiller(workspace, state, skips, ids), state.First)
}

// backfillFrom reads the frames from first on and appends what the filler makes of them,
// until the filler is done.
func (e *Engine) backfillFrom(ctx context.Context, h *host, workspace string, f *backfill.Filler, first uint64) error {
	reader, err := e.config.Events[h.partition].Read(ctx, first)
	if err != nil {
		return err
	}
	defer reader.Close()
	for {
		m, err := reader.Next(ctx)
		if err != nil {
			return err
		}
		in, err := shard.DecodeInput(m)
		if err != nil {
			return err
		}
		records, done, err := f.Frame(in.At.Seq, &in.Frame)
		if err != nil {
			return err
		}
		if err := e.appendFills(ctx, h, workspace, records, f.Last()); err != nil {
			return err
		}
		if done {
			return nil
		}
	}
}

// appendFills appends backfill records and waits until the shard has applied the last of
// them, number n. So no more than one slice is under way, and a crash repeats one slice
// at most.
func (e *Engine) appendFills(ctx context.Context, h *host, workspace string, records []stream.Record, n uint64) error {
	if len(records) == 0 {
		return nil
	}
	for batch := range slices.Chunk(records, backfillBatch) {
		done := make(chan error, 1)
		err := e.config.Publisher.Add(h.partition, batch, func(err error) { done <- err })
		// A busy publisher took nothing; clients' events go first.
		for errors.Is(err, stream.ErrBusy) {
			if err := pause(ctx, backfillPatience); err != nil {
				return err
			}
			err = e.config.Publisher.Add(h.partition, batch, func(err error) { done <- err })
		}
		if err != nil {
			return err
		}
		select {
		case err := <-done:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for {
		// The shard applies the records in its log like any others.
		state, err := e.fillState(ctx, h, workspace)
		if err != nil || state.N >= n {
			return err
		}
		if err := pause(ctx, wakeEvery); err != nil {
			return err
		}
	}
}

// pause waits for d, or returns the cause of ctx if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

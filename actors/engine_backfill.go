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

// ErrBackfill means that something cannot be applied because of a backfill that is under
// way.
var ErrBackfill = errors.New("actors: a backfill is under way")

// Limits of appending fill records.
const (
	backfillBatch    = 100                    // records that are handed to the publisher at a time
	backfillPatience = 200 * time.Millisecond // before a busy publisher is asked again
)

// NotFilled is a counter that counts only from a backfill on.
type NotFilled struct {
	Text string `json:"counter"`
	Why  string `json:"why"`
}

// BackfillStart is what a backfill begins with.
type BackfillStart struct {
	Applied []Applied   `json:"applied"` // as they will be
	Record  uint64      `json:"record"`  // number of its control record; 0: there was nothing to fill
	Filled  []string    `json:"filled"`
	FromNow []NotFilled `json:"from_now"`
}

// BackfillProgress is how the last backfill stands.
type BackfillProgress struct {
	Record     uint64              `json:"record"` // 0: there was none
	Open       bool                `json:"open"`   // it is under way
	GivenUp    bool                `json:"given_up"`
	Partitions []PartitionProgress `json:"partitions"` // of one that is under way
}

// PartitionProgress is how far a partition is.
type PartitionProgress struct {
	First uint64 `json:"first"` // first frame that is counted; 0: not begun
	Upto  uint64 `json:"upto"`  // frame through which all is in
	End   uint64 `json:"end"`   // frame with the backfill record
	Done  bool   `json:"done"`
}

// backfills is what the control log says of backfills.
type backfills struct {
	last    uint64 // number of the last one's record
	open    *control.Backfill
	givenUp bool
}

func (b *backfills) fold(r *control.Record) {
	switch {
	case r.Backfill != nil:
		*b = backfills{last: r.K, open: r.Backfill}
	case r.Apply != nil && r.Apply.Backfilled != 0 && r.Apply.Backfilled == b.last:
		b.open, b.givenUp = nil, len(r.Apply.Documents) == 0
	}
}

// waits says whether a document waits for the backfill that is under way.
func (b *backfills) waits(workspace string, d *program.Document) bool {
	return b.open != nil && b.open.Workspace == workspace &&
		slices.ContainsFunc(b.open.Documents, func(o program.Document) bool {
			return o.Kind == d.Kind && o.Name == d.Name
		})
}

// Backfilling says that a backfill is under way: the log must not be trimmed for age.
func (c *Controller) Backfilling() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backfills.open != nil
}

// StartBackfill begins to count what the documents ask for, from now on and, by
// RunBackfill, in the retained log; they are in force when that is done. Where they ask
// for nothing that can be filled they are applied at once, and Record is 0.
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

// plan says what can be filled, and notes it and what cannot.
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

// emitters are the campaigns that ever emitted an event, by its name; of several the last
// by name.
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

// RunBackfill brings the backfill that is under way to its end, if there is one: it fills
// every partition and puts the documents in force, or gives up when the log no longer has
// what is to be counted. After another error it can be called again, in this process or
// after a restart; what was done stays done. One at a time must run.
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
	if c.backfills.open == nil {
		return nil
	}
	if err := c.append(ctx, end); err != nil {
		return err
	}
	return c.copy(ctx)
}

// Backfill is how the last backfill stands.
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

func (e *Engine) fillState(ctx context.Context, h *host, workspace string) (backfill.State, error) {
	return ask(ctx, h, func(o *shard.Owner) (backfill.State, error) { return o.Shard.BackfillState(workspace), nil })
}

// runBackfill brings the backfill k of one partition to its end.
func (e *Engine) runBackfill(
	ctx context.Context, partition int, workspace string, k uint64, skips control.Skips, ids int,
) error {
	h := e.host(partition)
	state, err := e.fillState(ctx, h, workspace)
	if err != nil || state.Done {
		return err
	}
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
	if first > state.First || first > state.Place.Seq {
		return fmt.Errorf("%w: partition %d begins at %d, %d is needed", backfill.ErrTrimmed, partition, first,
			state.First)
	}
	return e.backfillFrom(ctx, h, workspace, backfill.NewFiller(workspace, state, skips, ids), state.First)
}

// backfillFrom reads the frames from first on and appends what the filler makes of them.
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

// appendFills appends fill records, and waits until the shard has applied the one with
// number n, the last of them.
func (e *Engine) appendFills(ctx context.Context, h *host, workspace string, records []stream.Record, n uint64) error {
	if len(records) == 0 {
		return nil
	}
	for batch := range slices.Chunk(records, backfillBatch) {
		done := make(chan error, 1)
		err := e.config.Publisher.Add(h.partition, batch, func(err error) { done <- err })
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
		state, err := e.fillState(ctx, h, workspace)
		if err != nil || state.N >= n {
			return err
		}
		if err := pause(ctx, wakeEvery); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

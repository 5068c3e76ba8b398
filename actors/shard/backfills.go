package shard

import (
	"fmt"
	"slices"

	"github.com/nudge-engine/nudge/actors/shard/backfill"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// runningBackfill is a backfill under way as a shard stores it. Its records are numbered,
// and only the one after N is applied, so a filler that is started again after a crash
// may give the same ones again.
type runningBackfill struct {
	K uint64 `json:"k"` // number of its control record
	control.Backfill
	Place  control.RecordPosition `json:"place"`  // of that record; what comes before it in the log is counted
	First  uint64                 `json:"first"`  // sequence of the first retained frame; 0: not known yet
	N      uint64                 `json:"n"`      // number of the last backfill record applied
	Marked uint64                 `json:"marked"` // number of the last of them that was a mark
	Upto   uint64                 `json:"upto"`   // all frames up to this one are counted, as that mark says
	Done   bool                   `json:"done"`   // all frames before Place are counted
}

// startBackfill begins a backfill with control record k: the counters that its documents
// need count live from place on. The documents themselves come into force when it is
// done.
func (d *definitions) startBackfill(b *control.Backfill, k uint64, at control.RecordPosition, place uint64) error {
	d.set(b.Workspace)
	w := *d.workspaces[b.Workspace]
	w.Since = copied(w.Since)
	w.Filling = &runningBackfill{K: k, Backfill: *b, Place: at}
	if err := d.build(b.Workspace, &w, place); err != nil {
		return err
	}
	d.workspaces[b.Workspace] = &w
	d.dirty = true
	return nil
}

// BackfillSets returns the active set of a workspace before a backfill with docs begins
// and after it began, given the stored definitions of a partition. The controller
// compares the two to tell which counters can be filled; no shard changes.
func BackfillSets(compile Compile, stored []byte, workspace string, docs []program.Document) (
	before, after *active.Set, err error,
) {
	d := newDefinitions(compile)
	if err := d.load(stored); err != nil {
		return nil, nil, err
	}
	before = d.set(workspace)
	if err := d.startBackfill(
		&control.Backfill{Workspace: workspace, Documents: docs},
		1,
		control.RecordPosition{},
		1,
	); err != nil {
		return nil, nil, err
	}
	return before, d.set(workspace), nil
}

// copied returns a copy of since, so that the workspace it came from stays as it is.
func copied(since map[string]uint64) map[string]uint64 {
	c := make(map[string]uint64, len(since))
	for id, place := range since { //nudge:unordered a copy
		c[id] = place
	}
	return c
}

// waiting compiles the campaigns of a backfill under way in their waiting form: they
// count and start nothing. It returns nil if there is no backfill.
func (d *definitions) waiting(name string, w *workspace) ([]*program.Program, error) {
	if w.Filling == nil {
		return nil, nil
	}
	var programs []*program.Program
	for i := range w.Filling.Documents {
		p, err := d.compile(name, &w.Filling.Documents[i])
		if err != nil {
			return nil, fmt.Errorf("actors: workspace %s: %w", name, err)
		}
		if p.Campaign != nil {
			programs = append(programs, p.Campaign.Waiting())
		}
	}
	return programs, nil
}

// applyFill applies the next record of a backfill: what a customer did, or a mark. Any
// other record is ignored: it was applied before, or belongs to a backfill that was given
// up.
func (s *Shard) applyFill(index int, record *stream.Record, out *effect.Effects) error {
	r, err := backfill.Decode(record.Data)
	if err != nil {
		return err
	}
	f := s.defs.backfill(r.Workspace)
	if f == nil || f.K != r.K || r.N != f.N+1 || f.Done {
		return nil
	}
	if err := s.defs.continueBackfill(f, &r); err != nil || r.Customer == "" {
		return err
	}
	h := s.customers.get(Key(r.Workspace, r.Customer))
	if h == nil || r.Fill.Ask >= len(f.Asks) || h.c.Merged != nil {
		// The customer is gone or merged: what they did before stays uncounted.
		return nil
	}
	s.bulkScans.applyPending(h, out)
	m := s.runner.use(r.Workspace)
	s.runner.run(h, out, func() {
		m.Fill(h.c, &f.Asks[r.Fill.Ask], &r.Fill, s.now)
	}, func(detail string) {
		s.deadLetters.add(index, record, output.ReasonPanic, detail, out)
	})
	s.changes.add(h)
	s.timers.rearm(h)
	return nil
}

// backfill returns the backfill of a workspace, nil if there is none.
func (d *definitions) backfill(workspace string) *runningBackfill {
	d.set(workspace)
	return d.workspaces[workspace].Filling
}

// continueBackfill notes that a record of a backfill was applied: a mark, if it names no customer.
func (d *definitions) continueBackfill(f *runningBackfill, r *backfill.Record) error {
	f.N, d.dirty = r.N, true
	if r.Customer != "" {
		return nil
	}
	f.First, f.Upto, f.Marked, f.Done = r.First, r.Upto, r.N, r.Done
	if f.Done {
		return d.finishBackfill(f)
	}
	return nil
}

// finishBackfill notes that the filled counters know everything from the first retained
// frame on. Customers created since then have their whole history counted, so that
// triggers on the count may fire for them.
func (d *definitions) finishBackfill(f *runningBackfill) error {
	w := *d.workspaces[f.Workspace]
	w.Since = copied(w.Since)
	for _, a := range f.Asks {
		if _, asked := w.Since[a.ID()]; asked && a.Window == 0 && !a.Counted {
			w.Since[a.ID()] = f.First
		}
	}
	if err := d.build(f.Workspace, &w, 0); err != nil {
		return err
	}
	d.workspaces[f.Workspace] = &w
	return nil
}

// BackfillState returns how far the backfill of a workspace is; K is 0 if there is none.
func (s *Shard) BackfillState(workspace string) backfill.State {
	set := s.defs.set(workspace)
	f := s.defs.backfill(workspace)
	if f == nil {
		return backfill.State{Set: set}
	}
	return backfill.State{
		K: f.K, Asks: slices.Clone(f.Asks), Set: set, Place: f.Place, First: f.First, N: f.N, Marked: f.Marked,
		Upto: f.Upto, Done: f.Done,
	}
}

package shard

import (
	"encoding/json"
	"fmt"
	"sort"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Compile turns a document into what it means. It must be a pure function; it is
// handed in so that the shards of a node can share compiled programs.
type Compile func(workspace string, d *program.Document) (program.Definition, error)

// definitions are the documents in force, by workspace.
type definitions struct {
	compile    Compile
	workspaces map[string]*workspace
	dirty      bool
}

// workspace is what one workspace has in force.
type workspace struct {
	Documents []program.Document `json:"documents"` // sorted by (Kind, Name)
	// Since gives for each counter the place in the log from which it counts.
	Since map[string]uint64 `json:"since"`
	// Successions are what older versions of campaigns left, by campaign; Winners the
	// decided experiments, by campaign and step.
	Successions []active.VersionHistory `json:"successions,omitempty"`
	Winners     []active.Winner         `json:"winners,omitempty"`
	// Filling is the backfill that is under way, nil when none is.
	Filling *runningBackfill `json:"filling,omitempty"`
	set     *active.Set
	newest  uint64 // of Since
	// compiled are what the documents mean, in the same order.
	compiled []compiled
}

func newDefinitions(compile Compile) definitions {
	return definitions{compile: compile, workspaces: map[string]*workspace{}}
}

// set is the active campaigns of a workspace; an unknown one has none.
func (d *definitions) set(name string) *active.Set {
	w, ok := d.workspaces[name]
	if !ok {
		w = &workspace{Since: map[string]uint64{}, set: active.NewSet(nil, map[string]uint64{}, 0)}
		d.workspaces[name] = w
	}
	return w.set
}

// apply puts documents in force at a place of the log, at log time now; changed says that
// a campaign got a new version. When one of them does not compile, nothing changes: it
// was checked before it was written, so that is a bug.
func (d *definitions) apply(a *control.Apply, place uint64, now int64) (changed bool, err error) {
	d.set(a.Workspace)
	old := d.workspaces[a.Workspace]
	next := &workspace{Since: map[string]uint64{}, Winners: old.Winners, Filling: old.Filling}
	if next.Filling != nil && next.Filling.K == a.Backfilled {
		next.Filling = nil
	}
	next.Successions = append(next.Successions, old.Successions...)
	for i := range a.Documents {
		doc := &a.Documents[i]
		before, known := old.find(doc.Kind, doc.Name)
		if known && doc.Kind == program.KindCampaign && before.Version != doc.Version {
			changed = true
			if err := d.succeed(a.Workspace, next, before, doc, now); err != nil {
				return false, err
			}
		}
	}
	if err := d.merge(a.Workspace, next, old, a.Documents); err != nil {
		return false, err
	}
	for id, since := range old.Since { //nudge:unordered a copy
		next.Since[id] = since
	}
	if err := d.build(a.Workspace, next, place); err != nil {
		return false, err
	}
	d.workspaces[a.Workspace] = next
	d.dirty = true
	return changed, nil
}

func (d *definitions) build(name string, w *workspace, place uint64) error {
	var programs []*program.Program
	var policies []*program.Policy
	for _, c := range w.compiled {
		if c.campaign != nil {
			programs = append(programs, c.campaign)
		}
		if c.policy != nil {
			policies = append(policies, c.policy)
		}
	}
	kept, all, err := d.kept(name, w)
	if err != nil {
		return err
	}
	waiting, err := d.waiting(name, w)
	if err != nil {
		return err
	}
	w.set = active.NewSet(programs, w.Since, place, append(all, waiting...)...)
	w.set.SetHistory(w.Successions, kept)
	w.set.Decide(w.Winners)
	w.set.SetPolicies(policies)
	w.newest = 0
	for _, since := range w.Since { //nudge:unordered the greatest
		w.newest = max(w.newest, since)
	}
	return nil
}

// newest is the place of the log from which the newest counter counts, 0 where there is none.
func (d *definitions) newest() uint64 {
	newest := uint64(0)
	for _, w := range d.workspaces { //nudge:unordered the greatest
		newest = max(newest, w.newest)
	}
	return newest
}

// Definitions is the stored form of what the partition has in force.
func (s *Shard) Definitions() []byte { return s.defs.encode() }

// TryDefinitions says why a program that compiles so refuses what a partition has in force,
// by its stored form.
func TryDefinitions(compile Compile, stored []byte) error {
	d := newDefinitions(compile)
	return d.load(stored)
}

// encode is the stored form: JSON with sorted keys.
func (d *definitions) encode() []byte {
	b, err := json.Marshal(d.workspaces)
	if err != nil {
		panic(fmt.Sprintf("BUG: definitions cannot be written: %v", err))
	}
	return b
}

func (d *definitions) load(p []byte) error {
	stored := map[string]*workspace{}
	if err := json.Unmarshal(p, &stored); err != nil {
		return fmt.Errorf("actors: definitions: %w", err)
	}
	names := make([]string, 0, len(stored))
	for name := range stored { //nudge:unordered sorted below
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		w := stored[name]
		if w.Since == nil {
			w.Since = map[string]uint64{}
		}
		documents := w.Documents
		w.Documents = nil
		if err := d.merge(name, w, new(workspace), documents); err != nil {
			return err
		}
		if err := d.build(name, w, 0); err != nil {
			return err
		}
		d.workspaces[name] = w
	}
	return nil
}

package shard

import (
	"encoding/json"
	"fmt"
	"sort"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/storage"
)

// Compile turns a document into what it means. It must be a pure function, because a
// replay compiles again; it is a parameter so that the shards of a server can share
// compiled programs and the engine does not depend on the parser.
type Compile func(workspace string, d *program.Document) (program.Definition, error)

// definitions are the documents in force in a shard, by workspace, with what they compile
// to. They are part of the state.
type definitions struct {
	compile    Compile
	workspaces map[string]*workspace
	dirty      bool // changed since the last snapshot
}

// workspace is what one workspace has in force. The exported fields are stored; the
// others are derived from them by build. A workspace is replaced as a whole when it
// changes, never changed in place, so that a change that fails leaves the old one.
type workspace struct {
	Documents []program.Document `json:"documents"` // sorted by (Kind, Name)
	// Since maps the id of each counter to the place in the log from which it counts.
	// Customers created at or after that place have their whole history counted.
	Since map[string]uint64 `json:"since"`
	// Successions are the earlier versions of campaigns that live chains still use,
	// sorted by campaign.
	Successions []active.VersionHistory `json:"successions,omitempty"`
	// Winners are the decided experiments, sorted by campaign and step.
	Winners []active.Winner `json:"winners,omitempty"`
	// Filling is the backfill under way, nil if there is none.
	Filling *runningBackfill `json:"filling,omitempty"`
	// set is what the machine works with: the compiled campaigns and policies together.
	set    *active.Set
	newest uint64 // largest value of Since
	// compiled is what the documents mean, in the order of Documents.
	compiled []compiled
}

// newDefinitions returns definitions without any workspace.
func newDefinitions(compile Compile) definitions {
	return definitions{compile: compile, workspaces: map[string]*workspace{}}
}

// set returns the active campaigns of a workspace. An unknown workspace gets an empty
// set, so that events may come before any definition.
func (d *definitions) set(name string) *active.Set {
	w, ok := d.workspaces[name]
	if !ok {
		w = &workspace{Since: map[string]uint64{}, set: active.NewSet(nil, map[string]uint64{}, 0)}
		d.workspaces[name] = w
	}
	return w.set
}

// apply puts documents in force at a place of the log, at log time now, each replacing
// that of its kind and name. changed reports that an existing campaign got a new version,
// so live chains may have to migrate.
//
// If a document does not compile, nothing changes and the error is returned. The
// controller checked it before writing the record, so that is a bug or an older program.
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

// build derives the active set of a workspace from its compiled documents, retained
// versions, winners and backfill. Counters that are new in the set count from the frame
// with sequence place on, which it notes in w.Since. Without new documents place is not used.
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

// newest returns the latest place from which any counter counts, 0 if there is none.
func (d *definitions) newest() uint64 {
	newest := uint64(0)
	for _, w := range d.workspaces { //nudge:unordered the greatest
		newest = max(newest, w.newest)
	}
	return newest
}

// Definitions returns the stored form of what the partition has in force, for the tools
// that compute what a change would do.
func (s *Shard) Definitions() []byte { return s.defs.encode() }

// TryDefinitions returns an error if compile refuses one of the definitions in force,
// given in their stored form. A newer program asks before it takes over a partition.
func TryDefinitions(compile Compile, stored []byte) error {
	d := newDefinitions(compile)
	return d.load(stored)
}

// encode returns the stored form: JSON with sorted keys, so that equal definitions have
// equal bytes.
func (d *definitions) encode() []byte {
	b, err := json.Marshal(d.workspaces)
	if err != nil {
		panic(fmt.Sprintf("BUG: definitions cannot be written: %v", err))
	}
	return b
}

// load adds the workspaces of a stored form and compiles their documents. Workspaces are
// gone through by name, so that the first error is the same at each start.
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

// save adds the definitions to the snapshot of a partition if they changed since the last one.
func (d *definitions) save(partition int, b *storage.Batch) {
	if d.dirty {
		b.Set(storage.DefinitionsKey(partition), d.encode())
		d.dirty = false
	}
}

// documents returns the documents that a workspace has in force.
func (d *definitions) documents(workspace string) []program.Document {
	d.set(workspace)
	return d.workspaces[workspace].Documents
}

package shard

import (
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/storage"
)

// tallies are the counts of the experiments of a partition.
type tallies struct {
	*partition

	defs *definitions

	table experiment.Table
}

// ExperimentCounts returns copies of the counts of all experiments, in no order.
func (s *Shard) ExperimentCounts() []experiment.Counts { return s.tallies.copies() }

// Tally returns the counts of one experiment without copying them, so they are valid
// until the next Step only. ok is false if there are none.
func (s *Shard) Tally(workspace, name, step string) (t experiment.Counts, ok bool) {
	return s.tallies.of(experiment.Key{Workspace: workspace, Campaign: name, Step: step})
}

func (ts *tallies) copies() []experiment.Counts { return ts.table.Copies() }

func (ts *tallies) of(key experiment.Key) (t experiment.Counts, ok bool) { return ts.table.Of(key) }

// load adds the stored counts of an experiment.
func (ts *tallies) load(v []byte) error { return ts.table.Load(v) }

// save adds the counts that changed to a snapshot.
func (ts *tallies) save(b *storage.Batch) { ts.table.Snapshot(ts.config.Partition, b) }

// fold counts what a Step put out since the last call.
func (ts *tallies) fold(out *output.Output) { ts.table.Fold(out) }

// renew follows a change of the experiments in force. What the current Step did
// before the change is counted first, for the experiments that were in force then.
func (ts *tallies) renew(out *output.Output) {
	ts.table.Fold(out)
	ts.table.Renew(ts.now, func(t *experiment.Counts) *program.Experiment {
		return ts.defs.set(t.Workspace).Counts(t.Campaign, t.Step)
	})
}

// begin makes the experiments in documents count from now on. Without it an
// experiment that a version had left out for a while would go on with the chains exposed
// before.
func (ts *tallies) begin(workspace string, documents []program.Document) {
	set := ts.defs.set(workspace)
	for i := range documents {
		if documents[i].Kind == program.KindCampaign {
			set.Counting(documents[i].Name, func(step string, x *program.Experiment) {
				key := experiment.Key{Workspace: workspace, Campaign: documents[i].Name, Step: step}
				ts.table.Begin(key, x, ts.now)
			})
		}
	}
}

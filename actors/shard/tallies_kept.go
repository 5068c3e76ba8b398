package shard

import (
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
)

// ExperimentCounts returns copies of the counts of all experiments, in no order.
func (s *Shard) ExperimentCounts() []experiment.Counts {
	return s.experiments.Copies()
}

// Tally returns the counts of one experiment without copying them, so they are valid
// until the next Step only. ok is false if there are none.
func (s *Shard) Tally(workspace, name, step string) (t experiment.Counts, ok bool) {
	return s.experiments.Of(experiment.Key{Workspace: workspace, Campaign: name, Step: step})
}

// renewTallies follows a change of the experiments in force. What the current Step did
// before the change is counted first, for the experiments that were in force then.
func (s *Shard) renewTallies(out *effect.Effects) {
	s.experiments.Fold(&out.Output)
	s.experiments.Renew(s.now, func(t *experiment.Counts) *program.Experiment {
		return s.defs.set(t.Workspace).Counts(t.Campaign, t.Step)
	})
}

// beginTallies makes the experiments in documents count from now on. Without it an
// experiment that a version had left out for a while would go on with the chains exposed
// before.
func (s *Shard) beginTallies(workspace string, documents []program.Document) {
	set := s.defs.set(workspace)
	for i := range documents {
		if documents[i].Kind == program.KindCampaign {
			set.Counting(documents[i].Name, func(step string, x *program.Experiment) {
				key := experiment.Key{Workspace: workspace, Campaign: documents[i].Name, Step: step}
				s.experiments.Begin(key, x, s.now)
			})
		}
	}
}

package shard

import (
	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
)

// ExperimentCounts are copies of what the shard counted for experiments, in no order.
func (s *Shard) ExperimentCounts() []experiment.Counts {
	return s.experiments.Copies()
}

// Tally is a view of what the shard counted for one experiment, good until its next
// step; ok is false when there is nothing.
func (s *Shard) Tally(workspace, name, step string) (t experiment.Counts, ok bool) {
	return s.experiments.Of(experiment.Key{Workspace: workspace, Campaign: name, Step: step})
}

// renewTallies follows a change of what is in force: what was done before it in the same
// step counts for what was in force then.
func (s *Shard) renewTallies(out *effect.Effects) {
	s.experiments.Fold(&out.Output)
	s.experiments.Renew(s.now, func(t *experiment.Counts) *program.Experiment {
		return s.defs.set(t.Workspace).Counts(t.Campaign, t.Step)
	})
}

// beginTallies has the experiments that documents bring count from now on. Without it one
// that was left out for a while would go on with the chains exposed before.
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

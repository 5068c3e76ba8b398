package actors

import (
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/effect"
)

// Tallies are copies of what the shard counted for experiments, in no order.
func (s *Shard) Tallies() []Tally {
	return s.tallies.copies()
}

// Tally is a view of what the shard counted for one experiment, good until its next
// step; ok is false when there is nothing.
func (s *Shard) Tally(workspace, name, step string) (t Tally, ok bool) {
	return s.tallies.view(tallyKey{workspace, name, step})
}

// renewTallies follows a change of what is in force: what was done before it in the same
// step counts for what was in force then.
func (s *Shard) renewTallies(out *effect.Effects) {
	s.tallies.fold(&out.Output)
	s.tallies.renew(s.now, func(t *Tally) *campaign.Experiment {
		return s.defs.set(t.Workspace).Counts(t.Campaign, t.Step)
	})
}

// beginTallies has the experiments that documents bring count from now on. Without it one
// that was left out for a while would go on with the chains exposed before.
func (s *Shard) beginTallies(workspace string, documents []campaign.Document) {
	set := s.defs.set(workspace)
	for i := range documents {
		if documents[i].Kind == campaign.KindCampaign {
			set.Counting(documents[i].Name, func(step string, x *campaign.Experiment) {
				s.tallies.begin(tallyKey{workspace, documents[i].Name, step}, x, s.now)
			})
		}
	}
}

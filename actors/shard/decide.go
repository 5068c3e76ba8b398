package shard

import (
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// applyDecide applies the decision about an experiment: a winner, which later chains
// take, or a block for a sample-ratio mismatch, which changes nothing. Every partition
// applies it; the first one alone writes the row, so that the warehouse has one.
func (s *Shard) applyDecide(d *control.Decide, out *effect.Effects) error {
	if d.Variant != "" {
		if err := s.defs.decide(d); err != nil {
			return err
		}
		s.tallies.renew(&out.Output)
	}
	if s.config.Partition != 0 {
		return nil
	}
	kind := output.Decided
	if d.Variant == "" {
		kind = output.Blocked
	}
	out.Decisions = append(out.Decisions, output.Decision{
		Workspace: d.Workspace, Campaign: d.Campaign, Version: s.defs.set(d.Workspace).Version(d.Campaign),
		Step: d.Step, Kind: kind, Reason: d.Reason,
		Detail: d.Detail(d.Variant), At: s.now,
	})
	return nil
}

package active

import "github.com/nudge-engine/nudge/campaign/program"

// Winner is the result of a decided experiment: chains that come to the step take the variant.
type Winner struct {
	Campaign string `json:"campaign"`
	Step     string `json:"step"`
	Variant  string `json:"variant"`
}

// Winner returns the id of the variant that won an experiment, empty while it is not decided.
func (s *Set) Winner(campaign, step string) string {
	for i := range s.winners {
		if s.winners[i].Campaign == campaign && s.winners[i].Step == step {
			return s.winners[i].Variant
		}
	}
	return ""
}

// Decide sets which experiments are decided. It must be called before the set is used, as the
// set is not synchronised.
func (s *Set) Decide(winners []Winner) { s.winners = winners }

// Version returns the version in force of a campaign, 0 if the campaign is not in the set.
func (s *Set) Version(campaign string) uint32 {
	if p := s.ByName[campaign]; p != nil {
		return p.Version
	}
	return 0
}

// Counts returns the experiment at a step of a campaign while it still looks for a winner: it
// has a rule and a goal, and none of its variants has won. Otherwise it returns nil. A winner
// whose variant a newer version removed does not end the experiment.
func (s *Set) Counts(campaign, step string) *program.Experiment {
	p := s.ByName[campaign]
	if p == nil {
		return nil
	}
	at, _ := p.Step(step)
	if at == nil {
		return nil
	}
	x, ok := at.Verb.(*program.Experiment)
	if !ok || x.Winner == nil || p.Goal(x.Goal) == nil || x.Index(s.Winner(campaign, step)) >= 0 {
		return nil
	}
	return x
}

// Counting calls f with each experiment of a campaign in force that still looks for a
// winner, in the order of the steps.
func (s *Set) Counting(campaign string, f func(step string, x *program.Experiment)) {
	p := s.ByName[campaign]
	if p == nil {
		return
	}
	p.Experiments(func(step string, x *program.Experiment) {
		if s.Counts(campaign, step) != nil {
			f(step, x)
		}
	})
}

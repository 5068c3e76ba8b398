package active

import "github.com/nudge-engine/nudge/campaign/program"

// Winner is a decided experiment: chains that come to it take the variant.
type Winner struct {
	Campaign string `json:"campaign"`
	Step     string `json:"step"`
	Variant  string `json:"variant"`
}

// Winner is the decided variant of an experiment, empty before.
func (s *Set) Winner(campaign, step string) string {
	for i := range s.winners {
		if s.winners[i].Campaign == campaign && s.winners[i].Step == step {
			return s.winners[i].Variant
		}
	}
	return ""
}

// Decide makes known which experiments are decided. It must be called before the set
// is used.
func (s *Set) Decide(winners []Winner) { s.winners = winners }

// Version is that of a campaign in force, 0 when there is none.
func (s *Set) Version(campaign string) uint32 {
	if p := s.ByName[campaign]; p != nil {
		return p.Version
	}
	return 0
}

// Counts is the experiment of a campaign in force that still looks for a winner, nil
// when there is none.
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

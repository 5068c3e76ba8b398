package admin

import (
	"net/http"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/winner"
)

// experimentView is an experiment as people see it.
type experimentView struct {
	Campaign string        `json:"campaign"`
	Version  uint32        `json:"version"`
	Step     string        `json:"step"`
	Goal     string        `json:"goal"`
	State    string        `json:"state"`           // counting, blocked, decided
	First    string        `json:"first,omitempty"` // log time of the first exposure
	Looks    int           `json:"looks"`
	Next     *nextLook     `json:"next_look,omitempty"`
	Mismatch *float64      `json:"sample_ratio_p,omitempty"`
	Variants []variantView `json:"variants"`
	Winner   string        `json:"winner,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	At       string        `json:"at,omitempty"` // the full hour that decided, or blocked last
}

// nextLook is when the figures are looked at next: at the first full hour from Time on
// at which so many exposures have matured.
type nextLook struct {
	Time      string `json:"time"`
	Exposures int    `json:"exposures"`   // of all variants together
	Each      int    `json:"per_variant"` // of each variant
}

type variantView struct {
	ID          string   `json:"id"`
	Weight      int      `json:"weight"`
	Exposures   *int     `json:"exposures,omitempty"` // matured or not; not known of a decided one
	Matured     int      `json:"matured"`
	Conversions int      `json:"conversions"` // of the matured ones
	Best        *float64 `json:"best,omitempty"`
}

func (p *Parts) experiments(w http.ResponseWriter, r *http.Request) error {
	trials, err := p.Control.Experiments(r.Context())
	if err != nil {
		return answer{http.StatusServiceUnavailable, err}
	}
	name, all := r.URL.Query().Get("campaign"), []experimentView{}
	for i := range trials {
		if name == "" || trials[i].Campaign == name {
			all = append(all, viewOf(&trials[i]))
		}
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}

func viewOf(t *actors.OpenExperiment) experimentView {
	v := experimentView{
		Campaign: t.Campaign, Version: t.Version, Step: t.Step, Goal: t.Experiment.Goal, State: "counting",
		Variants: []variantView{},
	}
	if t.Decided != nil {
		v.State, v.Winner = "decided", t.Decided.Variant
		v.evidence(&t.Decided.ExperimentStats)
		for i := range v.Variants {
			v.Variants[i].Best = &t.Decided.Arms[i].Best
		}
		return v
	}
	s := t.State
	v.evidence(&s.ExperimentStats)
	if v.First, v.Looks = unit.FormatTime(s.First), s.Looks; s.First != 0 {
		best := s.Best()
		for i := range v.Variants {
			v.Variants[i].Best = &best[i]
		}
		v.Next = &nextLook{
			Time: unit.FormatTime(s.First + t.Experiment.Winner.MinTime), Exposures: s.Next,
			Each: t.Experiment.Winner.MinPerVariant,
		}
	}
	for i := range v.Variants {
		v.Variants[i].Exposures = &s.Exposed[i]
	}
	if s.Verdict == winner.Blocked {
		v.State = "blocked"
	}
	return v
}

func (v *experimentView) evidence(e *control.ExperimentStats) {
	v.Looks, v.Reason, v.Mismatch = e.Look, string(e.Reason), &e.Mismatch
	if e.Hour != 0 {
		v.At = unit.FormatTime(e.Hour * unit.HourMillis)
	}
	for _, a := range e.Arms {
		v.Variants = append(v.Variants, variantView{
			ID: a.Variant, Weight: a.Weight, Matured: a.Exposures, Conversions: a.Conversions,
		})
	}
}

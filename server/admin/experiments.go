package admin

import (
	"net/http"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/winner"
)

// experimentView is an experiment as GET /v1/experiments shows it.
type experimentView struct {
	Campaign string `json:"campaign"`
	Version  uint32 `json:"version"`
	Step     string `json:"step"`
	Goal     string `json:"goal"`
	// State is counting, blocked or decided.
	State string `json:"state"`
	// First is the log time of the first exposure, as RFC 3339; empty before.
	First    string        `json:"first,omitempty"`
	Looks    int           `json:"looks"`
	Next     *nextLook     `json:"next_look,omitempty"`
	Mismatch *float64      `json:"sample_ratio_p,omitempty"`
	Variants []variantView `json:"variants"`
	Winner   string        `json:"winner,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	// At is the full hour at which it was decided, or blocked last.
	At string `json:"at,omitempty"`
}

// nextLook says when the figures are looked at next: at the first full hour from Time on at
// which so many exposures have matured.
type nextLook struct {
	Time string `json:"time"`
	// Exposures is needed of all variants together, Each of each variant.
	Exposures int `json:"exposures"`
	Each      int `json:"per_variant"`
}

// variantView is one variant with its figures. Conversions are those of matured exposures, so
// that Conversions / Matured is its rate. Best is the probability, 0 to 1, that it is the best
// variant; nil while nothing is known.
type variantView struct {
	ID     string `json:"id"`
	Weight int    `json:"weight"`
	// Exposures counts matured and others; nil of a decided experiment, which is no longer
	// counted.
	Exposures   *int     `json:"exposures,omitempty"`
	Matured     int      `json:"matured"`
	Conversions int      `json:"conversions"` // of the matured ones
	Best        *float64 `json:"best,omitempty"`
}

// experiments answers GET /v1/experiments, for one campaign with ?campaign=NAME. 404 means that
// there is no such campaign; one without an experiment gives an empty list.
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
	if _, ok := p.Control.Document(p.Workspace, program.KindCampaign, name); name != "" && len(all) == 0 && !ok {
		return p.noCampaign(name)
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}

// viewOf shows an experiment: a decided one with the figures of its decision, another one with
// those of now.
func viewOf(t *actors.OpenExperiment) experimentView {
	v := experimentView{
		Campaign: t.Campaign, Version: t.Version, Step: t.Step, Goal: t.Experiment.Goal, State: "counting",
		Variants: []variantView{},
	}
	// A decided experiment is not counted any more: it is shown as it was when it was decided.
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
	// Before the first exposure there is nothing to look at, and no time that it counts from.
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

// evidence fills in the figures that a decision rests on, one variant for each arm.
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

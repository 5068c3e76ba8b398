package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/campaign/winner"
)

// Pauses of decide.
const (
	decideEvery = time.Second
	gaugeEvery  = time.Minute
)

// decide looks at the experiments when an hour of log time is full (ADR 14).
func (n *node) decide(ctx context.Context) {
	decider := actors.NewDecider(n.control, n.clock.Now)
	ticker := time.NewTicker(decideEvery)
	defer ticker.Stop()
	gauged := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		said, err := n.lookAtExperiments(ctx, decider)
		for i := range said {
			n.logDecision(&said[i])
		}
		if err != nil && ctx.Err() == nil {
			n.log.Debug("experiments: no look", slog.Any("error", err)) // a halted partition says so itself
			continue
		}
		if len(said) > 0 || time.Since(gauged) > gaugeEvery {
			gauged = time.Now()
			n.gaugeExperiments(ctx)
		}
	}
}

func (n *node) lookAtExperiments(ctx context.Context, d *actors.Decider) ([]actors.Decide, error) {
	limited, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	return d.Look(limited)
}

func (n *node) logDecision(d *actors.Decide) {
	attributes := []any{
		slog.String("campaign", d.Campaign), slog.String("step", d.Step), slog.String("reason", string(d.Reason)),
		slog.String("hour", campaign.FormatTime(d.Hour*campaign.HourMillis)), slog.Any("figures", d.Arms),
		slog.Float64("mismatch", d.Mismatch),
	}
	if d.Variant == "" {
		n.log.Error("experiment blocked: chance does not give such shares of the variants", attributes...)
		return
	}
	n.log.Info("experiment decided", append(attributes, slog.String("winner", d.Variant))...)
}

func (n *node) gaugeExperiments(ctx context.Context) {
	trials, err := n.control.Experiments(ctx)
	if err != nil {
		return
	}
	blocked := int64(0)
	for i := range trials {
		if trials[i].Blocked() {
			blocked++
		}
	}
	n.blocked.Store(blocked)
	if len(trials) > actors.MaxTallies {
		n.log.Error("more experiments look for a winner than are counted", slog.Int("experiments", len(trials)),
			slog.Int("limit", actors.MaxTallies))
	}
}

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

func (n *node) adminExperiments(w http.ResponseWriter, r *http.Request) error {
	trials, err := n.control.Experiments(r.Context())
	if err != nil {
		return adminError{http.StatusServiceUnavailable, err}
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

func viewOf(t *actors.Trial) experimentView {
	v := experimentView{
		Campaign: t.Campaign, Version: t.Version, Step: t.Step, Goal: t.Experiment.Goal, State: "counting",
		Variants: []variantView{},
	}
	if t.Decided != nil {
		v.State, v.Winner = "decided", t.Decided.Variant
		v.evidence(&t.Decided.Evidence)
		for i := range v.Variants {
			v.Variants[i].Best = &t.Decided.Arms[i].Best
		}
		return v
	}
	s := t.Standing
	v.evidence(&s.Evidence)
	if v.First, v.Looks = campaign.FormatTime(s.First), s.Looks; s.First != 0 {
		best := s.Best()
		for i := range v.Variants {
			v.Variants[i].Best = &best[i]
		}
		v.Next = &nextLook{
			Time: campaign.FormatTime(s.First + t.Experiment.Winner.MinTime), Exposures: s.Next,
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

func (v *experimentView) evidence(e *actors.Evidence) {
	v.Looks, v.Reason, v.Mismatch = e.Look, string(e.Reason), &e.Mismatch
	if e.Hour != 0 {
		v.At = campaign.FormatTime(e.Hour * campaign.HourMillis)
	}
	for _, a := range e.Arms {
		v.Variants = append(v.Variants, variantView{
			ID: a.Variant, Weight: a.Weight, Matured: a.Exposures, Conversions: a.Conversions,
		})
	}
}

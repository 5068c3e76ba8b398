package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/sink/warehouse"
)

const (
	// shownErrors is how many of the last errors of a campaign are shown.
	shownErrors = 20
	// statusLimit bounds the queries to ClickHouse. It is well below LongestAnswer, so that
	// the answer without figures still gets out.
	statusLimit = 30 * time.Second
)

// campaignStatus says how one campaign stands.
type campaignStatus struct {
	Campaign string `json:"campaign"`
	Version  uint32 `json:"version"`
	// Status is draft, active, paused or archived.
	Status string `json:"status"`
	// Takes says whether triggers are taken now; Why says what keeps them from being taken.
	Takes bool   `json:"takes_triggers"`
	Why   string `json:"why"`
	// Hook is the path for the calls of a webhook trigger; empty for others.
	Hook string `json:"hook"`
	// Figures are nil when ClickHouse does not answer; Unknown then says why.
	Figures *warehouse.Status `json:"figures"`
	Unknown string            `json:"figures_unknown"`
}

// campaign answers GET /v1/campaigns/{name}: how a campaign stands. While ClickHouse is away
// it answers without figures.
func (p *Parts) campaign(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	d, ok := p.Control.Document(p.Workspace, program.KindCampaign, name)
	if !ok {
		return p.noCampaign(name)
	}
	parsed, err := p.Catalog.Compile(p.Workspace, &d)
	if err != nil {
		return err
	}
	now, err := p.Clock.Now()
	if err != nil {
		return answer{http.StatusServiceUnavailable, err}
	}
	c := parsed.Campaign
	s := campaignStatus{Campaign: name, Version: d.Version, Status: c.Status.String(), Why: kept(c, now)}
	s.Takes = s.Why == ""
	// The path is shown because its sender has to be told it.
	if _, is := c.Trigger.(*program.WebhookTrigger); is {
		s.Hook = "/v1/hooks/" + name
	}
	// ClickHouse has the figures, and may be away or busy; the rest is known without it.
	limited, cancel := context.WithTimeout(r.Context(), statusLimit)
	defer cancel()
	figures, err := p.Warehouse.Status(limited, p.Workspace, name, time.UnixMilli(now), shownErrors)
	if s.Figures = &figures; err != nil {
		s.Figures, s.Unknown = nil, err.Error()
	}
	writeJSON(w, http.StatusOK, s)
	return nil
}

// noCampaign returns the answer to a question about a campaign that is not there, with the name
// that was probably meant.
func (p *Parts) noCampaign(name string) error {
	return answer{http.StatusNotFound, fmt.Errorf("there is no campaign %q; `nudge list` shows which are%s", name,
		nearest.Hint(name, p.names(program.KindCampaign)))}
}

// names returns the names of all documents of a kind in force, sorted.
func (p *Parts) names(kind string) []string {
	var names []string
	for _, d := range p.Control.DocumentsOf(p.Workspace, kind) {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return names
}

// kept returns what keeps a campaign from taking triggers at now (ms since 1970); empty when
// nothing does.
func kept(p *program.Program, now int64) string {
	switch {
	case p.Status != program.StatusActive:
		return "its status is " + p.Status.String()
	case p.From != 0 && now < p.From:
		return "it begins at " + unit.FormatTime(p.From)
	case p.Until != 0 && now >= p.Until:
		return "it ended at " + unit.FormatTime(p.Until)
	}
	return ""
}

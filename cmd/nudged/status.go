package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/sink/warehouse"
)

const (
	shownErrors = 20               // of the last errors of a campaign
	statusLimit = 30 * time.Second // for what ClickHouse is asked
)

// campaignStatus is how one campaign stands.
type campaignStatus struct {
	Campaign string `json:"campaign"`
	Version  uint32 `json:"version"`
	Status   string `json:"status"` // draft, active, paused or archived
	// Takes says whether triggers are taken now; Why what keeps them from being taken.
	Takes bool   `json:"takes_triggers"`
	Why   string `json:"why"`
	Hook  string `json:"hook"` // where the calls of a webhook trigger go; empty for others
	// Figures are nil when ClickHouse does not answer; Unknown then says why.
	Figures *warehouse.Status `json:"figures"`
	Unknown string            `json:"figures_unknown"`
}

// adminStatus answers how a campaign stands; while ClickHouse is away, without figures.
func (n *node) adminStatus(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	d, ok := n.control.Document(workspaceName, campaign.KindCampaign, name)
	if !ok {
		return adminError{http.StatusNotFound, fmt.Errorf("there is no campaign %q; `nudge list` shows "+
			"which are%s", name, nearest.Hint(name, n.campaignNames()))}
	}
	parsed, err := n.catalog.compile(workspaceName, &d)
	if err != nil {
		return err
	}
	now, err := n.clock.Now()
	if err != nil {
		return adminError{http.StatusServiceUnavailable, err}
	}
	p := parsed.Campaign
	s := campaignStatus{Campaign: name, Version: d.Version, Status: p.Status.String(), Why: kept(p, now)}
	s.Takes = s.Why == ""
	if _, is := p.Trigger.(*campaign.WebhookTrigger); is {
		s.Hook = "/v1/hooks/" + name
	}
	limited, cancel := context.WithTimeout(r.Context(), statusLimit)
	defer cancel()
	figures, err := n.warehouse.Status(limited, workspaceName, name, time.UnixMilli(now), shownErrors)
	if s.Figures = &figures; err != nil {
		s.Figures, s.Unknown = nil, err.Error()
	}
	writeJSON(w, http.StatusOK, s)
	return nil
}

// campaignNames are the names of all campaigns in force, sorted.
func (n *node) campaignNames() []string {
	var names []string
	for _, d := range n.control.DocumentsOf(workspaceName, campaign.KindCampaign) {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return names
}

// kept says what keeps a campaign from taking triggers at now (ms); empty when nothing does.
func kept(p *campaign.Program, now int64) string {
	switch {
	case p.Status != campaign.StatusActive:
		return "its status is " + p.Status.String()
	case p.From != 0 && now < p.From:
		return "it begins at " + campaign.FormatTime(p.From)
	case p.Until != 0 && now >= p.Until:
		return "it ended at " + campaign.FormatTime(p.Until)
	}
	return ""
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
)

// statusCommand is `nudge status`: how one campaign stands on the server.
type statusCommand struct {
	adminAddress `embed:""`
	Campaign     string `arg:"" help:"Name of the campaign."`
	JSON         bool   `name:"json" help:"Print what the server says, as JSON."`
}

func (s *statusCommand) Help() string {
	return `Says how a campaign stands: its status, whether it takes triggers now, how many chains
are active, what was decided in the last day (how often each reason refused a customer),
and its last errors. "nudge explain" says it of one customer, rule by rule.`
}

// shownStatus is what the server says; server/admin/campaigns.go describes the fields.
type shownStatus struct {
	Campaign string `json:"campaign"`
	Version  uint32 `json:"version"`
	// Status is draft, active, paused or archived.
	Status string `json:"status"`
	// Why says what keeps the campaign from taking triggers; empty: it takes them.
	Why string `json:"why"`
	// Hook is the path of a webhook trigger, empty for others.
	Hook string `json:"hook"`
	// Unknown says why there are no Figures.
	Unknown string `json:"figures_unknown"`
	// Figures is nil when ClickHouse gave no answer.
	Figures *struct {
		Active uint64 `json:"active_chains"`
		// Decisions counts those of the last day, by kind and reason.
		Decisions []struct {
			Kind   string `json:"kind"`
			Reason string `json:"reason"`
			Count  uint64 `json:"count"`
			Last   string `json:"last"`
		} `json:"decisions"`
		// Errors are the last ones, newest first.
		Errors []struct {
			At       string `json:"at"`
			Customer string `json:"customer"`
			Step     string `json:"step"`
			Kind     string `json:"kind"`
			Reason   string `json:"reason"`
			Detail   string `json:"detail"`
		} `json:"errors"`
	} `json:"figures"`
}

// Run prints how the campaign stands, or what the server says.
func (s *statusCommand) Run(out console) error {
	text, err := s.call(http.MethodGet, "/v1/campaigns/"+url.PathEscape(s.Campaign), nil)
	if err != nil {
		return err
	}
	if s.JSON {
		_, err = out.out.Write(text)
		return err
	}
	var status shownStatus
	if err := json.Unmarshal(text, &status); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return status.print(out.out)
}

// print writes the status for people: a line about the campaign, one about its chains, and two
// tables, of the decisions of the last day and of the last errors. What ClickHouse knows is
// left out while it is away, with the reason.
func (s *shownStatus) print(out io.Writer) error {
	takes := "takes triggers"
	if s.Why != "" {
		takes = "takes no triggers: " + s.Why
	}
	fmt.Fprintf(out, "%s: version %d, %s; %s\n", s.Campaign, s.Version, s.Status, takes)
	// Errors of calls are not among the last errors below: the caller has them.
	if s.Hook != "" {
		fmt.Fprintf(out, "called at POST %s with a key of scope hook; what is wrong with a call is in its answer\n",
			s.Hook)
	}
	if s.Figures == nil {
		fmt.Fprintf(out, "the figures are not known: %s\n", s.Unknown)
		return nil
	}
	// min keeps a large number within int; only one and more matter to plural.
	fmt.Fprintf(out, "%d active %s\n", s.Figures.Active, plural(int(min(s.Figures.Active, 2)), "chain", "chains"))
	// Both tables go through one writer, so that their columns line up.
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(s.Figures.Decisions) == 0 {
		fmt.Fprintln(w, "\nnothing was decided in the last day: no event matched the trigger")
	} else {
		fmt.Fprintln(w, "\ndecided in the last day\treason\ttimes\tlast")
	}
	for _, d := range s.Figures.Decisions {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", d.Kind, d.Reason, d.Count, d.Last)
	}
	if len(s.Figures.Errors) == 0 {
		fmt.Fprintln(w, "\nno errors")
	} else {
		fmt.Fprintln(w, "\nlast errors\tcustomer\tstep\twhat\tdetail")
	}
	for _, e := range s.Figures.Errors {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t%s\n", e.At, e.Customer, e.Step, e.Kind, e.Reason, e.Detail)
	}
	return w.Flush()
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// previewed is the answer to a dry run: the parts of deploy.Preview that are shown.
type previewed struct {
	Applied []previewedDocument `json:"applied"`
	// Customers is how many the server knows.
	Customers int `json:"customers"`
	// Reached counts those of them whose whole history the log has.
	Reached   int                 `json:"history_in_log"`
	Campaigns []previewedCampaign `json:"campaigns"`
	// Counters are what would begin to be counted. Counted says that a part of it is counted
	// already, Fires that a trigger needs it.
	Counters []struct {
		Text    string `json:"counter"`
		Counted bool   `json:"counted"`
		Fires   bool   `json:"fires"`
	} `json:"counters"`
	// Warnings are the warnings that nudge check gives.
	Warnings []struct {
		Campaign string `json:"campaign"`
		Message  string `json:"message"`
	} `json:"warnings"`
}

// previewedDocument is a document as an apply left it, or would leave it.
type previewedDocument struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version uint32 `json:"version"`
	Changed bool   `json:"changed"`
}

// previewedCampaign says what would happen to chains and customers of one campaign. Fates
// counts chains by what would become of them, AtOnce those that would go on at once; Enter and
// Refused are about customers who would be tried for an entry, when Existing is set.
type previewedCampaign struct {
	Campaign string `json:"campaign"`
	// InFlight is what the new version says of live chains, as its definition has it.
	InFlight string `json:"in_flight"`
	Existing bool   `json:"existing"`
	// Enter counts the customers who would start a chain.
	Enter int `json:"enter"`
	// Refused counts entries by the reason for which they would be refused.
	Refused map[string]int `json:"refused"`
	Steps   []struct {
		Step string `json:"step"`
		// Chains counts those that wait in the step.
		Chains int `json:"chains"`
		// Fates counts the chains by what would become of them.
		Fates map[string]int `json:"fates"`
		// AtOnce counts those that would go on at once.
		AtOnce int `json:"at_once"`
	} `json:"steps"`
}

// showPreview prints the answer to a dry run: each document, and below each campaign that changes
// what would become of its chains; then the counters that would begin or end, and the warnings.
func showPreview(out console, text []byte) error {
	var p previewed
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	w := out.out
	// Documents come as they were sent; "would be version 4" is one that differs from what is
	// in force.
	for _, d := range p.Applied {
		if !d.Changed {
			fmt.Fprintf(w, "%s %s: unchanged, version %d\n", d.Kind, d.Name, d.Version)
			continue
		}
		fmt.Fprintf(w, "%s %s: would be version %d\n", d.Kind, d.Name, d.Version)
		// What happens to chains is shown below the campaign that changes.
		for i := range p.Campaigns {
			if d.Kind == "Campaign" && p.Campaigns[i].Campaign == d.Name {
				p.showCampaign(w, &p.Campaigns[i])
			}
		}
	}
	for _, c := range p.Counters {
		switch {
		// Three cases: a counter of which a part is counted already, one that a trigger needs,
		// and one that only expressions read.
		case c.Counted:
			fmt.Fprintf(w, "would be counted from now on, beside what is counted already: %s\n", c.Text)
		case c.Fires:
			fmt.Fprintf(w, "would be counted from now on: %s; a trigger needs it, and refuses the %d customers who "+
				"are there as history_unknown\n  with --backfill the history of %d of them is known\n", c.Text,
				p.Customers, p.Reached)
		default:
			fmt.Fprintf(w, "would be counted from now on: %s; with --backfill with the whole history of %d of %d "+
				"customers\n", c.Text, p.Reached, p.Customers)
		}
	}
	for _, a := range p.Warnings {
		fmt.Fprintf(w, "Campaign %s: warning: %s\n", a.Campaign, a.Message)
	}
	fmt.Fprintln(w, "Nothing was changed.")
	return nil
}

// showCampaign prints what would happen to a campaign's chains, to entries that were kept
// while it stood still, and to customers who are there already.
func (p *previewed) showCampaign(w io.Writer, c *previewedCampaign) {
	if c.InFlight != "" && len(c.Steps) == 0 {
		fmt.Fprintf(w, "  no chain waits (in_flight: %s)\n", c.InFlight)
	}
	for _, s := range c.Steps {
		fmt.Fprintf(w, "  step %s: %d %s (in_flight: %s): %s", s.Step, s.Chains,
			plural(s.Chains, "chain waits", "chains wait"), c.InFlight, listed(s.Fates))
		if s.AtOnce > 0 {
			fmt.Fprintf(w, "; %d due at once, released over a minute", s.AtOnce)
		}
		fmt.Fprintln(w)
	}
	// A campaign that was paused may have kept entries, which are decided when it goes on.
	if !c.Existing && c.Enter+len(c.Refused) > 0 {
		fmt.Fprintf(w, "  entries that were kept: %d would start a chain; refused: %s\n", c.Enter, listed(c.Refused))
	}
	// "existing: include" tries an entry for each customer who is there already.
	if c.Existing {
		fmt.Fprintf(w, "  existing: include: %d of %d customers would enter", c.Enter, p.Customers)
		if len(c.Refused) > 0 {
			fmt.Fprintf(w, "; refused: %s", listed(c.Refused))
		}
		fmt.Fprintln(w)
	}
}

// listed writes "12 follows, 3 exits", sorted by name.
func listed(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(parts, ", ")
}

// plural returns one for 1 and more otherwise.
func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

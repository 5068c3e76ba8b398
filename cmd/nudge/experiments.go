package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
)

// trialsCommand is `nudge experiments`: how the experiments stand that look for a winner.
type trialsCommand struct {
	adminAddress `embed:""`
	Campaign     string `arg:"" optional:"" help:"Only the experiments of this campaign."`
	JSON         bool   `name:"json" help:"Print what the server says, as JSON."`
}

func (e *trialsCommand) Help() string {
	return `Lists the experiments that look for a winner: for each variant the chains exposed,
those whose goal window is over (matured), how many of these converted, and the
probability to be the best. "shares" is the probability that chance gives such
shares of the variants; below 0.001 the experiment is blocked.`
}

// shownExperiment is what the server says about one experiment; server/admin/experiments.go
// describes the fields.
type shownExperiment struct {
	Campaign string `json:"campaign"`
	Step     string `json:"step"`
	// State is counting, blocked or decided.
	State string `json:"state"`
	// Looks is how often the figures were evaluated so far.
	Looks int `json:"looks"`
	// Mismatch is the probability of such shares of the variants under their weights.
	Mismatch *float64 `json:"sample_ratio_p"`
	// Winner is the variant of a decided experiment, Reason says by what it won.
	Winner string `json:"winner"`
	Reason string `json:"reason"`
	// At is the hour at which it was decided, or blocked last, as RFC 3339.
	At string `json:"at"`
	// Next is when and at how many matured exposures the next look is due, of all variants
	// together and of each; nil when none is.
	Next *struct {
		Time      string `json:"time"`
		Exposures int    `json:"exposures"`
		Each      int    `json:"per_variant"`
	} `json:"next_look"`
	Variants []struct {
		ID     string `json:"id"`
		Weight int    `json:"weight"`
		// Exposures is nil of a decided experiment, which is no longer counted; Best is nil
		// while nothing is known.
		Exposures *int `json:"exposures"`
		// Matured counts the exposures whose goal window is over, Conversions those of them that
		// converted.
		Matured     int      `json:"matured"`
		Conversions int      `json:"conversions"`
		Best        *float64 `json:"best"`
	} `json:"variants"`
}

// Run prints a table for each experiment, or what the server says.
func (e *trialsCommand) Run(out console) error {
	text, err := e.call(http.MethodGet, "/v1/experiments?campaign="+url.QueryEscape(e.Campaign), nil)
	if err != nil {
		return err
	}
	if e.JSON {
		_, err = out.out.Write(text)
		return err
	}
	var all []shownExperiment
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	if len(all) == 0 {
		fmt.Fprintln(out.out, "no experiment looks for a winner")
	}
	for i := range all {
		if err := all[i].print(out); err != nil {
			return err
		}
	}
	return nil
}

// print writes the state of an experiment and a line for each variant. What is not known is a
// dash.
func (x *shownExperiment) print(out console) error {
	fmt.Fprintf(out.out, "%s/%s: %s\n", x.Campaign, x.Step, x.line())
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  variant\tweight\texposed\tmatured\tconverted\tbest")
	for _, v := range x.Variants {
		exposed, best := "-", "-"
		if v.Exposures != nil {
			exposed = strconv.Itoa(*v.Exposures)
		}
		if v.Best != nil {
			best = fmt.Sprintf("%.4f", *v.Best)
		}
		fmt.Fprintf(w, "  %s\t%d\t%s\t%d\t%d\t%s\n", v.ID, v.Weight, exposed, v.Matured, v.Conversions, best)
	}
	return w.Flush()
}

// line returns in one line how the experiment stands. Where the server gives no probability of
// the shares it counts as 1: no mismatch.
func (x *shownExperiment) line() string {
	shares := 1.0
	if x.Mismatch != nil {
		shares = *x.Mismatch
	}
	switch {
	case x.State == "decided":
		return fmt.Sprintf("%s wins (%s, %s)", x.Winner, x.Reason, x.At)
	case x.State == "blocked":
		return fmt.Sprintf("blocked: chance gives such shares with %.6f; look at who is assigned and counted", shares)
	// The time of the first look counts from the first exposure.
	case x.Next == nil:
		return "nobody is exposed yet"
	// After the first look the next one is due at a number of matured exposures, of all
	// variants together.
	case x.Next.Exposures > 0:
		return fmt.Sprintf("%d looks, next at %d matured; shares %.4f", x.Looks, x.Next.Exposures, shares)
	default:
		return fmt.Sprintf("no look yet, first at %d matured each, from %s; shares %.4f",
			x.Next.Each, x.Next.Time, shares)
	}
}

package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/explain"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// explainOptions are the flags of nudge simulate that ask why one customer was or was not sent
// something.
type explainOptions struct {
	// Explain is the id of a customer; empty: the table is printed.
	Explain         string `placeholder:"ID" help:"Print, in place of the table, why this customer was or was not sent something."`
	ExplainCampaign string `placeholder:"NAME" help:"With --explain: only this campaign."`
	ExplainJSON     bool   `name:"explain-json" help:"With --explain: write JSON."`
}

// validate checks the flags together; against is --against, which has two runs to explain.
func (o *explainOptions) validate(against string) error {
	switch {
	case o.Explain == "" && (o.ExplainCampaign != "" || o.ExplainJSON):
		return errors.New("--explain-campaign and --explain-json need --explain")
	case o.Explain != "" && against != "":
		return errors.New("--explain and --against cannot be used together")
	}
	return nil
}

// trace returns a new trace that will record the rules of the customer whom the flags name, written
// in lang; nil when nobody is to be explained.
func (o *explainOptions) trace(lang *expr.Language) *trace.Trace {
	if o.Explain == "" {
		return nil
	}
	return trace.NewTrace(lang, simulate.Workspace, o.Explain, o.ExplainCampaign)
}

// explain prints the trace. A campaign that was not simulated is an error, for its trace would
// be empty.
func (o *explainOptions) explain(out console, trace *trace.Trace, all []*simulate.Summary) error {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Campaign
	}
	if o.ExplainCampaign != "" && !slices.Contains(names, o.ExplainCampaign) {
		return fmt.Errorf("--explain-campaign %s: there is no such campaign%s", o.ExplainCampaign,
			nearest.Hint(o.ExplainCampaign, names))
	}
	// 0, 0: all that the simulation covered.
	return show(out, explain.Of(trace, 0, 0), o.ExplainJSON)
}

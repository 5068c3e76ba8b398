package parse

import "github.com/nudge-engine/nudge/campaign/program"

// This file says who reads what. Each type reads one part of the language; all of them read their
// values, and report their errors, with the same reader.

// documentReader reads the documents of a file, and by their kind what they define.
type documentReader struct{ core *reader }

// campaignReader reads what a campaign says beside its trigger, steps and policy.
type campaignReader struct {
	core     *reader
	triggers *triggerReader
	steps    *stepReader
	policies *policyReader
}

// newCampaignReader returns a reader for one campaign: its experiments have checks that are made
// when all of it is read.
func newCampaignReader(core *reader) *campaignReader {
	return &campaignReader{
		core:     core,
		triggers: &triggerReader{core},
		steps:    &stepReader{core: core, experiments: &experimentReader{core: core}},
		policies: &policyReader{core},
	}
}

// triggerReader reads the kinds of triggers.
type triggerReader struct{ core *reader }

// stepReader reads steps and their verbs, and checks where they lead.
type stepReader struct {
	core        *reader
	experiments *experimentReader
}

// experimentReader reads the experiments of one campaign.
type experimentReader struct {
	core *reader
	// checks need the goals of the campaign, which may be written after its steps: they are made
	// when all of it is read.
	checks []func(*program.Program)
}

// policyReader reads policies, of a workspace and of a campaign.
type policyReader struct{ core *reader }

// scenarioReader reads scenarios, which say what is to happen and what is expected.
type scenarioReader struct{ core *reader }

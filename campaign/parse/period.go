package parse

import (
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
)

// checkPeriod checks what from, until, recheck and existing say together with the rest.
func (r *campaignReader) checkPeriod(n *yaml.Node, p *program.Program) {
	if p.From != 0 && p.Until != 0 && p.From >= p.Until {
		r.core.fail(n, "campaign: until must be after from")
	}
	// A field with an error may be what is missing.
	flawed := r.core.flawed["campaign"]
	if p.Recheck && p.Audience == nil && !flawed["audience"] && !flawed["recheck"] {
		r.core.fail(n, "campaign: recheck needs an audience")
	}
	if !p.Existing || p.Trigger == nil || r.core.flawed["trigger"]["?"] {
		return
	}
	if !p.OffersExisting() {
		r.core.fail(n, "campaign: existing: include needs a trigger count, inactivity, threshold or segment")
	}
}

package workload

import (
	"github.com/nudge-engine/nudge/sim/audit"
)

// workspacePolicy draws the policy of the workspace.
func (d *draw) workspacePolicy() *audit.WorkspacePolicy {
	var h audit.WorkspacePolicy
	if d.f.Calendar && d.one(2) {
		h.Zone = pick(d, zones())
	}
	if d.f.Quiet && d.one(3) {
		h.Quiet = d.quiet()
	}
	if d.f.Caps {
		h.Caps = []audit.Cap{
			{Name: "rolling", Limit: 1 + d.rng.IntN(3), Window: d.duration()},
			{Name: "mail", Channel: "email", Limit: 1 + d.rng.IntN(2), Window: d.duration()},
			{Name: "calendar", Limit: 1 + d.rng.IntN(3), Per: pick(d, []string{"day", "day", "week", "month"})},
			{Name: "ads", Category: audit.Marketing, Limit: 1, Window: d.duration()},
		}
	}
	if d.f.Consent && d.one(3) {
		h.Consent = []string{pick(d, []string{audit.Marketing, "news"})}
	}
	if d.f.Gates && d.one(3) {
		h.OffChannels = []string{pick(d, []string{"push", "telegram"})}
	}
	if d.f.Gates && d.one(4) {
		h.OffCampaigns = []string{"camp-2"}
	}
	return &h
}

func (d *draw) quiet() *audit.Quiet {
	q := pick(d, []audit.Quiet{
		{From: 21 * 60, To: 9 * 60},
		{From: 0, To: 6 * 60},
		{From: 60, To: 60 + 30},
		{From: 22*60 + 30, To: 2 * 60},
	})
	q.Drop = d.one(4)
	if d.one(3) {
		q.Zone = pick(d, zones())
	}
	return &q
}

// policy draws how a campaign gets on with the others.
func (d *draw) policy() audit.Policy {
	var p audit.Policy
	if d.one(6) {
		p.Category = audit.Transactional
	} else if d.f.Consent && d.one(3) {
		p.Category = "news"
	}
	p.Priority = d.rng.IntN(5) - 2
	if d.f.Caps {
		for _, name := range []string{"rolling", "mail", "calendar", "ads"} {
			if d.one(3) {
				p.Caps = append(p.Caps, name)
			}
		}
	}
	if d.f.Quiet && d.one(2) {
		p.Quiet = d.quiet()
	}
	if d.f.Groups && !d.one(3) {
		p.Group, p.Preempt = pick(d, []string{"g", "g", "g", "h"}), !d.one(3)
	}
	if d.f.Dedupe && !d.one(3) {
		p.DedupeProperty, p.DedupeWindow = keyProperty, d.duration()
	}
	if d.f.Holdout && d.one(2) {
		p.Holdout = pick(d, []int{500, 2525, 5000, 9000})
	}
	return p
}

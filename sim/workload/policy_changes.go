package workload

import (
	"slices"

	"github.com/nudge-engine/nudge/sim/audit"
)

// policies has the workspace's policy change: limits and windows of caps, quiet hours, what
// needs consent, what is switched off. The zone stays; windows only become shorter, for
// what is older than a window is forgotten.
func (d *draw) policies(w *Workload) {
	if w.Policy == nil {
		return
	}
	h := *w.Policy
	for at := Start; ; {
		later := d.later1(w, at)
		if later == 0 {
			return
		}
		at = later
		h.Caps = slices.Clone(h.Caps)
		for i := range h.Caps {
			if c := &h.Caps[i]; d.one(2) {
				c.Limit = 1 + d.rng.IntN(3)
				if c.Window != 0 {
					c.Window = min(c.Window, d.duration())
				}
			}
		}
		if d.one(3) {
			h.Quiet = pick(d, []*audit.Quiet{nil, d.quiet(), d.quiet()})
		}
		if d.one(3) {
			h.Consent = pick(d, [][]string{nil, {audit.Marketing}, {"news"}})
		}
		if d.one(3) {
			h.OffChannels = pick(d, [][]string{nil, {"push"}, {"telegram"}, {"email"}})
			h.OffCampaigns = pick(d, [][]string{nil, nil, {"camp-1"}, {"camp-2"}})
		}
		h.OffAll = d.one(8)
		next := h
		w.Edits = append(w.Edits, Edit{At: at, Policy: &next})
	}
}

// later1 is the instant of one of the calls after an instant, 0 when the policy changes no
// more.
func (d *draw) later1(w *Workload, at int64) int64 {
	call := pick(d, w.Calls)
	if call.At <= at {
		return 0
	}
	return call.At + pick(d, []int64{0, 1})
}

package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/program"
)

// measureUntil is the instant until which an ended chain may still convert; 0
// when it cannot.
func measureUntil(p *program.Program, ch *customer.Chain) int64 {
	until := int64(0)
	for i := range p.Goals {
		g := &p.Goals[i]
		if t := ch.Reversal(g.ID); t != nil && !t.Done && g.ReverseOn != nil {
			until = max(until, reversibleUntil(t, ch, g)+measureGrace)
		}
		if g.Window == 0 || ch.Reached(g.ID) {
			continue
		}
		base := ch.EnteredAt
		if g.FromDelivery {
			if ch.LastSend == 0 {
				continue
			}
			base = ch.LastSend
		}
		until = max(until, base+g.Window+measureGrace)
	}
	return until
}

// measureGrace is how long after its goal windows an ended chain is still
// measured, in ms of log time: as long as duplicates are recognised.
const measureGrace = 24 * 3600 * 1000

// prune drops what can no longer matter: ended chains whose goal windows are over, and
// those that ended first beyond MaxEnded.
func (cs *chains) prune() {
	cs.c.DropStamps(cs.now)
	ended := 0
	kept := cs.c.Chains[:0]
	for _, ch := range cs.c.Chains {
		if !ch.Live() {
			p := cs.set.ProgramOf(ch)
			if !cs.c.HasPending(ch) && (p == nil || measureUntil(p, ch) < cs.now) {
				continue
			}
			ended++
		}
		kept = append(kept, ch)
	}
	for ; ended > customer.MaxEnded; ended-- {
		first := -1
		for i, ch := range kept {
			if !ch.Live() && (first < 0 || ch.EndedAt < kept[first].EndedAt) {
				first = i
			}
		}
		kept = slices.Delete(kept, first, first+1)
	}
	clear(cs.c.Chains[len(kept):])
	cs.c.Chains = kept
}

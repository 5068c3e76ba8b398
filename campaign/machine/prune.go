package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/program"
)

// measureUntil returns the instant (ms) until which an ended chain may still convert, or a conversion
// of it be taken back; 0 when nothing of it is measured any more.
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

// measureGrace is how long after its goal windows an ended chain is still measured, in ms of log time:
// 24 hours, as long as duplicates are recognised. Events that come later than that are not expected.
const measureGrace = 24 * 3600 * 1000

// prune drops what can no longer matter: old time stamps of traits, ended chains without pending
// deliveries whose goal windows are over, and beyond MaxEnded those that ended first.
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

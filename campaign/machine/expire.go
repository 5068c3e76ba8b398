package machine

import (
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// markActive notes that a record of the log came about the customer: an anonymous one who
// stays without another is forgotten.
func (m *Machine) markActive() {
	if m.deriving || !strings.HasPrefix(m.c.ID, customer.AnonymousPrefix) {
		return
	}
	switch limit := m.set.Rules.Idle; limit {
	case program.NeverIdle:
		m.c.IdleAt = 0
	case 0:
		m.c.IdleAt = m.now + program.DefaultIdle
	default:
		m.c.IdleAt = m.now + limit
	}
}

// expire forgets the customer when that is due at or before limit. It is the last of the
// timers of its instant.
func (m *Machine) expire(limit int64) {
	if m.deriving {
		return
	}
	if at := m.c.Expiry(); at != 0 && at <= limit {
		m.c.Expired = true
		m.decide(output.Decision{Kind: output.Forgotten, Reason: output.ReasonIdle})
	}
}

// expiresBefore says that the customer is to be forgotten before a timer that is due at an
// instant, by what fired so far: a late one of somebody who is gone would not fire.
func (m *Machine) expiresBefore(due int64) bool {
	at := m.c.Expiry()
	return at != 0 && at < due && !m.deriving && !m.hasEmitted() && !m.profileChanged()
}

// prune drops what can no longer matter: ended chains whose goal windows are over, and
// those that ended first beyond MaxEnded.
func (m *Machine) prune() {
	m.c.DropStamps(m.now)
	ended := 0
	kept := m.c.Chains[:0]
	for _, ch := range m.c.Chains {
		if !ch.Live() {
			p := m.set.ProgramOf(ch)
			if !m.c.HasPending(ch) && (p == nil || measureUntil(p, ch) < m.now) {
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
	clear(m.c.Chains[len(kept):])
	m.c.Chains = kept
}

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

package campaign

import (
	"time"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// until arms the timer for the next allowed local instant, at or after now. A chain
// that goes back to the step at the instant at which it rested there waits for the next.
func (m *Machine) until(p *Program, u *Until, ch *Chain) (rests bool) {
	if ch.Due = m.nextLocal(p, u, ch.untilFrom(m.now)); ch.Due > m.now {
		return true
	}
	m.planned, ch.Due = ch.Due, 0
	return false
}

func (m *Machine) nextLocal(p *Program, u *Until, from int64) int64 {
	var loc *time.Location
	if u.Zone != "" {
		loc = m.loadZone(u.Zone)
	}
	if loc == nil {
		loc = m.zone(p)
	}
	return zone.Next(loc, from, u.Minute, u.Days)
}

// replanLocal plans the rests of chains anew that go by the customer's time zone.
func (m *Machine) replanLocal(chains []*Chain) {
	for _, t := range m.localTimers(chains) {
		t.chain.Due = m.nextLocal(t.program, t.until, m.now)
	}
}

// localTimer is a timer that goes by the customer's zone, and that zone.
type localTimer struct {
	chain   *Chain
	program *Program
	until   *Until
	zone    *time.Location
}

func (m *Machine) localTimers(chains []*Chain) (all []localTimer) {
	for _, ch := range chains {
		p := m.set.of(ch)
		if p == nil || !ch.live() || ch.Due == 0 {
			continue
		}
		if s, _ := p.step(ch.Step); s != nil {
			if u, ok := s.Verb.(*Until); ok && u.Zone == "" {
				all = append(all, localTimer{ch, p, u, m.zone(p)})
			}
		}
	}
	return all
}

package machine

import (
	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// ReplanFor is over how long, ms, the customers of a new version are re-planned.
const ReplanFor = 60 * 1000

const customerSep = "\x00"

// ReplanAt is when a customer's turn comes to be re-planned after a new version came at
// log time at: customers are spread over ReplanFor, so that what is due at once does not
// leave at once.
func ReplanAt(at int64, workspace, customer string) int64 {
	return at + int64(xxhash.Sum64String(workspace+customerSep+customer)%ReplanFor)
}

// Replan brings the customer's chains in line with the versions in force. Where they are
// it must be a no-op: migrations that change nothing are not logged, so replay skips them.
func (m *Machine) Replan(c *customer.Customer, now int64, out *output.Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.trace.Step(trace.Step{At: now, What: "new version"})
	}
	m.follow()
	m.release(out)
}

// follow re-plans the chains whose campaign has a new version: every record and timer
// does so first. A timer that would be due earlier than the customer's turn is due then.
func (m *Machine) follow() {
	for _, ch := range m.c.Chains {
		next := m.set.Histories[ch.Campaign]
		if next == nil || !ch.Live() || m.leftBehind(ch) {
			continue
		}
		p, current := m.set.ProgramOf(ch), m.set.ByName[ch.Campaign]
		before := max(ch.Version, ch.Planned)
		if p == nil || current == nil || current.Version <= before {
			continue
		}
		ch.Planned = current.Version
		earliest := ReplanAt(next.At, m.c.Workspace, m.c.ID)
		if !ch.Still && p.Version > before { // else it is pinned to what its timer goes by
			m.retime(p, ch, earliest)
		}
		m.freeze(ch, earliest)
	}
}

// leftBehind ends a live chain that a version which came later does not take along; it says
// whether it did.
func (m *Machine) leftBehind(ch *customer.Chain) bool {
	next, current := m.set.Histories[ch.Campaign], m.set.ByName[ch.Campaign]
	switch {
	case next == nil || current == nil || m.set.ProgramOf(ch) == nil:
		return false
	case ch.Version < next.Exit:
		m.end(ch, output.Exited, output.ReasonVersion, "")
	case current.Status == program.StatusArchived:
		m.end(ch, output.Exited, output.ReasonArchived, "")
	default:
		return false
	}
	return true
}

// retime computes the timer of a resting chain anew. Where the step is gone or no longer
// rests, the timer stays as it is.
func (m *Machine) retime(p *program.Program, ch *customer.Chain, earliest int64) {
	s, _ := p.Step(ch.Step)
	if s == nil {
		return
	}
	due := int64(0)
	switch t := s.Verb.Timer(); t.Kind {
	case program.FromStep:
		if t.After > 0 {
			due = ch.Opened + t.After
		}
	case program.FromEntry:
		due = ch.EnteredAt + t.After
	case program.LocalTime:
		due = m.nextLocal(p, t.Until, ch.UntilFrom(ch.Opened))
	case program.ForReply:
		if t.Off || ch.Due == 0 {
			return
		}
		due = ch.Opened + t.After
	case program.NoTimer: // only a held send rests, by another rule
		return
	}
	if due == ch.Due {
		return
	}
	if due != 0 {
		due = max(due, earliest)
	}
	ch.Due, ch.Wake = due, 0
	m.decideChain(ch, output.Replanned, output.NoReason, ch.Step, unit.FormatTime(due))
}

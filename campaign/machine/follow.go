package machine

import (
	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// ReplanFor is over how long, ms, the customers of a new version are re-planned: one minute.
const ReplanFor = 60 * 1000

// customerSep separates workspace and customer in the hash, so that "ab", "c" and "a", "bc" differ.
const customerSep = "\x00"

// ReplanAt returns when (ms) a customer is re-planned after a new version came at log time at (ms):
// customers are spread over ReplanFor by a hash, so that what is due at once does not leave at once.
// It is safe for concurrent use.
func ReplanAt(at int64, workspace, customer string) int64 {
	return at + int64(xxhash.Sum64String(workspace+customerSep+customer)%ReplanFor)
}

// Replan brings the customer's chains in line with the versions in force, and offers entries that a
// pause kept. For a customer who is up to date it must be a no-op: migrations that change nothing are
// not logged, so replay skips them.
func (m *Machine) Replan(c *customer.Customer, now int64, out *output.Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.trace.Step(trace.Step{At: now, What: "new version"})
	}
	m.chains.follow()
	m.release(out)
}

// follow re-plans the live chains whose campaign has a new version. Every record and timer does so
// first, so that nothing happens by an old version. A timer that would be due before the instant at
// which the customer is re-planned is due then.
func (cs *chains) follow() {
	for _, ch := range cs.c.Chains {
		next := cs.set.Histories[ch.Campaign]
		if next == nil || !ch.Live() || cs.leftBehind(ch) {
			continue
		}
		p, current := cs.set.ProgramOf(ch), cs.set.ByName[ch.Campaign]
		// Version is the last that the chain ran under, Planned the last by which its timer was
		// computed.
		before := max(ch.Version, ch.Planned)
		if p == nil || current == nil || current.Version <= before {
			continue
		}
		ch.Planned = current.Version
		earliest := ReplanAt(next.At, cs.c.Workspace, cs.c.ID)
		// A chain before its step has no timer of the step's yet.
		if !ch.Still && p.Version > before { // else it is pinned to what its timer goes by
			cs.retime(p, ch, earliest)
		}
		cs.freeze(ch, earliest)
	}
}

// leftBehind ends a live chain if a later version of its campaign ended all older chains, or the
// campaign is archived. It reports whether it ended the chain.
func (cs *chains) leftBehind(ch *customer.Chain) bool {
	next, current := cs.set.Histories[ch.Campaign], cs.set.ByName[ch.Campaign]
	switch {
	case next == nil || current == nil || cs.set.ProgramOf(ch) == nil:
		return false
	case ch.Version < next.Exit:
		cs.end(ch, output.Exited, output.ReasonVersion, "")
	case current.Status == program.StatusArchived:
		cs.end(ch, output.Exited, output.ReasonArchived, "")
	default:
		return false
	}
	return true
}

// retime computes the timer of a resting chain anew by version p, not before earliest (ms), and writes
// that it moved. Where the step is gone or no longer rests, the timer stays as it is: the chain ends
// when it fires.
func (cs *chains) retime(p *program.Program, ch *customer.Chain, earliest int64) {
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
		due = cs.zones.nextLocal(p, t.Until, ch.UntilFrom(ch.Opened))
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
	// earliest spreads the customers over a minute, so that not all chains move at once.
	if due != 0 {
		due = max(due, earliest)
	}
	ch.Due, ch.Wake = due, 0
	cs.out.decideChain(ch, output.Replanned, output.NoReason, ch.Step, unit.FormatTime(due))
}

// restartTimer starts the timer of a resting chain again from now, for a refresh. One that counts
// from the entry, and that of a held send, stay as they are.
func (cs *chains) restartTimer(p *program.Program, t program.Timer, ch *customer.Chain) {
	switch t.Kind {
	case program.FromStep, program.ForReply:
		ch.Due = cs.now + t.After
	case program.LocalTime: // another only where it is overdue
		ch.Due = cs.zones.nextLocal(p, t.Until, ch.UntilFrom(cs.now))
	case program.FromEntry, program.NoTimer:
	}
}

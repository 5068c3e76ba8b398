package campaign

import (
	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/internal/wire"
)

// InFlight says what a new version means for the chains that are live.
type InFlight uint8

// What a new version does to live chains.
const (
	Follow InFlight = iota // they go by it, at the step of the id at which they are
	Pin                    // they keep the version by which they went
	EndAll                 // they end
)

// Limits of versions.
const (
	maxKept     = 16             // older versions of a campaign that chains can keep; older ones follow
	ReplanFor   = 60 * 1000      // over so long, ms, the customers of a new version are re-planned
	Never       = int64(8 << 40) // later than any timer: the year 2248
	customerSep = "\x00"
)

// Succession is what the versions of one campaign left that came before the one in
// force. It is part of the state of a shard.
type Succession struct {
	Campaign string `json:"campaign"`
	At       int64  `json:"at"`             // log time at which the version in force came, ms
	From     uint32 `json:"from"`           // chains of this version or later go by it
	Exit     uint32 `json:"exit,omitempty"` // chains of versions before this one end
	Kept     []Kept `json:"kept,omitempty"` // what the others go by, oldest first
}

// Kept is an older version that the chains of version From or later go by, up to the
// From of the next.
type Kept struct {
	From     uint32   `json:"from"`
	Document Document `json:"document"`
}

// Next takes note of a new version that replaces old at log time now.
func (s *Succession) Next(old *Document, next *Program, now int64) {
	s.At = now
	switch next.InFlight {
	case Follow:
		s.Kept, s.From = nil, 0
	case EndAll:
		s.Kept, s.From, s.Exit = nil, 0, next.Version
	case Pin:
		s.Kept = append(s.Kept, Kept{From: s.From, Document: *old})
		s.From = next.Version
		if len(s.Kept) > maxKept {
			s.Kept = append([]Kept(nil), s.Kept[1:]...)
			s.Kept[0].From = 0
		}
	}
}

// succession is a Succession with the programs of what it keeps.
type succession struct {
	Succession
	programs []*Program
}

// Succeed makes known what older versions left: kept[i] holds the programs of
// all[i].Kept, which were given to NewSet too. It must be called before the set is used.
func (s *Set) Succeed(all []Succession, kept [][]*Program) {
	s.successions = make(map[string]*succession, len(all))
	for i := range all {
		s.successions[all[i].Campaign] = &succession{Succession: all[i], programs: kept[i]}
	}
}

// of is the program that a chain goes by, nil when its campaign is gone.
func (s *Set) of(ch *Chain) *Program {
	next := s.successions[ch.Campaign]
	if next == nil || ch.Version >= next.From {
		return s.byName[ch.Campaign]
	}
	for i := len(next.Kept) - 1; i >= 0; i-- {
		if ch.Version >= next.Kept[i].From {
			return next.programs[i]
		}
	}
	return s.byName[ch.Campaign]
}

// ReplanAt is when a customer's turn comes to be re-planned after a new version came at
// log time at: customers are spread over ReplanFor, so that what is due at once does not
// leave at once.
func ReplanAt(at int64, workspace, customer string) int64 {
	return at + int64(xxhash.Sum64String(workspace+customerSep+customer)%ReplanFor)
}

// Replan brings the customer's chains in line with the versions in force. Where they are
// it changes nothing at all: who is asked in vain is not part of the log.
func (m *Machine) Replan(c *Customer, now int64, out *Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.trace.occasion(Occasion{At: now, What: "new version"})
	}
	m.follow()
	m.release()
}

// follow re-plans the chains whose campaign has a new version: every record and timer
// does so first. A timer that would be due earlier than the customer's turn is due then.
func (m *Machine) follow() {
	for _, ch := range m.c.Chains {
		next := m.set.successions[ch.Campaign]
		if next == nil || !ch.live() {
			continue
		}
		p, current := m.set.of(ch), m.set.byName[ch.Campaign]
		switch {
		case p == nil || current == nil:
		case ch.Version < next.Exit:
			m.end(ch, Exited, ReasonVersion, "")
		case current.Status == StatusArchived:
			m.end(ch, Exited, ReasonArchived, "")
		case current.Version > max(ch.Version, ch.planned):
			before := max(ch.Version, ch.planned)
			ch.planned = current.Version
			earliest := ReplanAt(next.At, m.c.Workspace, m.c.ID)
			if !ch.still && p.Version > before { // else it is pinned to what its timer goes by
				m.retime(p, ch, earliest)
			}
			m.freeze(ch, earliest)
		}
	}
}

// retime computes the timer of a resting chain anew. Where the step is gone or no longer
// rests, the timer stays as it is.
func (m *Machine) retime(p *Program, ch *Chain, earliest int64) {
	s, _ := p.step(ch.Step)
	if s == nil {
		return
	}
	due := int64(0)
	switch v := s.Verb.(type) {
	case *Delay:
		if due = ch.Opened + v.For; v.FromEntry {
			due = ch.EnteredAt + v.For
		}
	case *Wait:
		if v.Timeout > 0 {
			due = ch.Opened + v.Timeout
		}
	case *Until:
		due = m.nextLocal(p, v, ch.untilFrom(ch.Opened))
	case *Call:
		if !v.Wait || ch.Due == 0 {
			return
		}
		due = ch.Opened + v.Timeout
	case *Send, *Branch, *Exit, *SetProfile, *Emit, *Start, *Experiment: // only a held send rests, by another rule
		return
	}
	if due == ch.Due {
		return
	}
	if due != 0 {
		due = max(due, earliest)
	}
	ch.Due, ch.Wake = due, 0
	m.decideChain(ch, Replanned, NoReason, ch.Step, FormatTime(due))
}

// plannedSection keeps the version by which a chain's timer goes where that is not the
// one that the chain last ran under.
//
//nudge:constant read only
var plannedSection = section[*Chain]{
	tag:    33,
	has:    func(ch *Chain) bool { return ch.planned > ch.Version },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendUint(b, uint64(ch.planned)) },
	decode: func(ch *Chain, d *wire.Decoder, _ Names) { ch.planned = uint32(d.Uint()) },
}

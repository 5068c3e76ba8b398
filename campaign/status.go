package campaign

import (
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Lifecycle says whether a campaign starts chains, and whether they go on.
type Lifecycle uint8

// The statuses of a campaign.
const (
	StatusActive   Lifecycle = iota
	StatusDraft              // starts nothing; chains that are live stand still
	StatusPaused             // see Pause
	StatusArchived           // starts nothing; chains that are live end
)

// String is the status as definitions write it.
func (l Lifecycle) String() string { return l.word() }

// Pause says what a paused campaign does with entries and timers.
type Pause struct {
	Queue bool // entries are kept until it is active again, else refused
	Run   bool // live chains go on, else they stand still
}

// maxQueued bounds the entries that are kept for one customer.
const maxQueued = 100

// queued is an entry into a paused campaign.
type queued struct {
	campaign string
	trigger  []byte // stored form
}

// frozen says that the campaign's chains stand still.
func (p *Program) frozen() bool {
	return p.Status == StatusDraft || p.Status == StatusPaused && !p.Pause.Run
}

// Resumes says that chains which stood still under the version before (nil: none) go on
// under this one, and that its definition leaves open what becomes of what is overdue.
func (p *Program) Resumes(before *Program) bool {
	return before != nil && before.frozen() && !p.frozen() && p.Status != StatusArchived && p.InFlight != EndAll &&
		!p.LateGiven
}

// watches says that the campaign looks at customers: a draft and an archived one do not.
func (p *Program) watches() bool { return p.Status != StatusDraft && p.Status != StatusArchived }

// frozen says that the campaign of a chain stands still, by the version in force.
func (m *Machine) frozen(ch *Chain) bool {
	p := m.set.byName[ch.Campaign]
	return p != nil && p.frozen()
}

// freeze holds the timer of a chain whose campaign stands still, or lets it go: one that
// is overdue then fires at the customer's turn, late.
func (m *Machine) freeze(ch *Chain, earliest int64) {
	switch frozen := m.frozen(ch); {
	case frozen && ch.Due != 0:
		ch.Wake = Never
	case !frozen && ch.Wake == Never:
		if ch.Wake = 0; ch.Due < earliest {
			ch.Wake = earliest
		}
	}
}

// hold keeps a chain before the step that it has come to, while its campaign stands
// still; it says whether it does. One that has come to its end ends.
func (m *Machine) hold(ch *Chain) bool {
	if ch.Step == endStep || !m.frozen(ch) {
		return false
	}
	ch.still, ch.Due, ch.Wake = true, m.now, Never
	return true
}

// inactive refuses an entry into a campaign that is not active, or keeps it.
func (m *Machine) inactive(p *Program, trigger *Event) {
	switch {
	case p.Status != StatusPaused:
		m.refuse(p, "", ReasonInactive)
	case !p.Pause.Queue || trigger == nil || len(m.c.queue) >= maxQueued:
		m.refuse(p, "", ReasonPaused)
	default:
		m.c.queue = append(m.c.queue, queued{campaign: p.Name, trigger: trigger.appendBody(nil)})
		m.decide(Decision{Campaign: p.Name, Version: p.Version, Kind: Queued, Reason: ReasonPaused})
	}
}

// release offers the entries that were kept to the campaigns that are active again.
func (m *Machine) release() {
	var waiting, ready []queued
	for _, q := range m.c.queue {
		if p := m.set.byName[q.campaign]; p != nil && p.Status == StatusPaused {
			waiting = append(waiting, q)
		} else {
			ready = append(ready, q)
		}
	}
	if len(ready) == 0 {
		return
	}
	m.c.queue = waiting
	for _, q := range ready {
		p, e := m.set.byName[q.campaign], decodeBody(q.trigger)
		if p == nil || e == nil {
			continue
		}
		m.eventID = e.ID
		m.scope.chain.c = nil
		m.scope.event.set(e)
		m.scope.trigger.set(e)
		m.offerKept(p, e)
		m.rest()
		m.followProfile(nil) // it is the turn that starts the chain, not the event
	}
	m.derive()
	m.prune()
}

// offerKept offers an entry that was kept. One by a time without an event counts as old as
// the end of that time is: its event is older, and was not what should have started it.
func (m *Machine) offerKept(p *Program, e *Event) {
	t, silent := p.Trigger.(*InactivityTrigger)
	switch {
	case !silent || e.Name != t.Event:
		m.offer(p, e)
	case m.now-e.Time-t.For > p.MaxEventAge:
		m.refuse(p, "", ReasonTooOld)
	default:
		m.enterIfAllowed(p, e)
	}
}

// status reads a word, or {state, entries, timers}.
func (r *reader) status(n *yaml.Node, p *Program) {
	word := func(n *yaml.Node) {
		p.Status = Lifecycle(r.choice(n, "status", "active", "draft", "paused", "archived"))
	}
	if n.Kind == yaml.ScalarNode {
		word(n)
		return
	}
	r.object(n, "status",
		field{name: "state", required: true, read: word},
		field{name: "entries", read: func(n *yaml.Node) {
			p.Pause.Queue = r.choice(n, "status.entries", "reject", "queue") == 1
		}},
		field{name: "timers", read: func(n *yaml.Node) {
			p.Pause.Run = r.choice(n, "status.timers", "freeze", "run") == 1
		}})
	if p.Pause != (Pause{}) && p.Status != StatusPaused {
		r.fail(n, "status: entries and timers are only used with state: paused")
	}
}

// stillSection marks chains that wait before their step.
//
//nudge:constant read only
var stillSection = section[*Chain]{
	tag:    34,
	has:    func(ch *Chain) bool { return ch.still },
	append: func(_ *Chain, b []byte) []byte { return b },
	decode: func(ch *Chain, _ *wire.Decoder, _ Names) { ch.still = true },
}

// queueSection keeps the entries into paused campaigns.
//
//nudge:constant read only
var queueSection = section[*Customer]{
	tag: 30,
	has: func(c *Customer) bool { return len(c.queue) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.queue)))
		for _, q := range c.queue {
			b = wire.AppendString(b, q.campaign)
			b = wire.AppendBytes(b, q.trigger)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names Names) {
		for range d.Count(2) {
			c.queue = append(c.queue, queued{campaign: names.of(d.Bytes()), trigger: d.Bytes()})
		}
	},
}

package campaign

import "github.com/nudge-engine/nudge/campaign/zone"

// refusal is why a delivery is not handed off now; the zero value lets it go.
type refusal struct {
	reason Reason
	detail string
	until  int64 // when it is asked again, ms; 0: it is dropped
	exit   bool  // the chain ends
}

// message is what a send captured for its deliveries.
type message struct {
	values  []byte
	missing string // the first value that is not there, empty when all are
	key     string // of the campaign's dedupe rule, empty for none
}

// ask asks, in the order of the language, whether a delivery of a chain may be handed
// off on a channel. It changes nothing; take does.
func (m *Machine) ask(t *turn, s *Send, channel string, msg *message) refusal {
	p, category := t.program, t.program.category(s)
	switch {
	case m.late && p.Late == LateSkip:
		return refusal{reason: ReasonLate}
	case p.Recheck && !m.stillInAudience(p):
		return refusal{reason: ReasonAudience}
	case m.set.SendsOff(p.Name, channel):
		return refusal{reason: ReasonOff}
	case m.c.undisturbed(channel):
		return refusal{reason: ReasonDisturb}
	case !t.exempt && !m.consented(category):
		return refusal{reason: ReasonNoConsent, detail: category}
	case m.c.refused(AboutChannel, channel):
		return refusal{reason: ReasonPreference, detail: channel}
	}
	if !t.exempt {
		if r := m.compete(t, s, channel, category); r.reason != NoReason {
			return r
		}
	}
	if msg.key != "" {
		switch holder, full := m.heldBy(msg.key, t.chain); {
		case holder != "":
			return refusal{reason: ReasonDedupe, detail: holder}
		case full:
			return refusal{reason: ReasonKeys}
		}
	}
	switch {
	case msg.missing != "":
		return refusal{reason: ReasonVariable, detail: msg.missing}
	case !t.chain.HeldOut && len(m.c.Pending) >= maxPending:
		return refusal{reason: ReasonPending}
	}
	return refusal{}
}

// compete asks what transactional deliveries ignore: quiet hours, caps, conflicts.
func (m *Machine) compete(t *turn, s *Send, channel, category string) refusal {
	if inside, end, drop := m.quiet(t.program); inside {
		if drop {
			end = 0
		}
		return refusal{reason: ReasonQuiet, until: end}
	}
	if name, until := m.capped(t.program, channel, category); name != "" {
		r := refusal{reason: ReasonCap, detail: name, exit: s.OnCap == CapExit}
		if s.OnCap == CapDefer {
			r.until = until
		}
		return r
	}
	if other := m.conflict(t.program, t.chain); other != nil {
		return refusal{reason: ReasonConflict, detail: other.Campaign}
	}
	return refusal{}
}

// quiet says whether it is quiet for the customer now, until when, and whether that
// drops what would be sent. It looks at the present instant, not at when the send
// was due.
func (m *Machine) quiet(p *Program) (inside bool, end int64, drop bool) {
	q := p.Policy.Quiet
	if q == nil {
		q = m.set.rules.quiet
	}
	if q == nil {
		return false, 0, false
	}
	loc := m.zone(p)
	if q.Zone != "" {
		if fixed := m.loadZone(q.Zone); fixed != nil {
			loc = fixed
		}
	}
	inside, end = zone.Within(loc, m.now, q.From, q.To)
	return inside, end, q.Drop
}

// take uses up what a delivery needs: its place under the caps and its dedupe key.
// What a held-out chain would have sent uses up nothing.
func (m *Machine) take(t *turn, s *Send, d *Delivery, msg *message) {
	if t.chain.HeldOut {
		return
	}
	if !t.exempt {
		m.consume(t.program, d, t.program.category(s))
	}
	if msg.key != "" {
		m.takeKey(msg.key, t.program, t.chain)
	}
}

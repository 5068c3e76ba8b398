package audit

// What a new version means for live chains; empty: they follow.
const (
	Pin  = "pin"
	Exit = "exit"
)

// States of a campaign; empty: active.
const (
	Draft    = "draft"
	Paused   = "paused"
	Archived = "archived"
)

// idle says why a campaign that is not active lets nobody in.
func (c Campaign) idle() string {
	switch c.Status {
	case "":
		return ""
	case Paused:
		return "paused"
	}
	return "not_active"
}

// succeed says what a new version means for the chains of those before: next stands where
// old stood.
func (a *Auditor) succeed(at int, old Campaign) {
	next := a.campaigns[at]
	a.succeeded = a.now
	a.succeededAt[next.Name] = a.now
	for _, c := range a.customers {
		for i := range c.per {
			if s := &c.per[i]; i == at {
				s.turn = a.turn(c)
			} else if s.turn < a.now {
				s.turn = 0
			}
		}
		for _, ch := range c.chains {
			if ch.campaign == at && !ch.leaving {
				ch.heldBack = ch.iced && c.reached >= ch.icedAt
			}
			if ch.campaign == at && ch.archived && next.Status != Archived {
				ch.leaving, ch.archived = false, false // before its turn
			}
			if ch.campaign == at && ch.live() && next.Status == Archived && !ch.leaving {
				ch.leaving, ch.archived = true, true
			}
			switch {
			case ch.campaign != at:
			case ch.live() && next.InFlight == Exit:
				ch.leaving, ch.archived = true, false
				if ch.thawed > c.reached { // it has not gone on yet
					ch.timed, ch.thaw = false, 0
				}
			case next.InFlight == Pin: // also what one that ended is measured by
				if ch.def == next {
					ch.def = &old
				}
				ch.latePin(a)
			default:
				ch.def = next
				ch.replan(a)
			}
		}
		a.resume(c, at)
	}
}

// turn is when a customer's turn comes to follow what is applied now.
func (a *Auditor) turn(c *customer) int64 {
	if a.Turn == nil {
		return a.now
	}
	return a.Turn(a.now, c.id)
}

// turnsAhead gives somebody who is new the turns that are still to come: they bring in line
// with what comes until then.
func (a *Auditor) turnsAhead(c *customer) {
	for i, def := range a.campaigns {
		at, ok := a.succeededAt[def.Name]
		if !ok || a.Turn == nil {
			continue
		}
		if turn := a.Turn(at, c.id); turn > a.now {
			c.per[i].turn = turn
		}
	}
}

// dismiss ends the chains that a new version does not take along, at the customer's turn
// or when something reaches the customer before.
func (a *Auditor) dismiss(c *customer) {
	c.reached = a.place
	for _, ch := range c.chains {
		ch.dismissed(a)
	}
}

// dismissed says whether a new version does not take the chain along, which then ends.
func (ch *chain) dismissed(a *Auditor) bool {
	if !ch.live() || !ch.leaving {
		return false
	}
	what := NoteExit
	if ch.def.Status == Archived {
		what = NoteArchived
	}
	a.note(what)
	ch.end(a, Exited)
	return true
}

func (c Campaign) statusLines(line func(given bool, name, value string)) {
	line(c.InFlight != "", "in_flight", c.InFlight)
	line(c.Existing, "existing", "include")
	status := c.Status
	if status == Paused {
		entries := map[bool]string{false: "reject", true: "queue"}[c.Queue]
		timers := map[bool]string{false: "run", true: "freeze"}[c.Freeze]
		status = "{state: paused, entries: " + entries + ", timers: " + timers + "}"
	}
	line(status != "", "status", status)
}

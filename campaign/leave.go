package campaign

// Freeze ends an anonymous customer: the state leaves as transfers, a tombstone stays.
// known says that there is a state at all.
//
// REQUIRES: all timers of c due at or before now have fired; c is anonymous and has no
// tombstone, into is known.
func (m *Machine) Freeze(c *Customer, e *Event, into string, known bool, now int64, out *Output) {
	m.begin(c, now, out)
	m.eventID = e.ID
	m.decide(Decision{Kind: Merged, Detail: into})
	var state []byte
	if known {
		m.follow()
		m.prune() // what is over and not measured stays where it was
		c.Uncounted = m.uncounted()
		toured := c.Toured
		c.Toured = 0 // tours are those of a partition
		state = c.AppendTo(nil)
		c.Toured = toured
		m.leave(into)
	}
	*c = Customer{
		Workspace: c.Workspace, ID: c.ID, CreatedAt: c.CreatedAt, CreatedPlace: c.CreatedPlace, Toured: c.Toured,
		Merged: &Tombstone{Into: into},
	}
	for len(state) > maxTransferBody {
		c.Forward(TransferPart, state[:maxTransferBody:maxTransferBody], out)
		state = state[maxTransferBody:]
	}
	c.Forward(TransferState, state, out) // without a state it says who merged
}

// leave writes the last rows of the chains that move.
func (m *Machine) leave(into string) {
	for _, ch := range m.c.Chains {
		row := m.row(ch)
		row.Outcome, row.Goal, row.Value, row.HasValue, row.Variants = Moved, "", 0, false, nil
		row.Currency = ""
		if ch.live() {
			row.EndedAt = m.now
			m.decideChain(ch, Ended, ReasonMerged, ch.Step, into)
		}
		m.out.Chains = append(m.out.Chains, row)
	}
}

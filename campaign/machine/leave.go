package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
)

// Freeze ends an anonymous customer who is merged into the customer into: the state leaves as
// transfers in out, in parts of at most event.MaxTransferBody bytes, and c becomes a tombstone. e is
// the record that says so; known says that there is a state at all.
//
// The two customers may be in different partitions, so the state travels as a record of the log;
// Merge takes it up at the other side.
//
// REQUIRES: all timers of c due at or before now have fired; c is anonymous and has no
// tombstone, into is known.
func (m *Machine) Freeze(c *customer.Customer, e *event.Event, into string, known bool, now int64, out *output.Output) {
	m.begin(c, now, out)
	m.eventID = e.ID
	m.rows.decide(output.Decision{Kind: output.Merged, Detail: into})
	var state []byte
	if known {
		m.chains.follow()
		m.chains.prune() // what is over and not measured stays where it was
		c.Uncounted = m.profile.uncounted()
		toured := c.Toured
		c.Toured = 0 // bulk scans are those of a partition
		state = c.AppendTo(nil)
		c.Toured = toured
		m.merge.leave(into)
	}
	*c = customer.Customer{
		Workspace: c.Workspace, ID: c.ID, CreatedAt: c.CreatedAt, CreatedPlace: c.CreatedPlace, Toured: c.Toured,
		Merged: &customer.Tombstone{Into: into},
	}
	for len(state) > event.MaxTransferBody {
		c.Forward(event.TransferPart, state[:event.MaxTransferBody:event.MaxTransferBody], out)
		state = state[event.MaxTransferBody:]
	}
	c.Forward(event.TransferState, state, out) // without a state it says who merged
}

// leave writes the last rows of the chains that move. Their goals and variants are left out: they are
// in the rows under the known customer, and would count twice.
func (mg *merger) leave(into string) {
	for _, ch := range mg.c.Chains {
		row := mg.out.row(ch)
		row.Outcome, row.Goal, row.Value, row.HasValue, row.Variants = output.Moved, "", 0, false, nil
		row.Currency = ""
		if ch.Live() {
			row.EndedAt = mg.now
			mg.out.decideChain(ch, output.Ended, output.ReasonMerged, ch.Step, into)
		}
		mg.out.chainRow(row)
	}
}

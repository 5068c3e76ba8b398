package shard

import (
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/effect"
)

// merges joins anonymous customers with the known ones that they turn out to be: it freezes one, and takes
// the state of another that comes as transfers. It has no state of its own.
type merges struct {
	*partition

	dedupe      *dedupe.Set
	customers   *customerCache
	timers      *timers
	changes     *changes
	deadLetters *deadLetters
	runner      *runner
	bulkScans   *bulkScans
	erased      *erased
}

// alias merges an anonymous customer into the known one that they turn out to be.
// The known one may belong to another partition, so the anonymous one is frozen: their
// state leaves as transfers, and a tombstone stays that forwards what still arrives.
func (mg *merges) alias(in *Input, index int, h *resident, e *event.Event, out *effect.Effects) error {
	into := e.Target()
	if !customer.Anonymous(e.Customer) || into == "" || customer.Anonymous(into) {
		return fmt.Errorf("actors: alias of %q to %q", clip.Text(e.Customer, 100), clip.Text(into, 100))
	}
	key := Key(e.Workspace, e.Customer)
	known := h != nil
	// An alias may be the first thing that is heard of the anonymous customer.
	if !known {
		h = mg.customers.put(key, customer.New(e.Workspace, e.Customer, mg.now, mg.place), guessBytes)
		mg.bulkScans.exempt(h)
	}
	if t := h.c.Merged; t != nil {
		mg.mergedBefore(index, e, t, into, out)
		return nil
	}
	mg.bulkScans.applyPending(h, out)
	m := mg.runner.use(e.Workspace)
	mg.runner.run(h, out, func() {
		m.Freeze(h.c, e, into, known, mg.now, &out.Output)
	}, func(detail string) {
		mg.deadLetters.add(index, &in.Frame.Records[index], output.ReasonPanic, detail, out)
	})
	mg.changes.add(h)
	mg.timers.rearm(h)
	return nil
}

// mergedBefore handles a further alias of an anonymous customer who merged already. The
// same target is a repetition; another one is refused, because the state has left.
func (mg *merges) mergedBefore(index int, e *event.Event, t *customer.Tombstone, into string, out *effect.Effects) {
	if t.Into == into {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		return
	}
	out.Decisions = append(out.Decisions, output.Decision{
		Workspace: e.Workspace, Customer: e.Customer, Kind: output.Refused, Reason: output.ReasonMergedElse,
		Detail: into, EventID: e.ID, At: mg.now,
	})
}

// forward sends a record on to the customer into whom h merged, as the body of a
// transfer. It reports whether it did; it does nothing if h did not merge.
func (mg *merges) forward(h *resident, kind event.TransferKind, data []byte, out *effect.Effects) bool {
	if h == nil || h.c.Merged == nil {
		return false
	}
	h.c.Forward(kind, append([]byte(nil), data...), &out.Output)
	mg.changes.add(h)
	return true
}

// transfer applies what comes from a customer who merged. Transfers of one source
// are numbered, and only the next number is applied: dispatch appends them again after a
// crash, and out of order they would lose or repeat something.
func (mg *merges) transfer(in *Input, index int, out *effect.Effects) error {
	record := &in.Frame.Records[index]
	t, err := event.DecodeTransfer(record.Data)
	if err != nil {
		return err
	}
	key := Key(t.Workspace, t.Customer)
	h := mg.customers.get(key)
	if mg.erased.drops(h, t.Workspace, t.Customer, index, out) {
		return nil
	}
	created := h == nil
	if created {
		mg.sawEvent = true
		h = mg.customers.put(key, customer.New(t.Workspace, t.Customer, mg.now, mg.place), guessBytes)
		mg.bulkScans.exempt(h)
	}
	// No source is left when too many customers merged into this one.
	from := h.c.AddSource(t.Source)
	switch {
	case from == nil:
		mg.deadLetters.add(index, record, output.ReasonMerges, t.Source, out)
		return nil
	case t.N <= from.Last:
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		return nil
	case t.N != from.Last+1:
		mg.deadLetters.add(index, record, output.ReasonGap,
			fmt.Sprintf("%s: number %d came where %d was due", t.Source, t.N, from.Last+1), out)
		mg.changes.add(h)
		return nil
	}
	mg.take(h, &t, created, func(reason output.Reason, detail string) {
		mg.deadLetters.add(index, record, reason, detail, out)
	}, out)
	// After a panic the customer is another object, and the source as it was: this
	// transfer is a dead letter, those behind it still count.
	h.c.AddSource(t.Source).Last = t.N
	mg.changes.add(h)
	mg.timers.rearm(h)
	return nil
}

// take applies a transfer that is the next of its source: a part of the state, or an
// event or result that was forwarded. aside makes a dead letter of the transfer.
func (mg *merges) take(h *resident, t *event.Transfer, created bool, aside func(output.Reason, string),
	out *effect.Effects,
) {
	mg.bulkScans.applyPending(h, out)
	m := mg.runner.use(t.Workspace)
	mg.runner.run(h, out, func() {
		switch t.Kind {
		case event.TransferPart, event.TransferState:
			mg.takeState(h, t, created, aside, out)
		case event.TransferEvent:
			mg.takeEvent(h, t, created, aside, out)
		case event.TransferResult:
			r, err := output.DecodeResult(t.Body)
			if err != nil {
				aside(output.ReasonMalformed, err.Error())
				return
			}
			m.Settle(h.c, &r, mg.now, &out.Output)
		}
	}, func(detail string) { aside(output.ReasonPanic, detail) })
}

// takeState collects the parts of a merged customer's state and merges it when it is
// complete. A source whose state is empty has merged too; only the decision is recorded.
func (mg *merges) takeState(h *resident, t *event.Transfer, created bool, aside func(output.Reason, string),
	out *effect.Effects,
) {
	state, ok := h.c.Source(t.Source).Take(t.Body, t.Kind == event.TransferState)
	switch {
	case !ok:
		aside(output.ReasonState, t.Source)
	case state != nil:
		other, err := customer.Decode(state, mg.names)
		if err != nil {
			aside(output.ReasonMalformed, err.Error())
			return
		}
		mg.runner.use(t.Workspace).Merge(h.c, other, mg.now, h.c.MarkSeen(created), &out.Output)
	case t.Kind == event.TransferState:
		h.c.Unseen = h.c.MarkSeen(created)
		out.Decisions = append(out.Decisions, output.Decision{
			Workspace: t.Workspace, Customer: t.Customer, Kind: output.Merged, Detail: t.Source, At: mg.now,
		})
	}
}

// takeEvent applies an event that came for the anonymous customer after the merge. If the
// known customer had an event of the same id it is a repetition: a sender may deliver one
// event under both ids.
func (mg *merges) takeEvent(h *resident, t *event.Transfer, created bool, aside func(output.Reason, string),
	out *effect.Effects,
) {
	e, err := event.Decode(t.Body)
	if err != nil {
		aside(output.ReasonMalformed, err.Error())
		return
	}
	if !mg.dedupe.Add(dedupe.EventHash(t.Workspace, t.Customer, e.ID), mg.now) {
		return
	}
	e.Customer, e.Time = t.Customer, min(e.Time, mg.now)
	mg.runner.use(t.Workspace).Apply(h.c, &e, mg.now, h.c.MarkSeen(created), &out.Output)
}

// into returns the known customer into whom a customer in memory merged, "" if they
// did not.
func (mg *merges) into(workspace, customer string) string {
	if h := mg.customers.get(Key(workspace, customer)); h != nil && h.c.Merged != nil {
		return h.c.Merged.Into
	}
	return ""
}

// pass counts a transfer that a skip passes over, so that those after it, which
// need its number, are applied.
func (mg *merges) pass(data []byte) {
	t, err := event.DecodeTransfer(data)
	if err != nil {
		return
	}
	h := mg.customers.get(Key(t.Workspace, t.Customer))
	if h == nil {
		return
	}
	if from := h.c.AddSource(t.Source); from != nil && t.N == from.Last+1 {
		from.Last = t.N
		mg.changes.add(h)
	}
}

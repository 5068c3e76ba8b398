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

// applyAlias merges an anonymous customer into the known one that they turn out to be.
// The known one may belong to another partition, so the anonymous one is frozen: their
// state leaves as transfers, and a tombstone stays that forwards what still arrives.
func (s *Shard) applyAlias(in *Input, index int, h *resident, e *event.Event, out *effect.Effects) error {
	into := e.Target()
	if !customer.Anonymous(e.Customer) || into == "" || customer.Anonymous(into) {
		return fmt.Errorf("actors: alias of %q to %q", clip.Text(e.Customer, 100), clip.Text(into, 100))
	}
	key := Key(e.Workspace, e.Customer)
	known := h != nil
	// An alias may be the first thing that is heard of the anonymous customer.
	if !known {
		h = s.customers.put(key, customer.New(e.Workspace, e.Customer, s.now, s.place), guessBytes)
		s.exempt(h)
	}
	if t := h.c.Merged; t != nil {
		s.mergedBefore(index, e, t, into, out)
		return nil
	}
	s.applyPending(h, out)
	s.machine.Use(s.defs.set(e.Workspace))
	s.guard(h, out, func() {
		s.machine.Freeze(h.c, e, into, known, s.now, &out.Output)
	}, func(detail string) {
		s.addDeadLetter(index, &in.Frame.Records[index], output.ReasonPanic, detail, out)
	})
	s.markDirty(h)
	s.rearm(h)
	return nil
}

// mergedBefore handles a further alias of an anonymous customer who merged already. The
// same target is a repetition; another one is refused, because the state has left.
func (s *Shard) mergedBefore(index int, e *event.Event, t *customer.Tombstone, into string, out *effect.Effects) {
	if t.Into == into {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		return
	}
	out.Decisions = append(out.Decisions, output.Decision{
		Workspace: e.Workspace, Customer: e.Customer, Kind: output.Refused, Reason: output.ReasonMergedElse,
		Detail: into, EventID: e.ID, At: s.now,
	})
}

// forward sends a record on to the customer into whom h merged, as the body of a
// transfer. It reports whether it did; it does nothing if h did not merge.
func (s *Shard) forward(h *resident, kind event.TransferKind, data []byte, out *effect.Effects) bool {
	if h == nil || h.c.Merged == nil {
		return false
	}
	h.c.Forward(kind, append([]byte(nil), data...), &out.Output)
	s.markDirty(h)
	return true
}

// applyTransfer applies what comes from a customer who merged. Transfers of one source
// are numbered, and only the next number is applied: dispatch appends them again after a
// crash, and out of order they would lose or repeat something.
func (s *Shard) applyTransfer(in *Input, index int, out *effect.Effects) error {
	record := &in.Frame.Records[index]
	t, err := event.DecodeTransfer(record.Data)
	if err != nil {
		return err
	}
	key := Key(t.Workspace, t.Customer)
	h := s.customers.get(key)
	if s.suppressed(h, t.Workspace, t.Customer, index, out) {
		return nil
	}
	created := h == nil
	if created {
		s.sawEvent = true
		h = s.customers.put(key, customer.New(t.Workspace, t.Customer, s.now, s.place), guessBytes)
		s.exempt(h)
	}
	// No source is left when too many customers merged into this one.
	from := h.c.AddSource(t.Source)
	switch {
	case from == nil:
		s.addDeadLetter(index, record, output.ReasonMerges, t.Source, out)
		return nil
	case t.N <= from.Last:
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		return nil
	case t.N != from.Last+1:
		s.addDeadLetter(index, record, output.ReasonGap,
			fmt.Sprintf("%s: number %d came where %d was due", t.Source, t.N, from.Last+1), out)
		s.markDirty(h)
		return nil
	}
	s.take(h, &t, created, func(reason output.Reason, detail string) {
		s.addDeadLetter(index, record, reason, detail, out)
	}, out)
	// After a panic the customer is another object, and the source as it was: this
	// transfer is a dead letter, those behind it still count.
	h.c.AddSource(t.Source).Last = t.N
	s.markDirty(h)
	s.rearm(h)
	return nil
}

// take applies a transfer that is the next of its source: a part of the state, or an
// event or result that was forwarded. aside makes a dead letter of the transfer.
func (s *Shard) take(h *resident, t *event.Transfer, created bool, aside func(output.Reason, string),
	out *effect.Effects,
) {
	s.applyPending(h, out)
	s.machine.Use(s.defs.set(t.Workspace))
	s.guard(h, out, func() {
		switch t.Kind {
		case event.TransferPart, event.TransferState:
			s.takeState(h, t, created, aside, out)
		case event.TransferEvent:
			s.takeEvent(h, t, created, aside, out)
		case event.TransferResult:
			r, err := output.DecodeResult(t.Body)
			if err != nil {
				aside(output.ReasonMalformed, err.Error())
				return
			}
			s.machine.Settle(h.c, &r, s.now, &out.Output)
		}
	}, func(detail string) { aside(output.ReasonPanic, detail) })
}

// takeState collects the parts of a merged customer's state and merges it when it is
// complete. A source whose state is empty has merged too; only the decision is recorded.
func (s *Shard) takeState(h *resident, t *event.Transfer, created bool, aside func(output.Reason, string),
	out *effect.Effects,
) {
	state, ok := h.c.Source(t.Source).Take(t.Body, t.Kind == event.TransferState)
	switch {
	case !ok:
		aside(output.ReasonState, t.Source)
	case state != nil:
		other, err := customer.Decode(state, s.names)
		if err != nil {
			aside(output.ReasonMalformed, err.Error())
			return
		}
		s.machine.Merge(h.c, other, s.now, h.c.MarkSeen(created), &out.Output)
	case t.Kind == event.TransferState:
		h.c.Unseen = h.c.MarkSeen(created)
		out.Decisions = append(out.Decisions, output.Decision{
			Workspace: t.Workspace, Customer: t.Customer, Kind: output.Merged, Detail: t.Source, At: s.now,
		})
	}
}

// takeEvent applies an event that came for the anonymous customer after the merge. If the
// known customer had an event of the same id it is a repetition: a sender may deliver one
// event under both ids.
func (s *Shard) takeEvent(h *resident, t *event.Transfer, created bool, aside func(output.Reason, string),
	out *effect.Effects,
) {
	e, err := event.Decode(t.Body)
	if err != nil {
		aside(output.ReasonMalformed, err.Error())
		return
	}
	if !s.dedupe.Add(dedupe.EventHash(t.Workspace, t.Customer, e.ID), s.now) {
		return
	}
	e.Customer, e.Time = t.Customer, min(e.Time, s.now)
	s.machine.Apply(h.c, &e, s.now, h.c.MarkSeen(created), &out.Output)
}

// forwarded returns the known customer into whom a customer in memory merged, "" if they
// did not.
func (s *Shard) forwarded(workspace, customer string) string {
	if h := s.customers.get(Key(workspace, customer)); h != nil && h.c.Merged != nil {
		return h.c.Merged.Into
	}
	return ""
}

// passTransfer counts a transfer that a skip passes over, so that those after it, which
// need its number, are applied.
func (s *Shard) passTransfer(data []byte) {
	t, err := event.DecodeTransfer(data)
	if err != nil {
		return
	}
	h := s.customers.get(Key(t.Workspace, t.Customer))
	if h == nil {
		return
	}
	if from := h.c.AddSource(t.Source); from != nil && t.N == from.Last+1 {
		from.Last = t.N
		s.markDirty(h)
	}
}

package shard

import (
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/effect"
)

// applyAlias freezes an anonymous customer who turns out to be a known one (R13).
func (s *Shard) applyAlias(in *Input, index int, h *hosted, e *campaign.Event, out *effect.Effects) error {
	into := e.Target()
	if !campaign.Anonymous(e.Customer) || into == "" || campaign.Anonymous(into) {
		return fmt.Errorf("actors: alias of %q to %q", effect.Clip(e.Customer, 100), effect.Clip(into, 100))
	}
	key := Key(e.Workspace, e.Customer)
	known := h != nil
	if !known {
		h = s.customers.put(key, campaign.NewCustomer(e.Workspace, e.Customer, s.now, s.place), guessBytes)
		s.arrived(h)
	}
	if t := h.c.Merged; t != nil {
		s.mergedBefore(index, e, t, into, out)
		return nil
	}
	s.catchUp(h, out)
	s.machine.Use(s.defs.set(e.Workspace))
	s.guard(h, out, func() {
		s.machine.Freeze(h.c, e, into, known, s.now, &out.Output)
	}, func(detail string) {
		s.putAside(index, &in.Frame.Records[index], campaign.ReasonPanic, detail, out)
	})
	s.markDirty(h)
	s.rearm(h)
	return nil
}

// mergedBefore is about a second alias of an anonymous customer.
func (s *Shard) mergedBefore(index int, e *campaign.Event, t *campaign.Tombstone, into string, out *effect.Effects) {
	if t.Into == into {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: campaign.Deduplicate})
		return
	}
	out.Decisions = append(out.Decisions, campaign.Decision{
		Workspace: e.Workspace, Customer: e.Customer, Kind: campaign.Refused, Reason: campaign.ReasonMergedElse,
		Detail: into, EventID: e.ID, At: s.now,
	})
}

// forward sends on what comes for a customer who merged; false when h did not.
func (s *Shard) forward(h *hosted, kind campaign.TransferKind, data []byte, out *effect.Effects) bool {
	if h == nil || h.c.Merged == nil {
		return false
	}
	h.c.Forward(kind, append([]byte(nil), data...), &out.Output)
	s.markDirty(h)
	return true
}

// applyTransfer takes what comes from a customer who merged, each number once and in
// their order.
func (s *Shard) applyTransfer(in *Input, index int, out *effect.Effects) error {
	record := &in.Frame.Records[index]
	t, err := campaign.DecodeTransfer(record.Data)
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
		s.eventful = true
		h = s.customers.put(key, campaign.NewCustomer(t.Workspace, t.Customer, s.now, s.place), guessBytes)
		s.arrived(h)
	}
	from := h.c.AddSource(t.Source)
	switch {
	case from == nil:
		s.putAside(index, record, campaign.ReasonMerges, t.Source, out)
		return nil
	case t.N <= from.Last:
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: campaign.Deduplicate})
		return nil
	case t.N != from.Last+1:
		s.putAside(index, record, campaign.ReasonGap,
			fmt.Sprintf("%s: number %d came where %d was due", t.Source, t.N, from.Last+1), out)
		s.markDirty(h)
		return nil
	}
	s.take(h, &t, created, func(reason campaign.Reason, detail string) {
		s.putAside(index, record, reason, detail, out)
	}, out)
	// After a panic the customer is another object, and the source as it was: this
	// transfer is a dead letter, those behind it still count.
	h.c.AddSource(t.Source).Last = t.N
	s.markDirty(h)
	s.rearm(h)
	return nil
}

// take applies a transfer that is the next of its source.
func (s *Shard) take(h *hosted, t *campaign.Transfer, created bool, aside func(campaign.Reason, string),
	out *effect.Effects,
) {
	s.catchUp(h, out)
	s.machine.Use(s.defs.set(t.Workspace))
	s.guard(h, out, func() {
		switch t.Kind {
		case campaign.TransferPart, campaign.TransferState:
			s.takeState(h, t, created, aside, out)
		case campaign.TransferEvent:
			s.takeEvent(h, t, created, aside, out)
		case campaign.TransferResult:
			r, err := campaign.DecodeResult(t.Body)
			if err != nil {
				aside(campaign.ReasonMalformed, err.Error())
				return
			}
			s.machine.Settle(h.c, &r, s.now, &out.Output)
		}
	}, func(detail string) { aside(campaign.ReasonPanic, detail) })
}

func (s *Shard) takeState(h *hosted, t *campaign.Transfer, created bool, aside func(campaign.Reason, string),
	out *effect.Effects,
) {
	state, ok := h.c.Source(t.Source).Take(t.Body, t.Kind == campaign.TransferState)
	switch {
	case !ok:
		aside(campaign.ReasonState, t.Source)
	case state != nil:
		other, err := campaign.DecodeCustomer(state, s.names)
		if err != nil {
			aside(campaign.ReasonMalformed, err.Error())
			return
		}
		s.machine.Merge(h.c, other, s.now, h.c.Meet(created), &out.Output)
	case t.Kind == campaign.TransferState:
		h.c.Unmet = h.c.Meet(created)
		out.Decisions = append(out.Decisions, campaign.Decision{
			Workspace: t.Workspace, Customer: t.Customer, Kind: campaign.Merged, Detail: t.Source, At: s.now,
		})
	}
}

// takeEvent applies an event that came for the anonymous customer after the merge. One
// that the known customer has under the same id is a duplicate.
func (s *Shard) takeEvent(h *hosted, t *campaign.Transfer, created bool, aside func(campaign.Reason, string),
	out *effect.Effects,
) {
	e, err := campaign.DecodeEvent(t.Body)
	if err != nil {
		aside(campaign.ReasonMalformed, err.Error())
		return
	}
	if !s.dedupe.Add(dedupe.EventHash(t.Workspace, t.Customer, e.ID), s.now) {
		return
	}
	e.Customer, e.Time = t.Customer, min(e.Time, s.now)
	s.machine.Apply(h.c, &e, s.now, h.c.Meet(created), &out.Output)
}

// Forwarded is the known customer into whom a customer in memory merged, empty when they
// did not.
func (s *Shard) Forwarded(workspace, customer string) string {
	if h := s.customers.get(Key(workspace, customer)); h != nil && h.c.Merged != nil {
		return h.c.Merged.Into
	}
	return ""
}

// passTransfer counts a transfer that is passed over, so that those behind it do not
// wait for it.
func (s *Shard) passTransfer(data []byte) {
	t, err := campaign.DecodeTransfer(data)
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

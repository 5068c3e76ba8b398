package shard

import (
	"encoding/json"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/wire"
	"github.com/nudge-engine/nudge/stream"
)

// hashBytes returns the XXH64 of b.
func hashBytes(b []byte) uint64 { return xxhash.Sum64(b) }

// recordKey returns the key of the customer that a record is about without decoding the
// rest. ok is false for records that concern no single customer, or cannot be read.
func recordKey(r *stream.Record) (key string, ok bool) {
	switch r.Kind {
	case stream.KindEvent, stream.KindResult, stream.KindTransfer, stream.KindErase, stream.KindFill:
	default:
		return "", false
	}
	d := wire.NewDecoder(r.Data) // all of these start with workspace and customer
	key = Key(d.String(), d.String())
	return key, d.Err() == nil
}

// apply applies one record of a frame. A record that cannot be decoded, or is of an
// unknown kind, becomes a dead letter and changes nothing else: the log cannot be
// changed, so to stop at it would stop the partition for good.
func (s *Shard) apply(in *Input, index int, out *effect.Effects) {
	r := &in.Frame.Records[index]
	var err error
	switch r.Kind {
	case stream.KindEvent:
		err = s.applyEvent(in, index, out)
	case stream.KindBroadcast:
		err = s.bulkScans.applyBroadcast(r.Data, index, out)
	case stream.KindResult:
		err = s.applyResult(index, r, out)
	case stream.KindTransfer:
		err = s.merges.transfer(in, index, out)
	case stream.KindErase:
		err = s.applyErase(index, r, out)
	case stream.KindControl:
		err = s.applyControl(r.Data, control.RecordPosition{Seq: in.At.Seq, Index: index}, out)
	case stream.KindFill:
		err = s.applyFill(index, r, out)
	case stream.KindClaim:
		err = s.applyClaim(r.Data)
	case stream.KindReject:
		err = s.applyReject(index, r.Data, out)
	// Time has passed already when the frame began. A lost frame without a skip does not
	// reach this point (see lost).
	case stream.KindTick, stream.KindLost:
	default:
		err = fmt.Errorf("actors: record of kind %d", r.Kind)
	}
	if err != nil {
		s.deadLetters.add(index, r, output.ReasonMalformed, err.Error(), out)
	}
}

// applyEvent applies an event to its customer, who is created by their first event.
// Before that it drops repetitions and events of erased customers, and passes on the
// events of customers who merged into another.
func (s *Shard) applyEvent(in *Input, index int, out *effect.Effects) error {
	e, err := event.DecodeShared(in.Frame.Records[index].Data, s.names)
	if err != nil {
		return err
	}
	if !s.dedupe.Add(dedupe.EventHash(e.Workspace, e.Customer, e.ID), s.now) {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		s.deadLetters.duplicate(&e)
		return nil
	}
	s.sawEvent = true
	// The writer's clock may have stepped back since it stamped the event.
	e.Time = min(e.Time, s.now)
	h := s.customers.find(e.Workspace, e.Customer)
	if s.erased.drops(h, e.Workspace, e.Customer, index, out) {
		return nil
	}
	if e.Type == event.Alias {
		return s.merges.alias(in, index, h, &e, out)
	}
	if s.merges.forward(h, event.TransferEvent, in.Frame.Records[index].Data, out) {
		return nil
	}
	created := h == nil
	if created {
		c := customer.New(e.Workspace, e.Customer, s.now, s.place)
		h = s.customers.put(Key(e.Workspace, e.Customer), c, guessBytes)
		s.bulkScans.exempt(h)
	}
	s.bulkScans.applyPending(h, out)
	m := s.runner.use(e.Workspace)
	s.runner.run(h, out, func() {
		m.Apply(h.c, &e, s.now, h.c.MarkSeen(created), &out.Output)
	}, func(detail string) {
		s.deadLetters.add(index, &in.Frame.Records[index], output.ReasonPanic, detail, out)
	})
	s.changes.add(h)
	s.timers.rearm(h)
	return nil
}

// applyResult applies what became of an attempt. Results of customers who are gone need
// nothing: their deliveries went with them.
func (s *Shard) applyResult(index int, record *stream.Record, out *effect.Effects) error {
	r, err := output.DecodeResult(record.Data)
	if err != nil {
		return err
	}
	h := s.customers.find(r.Workspace, r.Customer)
	if h == nil {
		return nil
	}
	if s.merges.forward(h, event.TransferResult, record.Data, out) {
		return nil
	}
	s.bulkScans.applyPending(h, out)
	m := s.runner.use(r.Workspace)
	s.runner.run(h, out, func() {
		m.Settle(h.c, &r, s.now, &out.Output)
	}, func(detail string) {
		s.deadLetters.add(index, record, output.ReasonPanic, detail, out)
	})
	s.changes.add(h)
	s.timers.rearm(h)
	return nil
}

// applyControl applies a control record if its number follows that of the last one.
// Copies of control records can come twice, because a controller that restarts copies
// again what it cannot know to be there; all but the first are ignored.
func (s *Shard) applyControl(data []byte, at control.RecordPosition, out *effect.Effects) error {
	c, err := control.Decode(data)
	if err != nil {
		return err
	}
	if c.K != s.ctl+1 {
		return nil
	}
	s.ctl = c.K
	switch {
	case c.Apply != nil:
		s.define()
		old := s.defs.set(c.Apply.Workspace)
		changed, err := s.defs.apply(c.Apply, s.place, s.now)
		if changed {
			s.migration.plan()
		}
		if err != nil {
			return err
		}
		// The bulk scan that drops counters is queued before the one that activates
		// triggers: a trigger must not see a count that a version left out long ago has
		// left behind.
		s.bulkScans.forget(c.Apply.Workspace, old)
		s.bulkScans.activate(c.Apply, old)
		s.tallies.renew(&out.Output)
		s.tallies.begin(c.Apply.Workspace, c.Apply.Documents)
	case c.Backfill != nil:
		s.define()
		return s.defs.startBackfill(c.Backfill, c.K, at, s.place)
	case c.Decide != nil:
		return s.applyDecide(c.Decide, out)
	case c.Genesis != nil && c.Genesis.DedupeIDs > 0:
		s.dedupe.SetLimit(c.Genesis.DedupeIDs)
	}
	return nil // a skip needs nothing: it was passed to New before the log was read
}

// define prepares for new definitions: if an event came before them in this frame, the
// place moves on, so that its customer counts as older than the definitions.
func (s *Shard) define() {
	if s.sawEvent {
		s.place++
		s.sawEvent = false
	}
}

// applyClaim records which owner claimed the partition. A claim with an older epoch is
// that of a process which was slow to stop, and is ignored.
func (s *Shard) applyClaim(data []byte) error {
	var c control.Claim
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("actors: claim: %w", err)
	}
	if c.Epoch >= s.claim.Epoch {
		s.claim = c
	}
	return nil
}

// applyReject makes a dead letter of an event that ingest refused, so that its sender's
// mistake can be looked into later.
func (s *Shard) applyReject(index int, data []byte, out *effect.Effects) error {
	var r stream.Reject
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("actors: reject: %w", err)
	}
	if s.Erased(r.Workspace, r.Customer) {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Erased})
		return nil
	}
	l := effect.DeadLetter{
		Workspace: r.Workspace, Customer: r.Customer,
		Index: uint32(index), Reason: output.ReasonRejected, Field: r.Field,
		Detail: clip.Text(r.Code+": "+r.Message, effect.MaxDetail), At: s.now,
		Raw: []byte(clip.Text(r.Raw, effect.MaxRaw)),
	}
	s.deadLetters.trace(&l)
	out.DeadLetters = append(out.DeadLetters, l)
	return nil
}

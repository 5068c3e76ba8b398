package sim

import (
	"bytes"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// judgeMerges is what holds in a world whose customers merge and are erased, beyond what
// holds in each: first without a model, then by the auditor's.
func (w *World) judgeMerges(hs []*history) error {
	erased, err := w.erasedAt(hs)
	if err != nil {
		return err
	}
	for _, check := range []func() error{
		func() error { return w.transfers(hs, erased) },
		func() error { return w.tombstones(hs, erased) },
		func() error { return w.handedOnce(hs, erased) },
		func() error { return w.left(hs, erased) },
		w.forgotten,
		func() error { return w.auditTogether(hs) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// at is a place in the log of a partition.
type at struct {
	partition int
	seq       uint64
	index     int
}

func (w *World) partitionOf(customer string) int {
	return stream.PartitionOf(workspace, customer, len(w.parts))
}

// erasedAt is the first erase record of each customer.
func (w *World) erasedAt(hs []*history) (map[string]at, error) {
	erased := map[string]at{}
	for p, h := range hs {
		for i := range h.frames {
			for j, r := range h.frames[i].Frame.Records {
				if r.Kind != stream.KindErase {
					continue
				}
				e, err := erase.Decode(r.Data)
				if err != nil {
					return nil, err
				}
				if w.partitionOf(e.Customer) != p {
					return nil, fmt.Errorf("partition %d has the erase record of %s", p, e.Customer)
				}
				if _, again := erased[e.Customer]; !again {
					erased[e.Customer] = at{p, h.frames[i].At.Seq, j}
				}
			}
		}
	}
	return erased, nil
}

// transfers: what an anonymous customer sent on is numbered without a gap, and each number
// is applied once, in its order, as it was sent; what was sent came.
func (w *World) transfers(hs []*history, erased map[string]at) error {
	sent := map[string][][]byte{}
	for _, h := range hs {
		for i := range h.messages {
			for j := range h.messages[i].Transfers {
				t := &h.messages[i].Transfers[j]
				if int(t.N) != len(sent[t.Source])+1 {
					return fmt.Errorf("transfer %d of %s is made as the %dth", t.N, t.Source, len(sent[t.Source])+1)
				}
				sent[t.Source] = append(sent[t.Source], t.AppendTo(nil))
			}
		}
	}
	came := map[string]uint64{}
	for p, h := range hs {
		dropped := h.drops()
		for i := range h.frames {
			for j, r := range h.frames[i].Frame.Records {
				if r.Kind != stream.KindTransfer {
					continue
				}
				t, err := event.DecodeTransfer(r.Data)
				if err != nil {
					return err
				}
				here := at{p, h.frames[i].At.Seq, j}
				if int(t.N) > len(sent[t.Source]) || !bytes.Equal(sent[t.Source][t.N-1], r.Data) {
					return fmt.Errorf("transfer %d of %s was never made so: %+v", t.N, t.Source, here)
				}
				want := output.Kind("")
				if t.N <= came[t.Source] {
					want = output.Deduplicate
				}
				if e, is := erased[t.Customer]; is && e.before(here) {
					want = output.Erased
				}
				if dropped[here.of()] != want {
					return fmt.Errorf("transfer %d of %s after %d: dropped %q, should be %q: %+v", t.N, t.Source,
						came[t.Source], dropped[here.of()], want, here)
				}
				if t.N > came[t.Source]+1 {
					return fmt.Errorf("transfer %d of %s came after %d", t.N, t.Source, came[t.Source])
				}
				came[t.Source] = max(came[t.Source], t.N)
			}
		}
	}
	for source := range sent { // each on its own; which is told first does not matter to the verdict
		if int(came[source]) != len(sent[source]) {
			return fmt.Errorf("liveness: %d of %d transfers of %s came", came[source], len(sent[source]), source)
		}
	}
	return nil
}

// of is a place without its partition.
func (a at) of() rowAt { return rowAt{a.seq, a.index} }

// before says whether a place comes first in the same partition.
func (a at) before(o at) bool { return a.seq < o.seq || a.seq == o.seq && a.index < o.index }

type rowAt struct {
	seq   uint64
	index int
}

// drops are the records that were not applied, and why.
func (h *history) drops() map[rowAt]output.Kind {
	dropped := map[rowAt]output.Kind{}
	for i := range h.messages {
		for _, d := range h.messages[i].Drops {
			dropped[rowAt{h.messages[i].Seq, int(d.Index)}] = d.Reason
		}
	}
	return dropped
}

// tombstones: each record of an anonymous customer who merged goes on as a transfer, but
// what came before or is of somebody erased; nothing else of them happens.
func (w *World) tombstones(hs []*history, erased map[string]at) error {
	for p, h := range hs {
		dropped, merged, want, made := h.drops(), map[string]uint64{}, map[string]int{}, map[string]int{}
		for i := range h.frames {
			for j, r := range h.frames[i].Frame.Records {
				here := at{p, h.frames[i].At.Seq, j}
				_, skipped := w.parts[p].skips[control.RecordPosition{Seq: here.seq, Index: j}]
				if skipped || dropped[here.of()] != "" {
					continue
				}
				who, alias, err := subject(&r)
				if err != nil {
					return err
				}
				if e, is := erased[who]; who == "" || is && e.before(here) {
					continue
				}
				if merged[who] != 0 && !alias {
					want[who]++
				}
				if alias && merged[who] == 0 {
					merged[who] = here.seq
				}
			}
		}
		for i := range h.messages {
			m := &h.messages[i]
			for j := range m.Transfers {
				if m.Transfers[j].Kind > event.TransferState {
					made[m.Transfers[j].Source]++
				}
			}
			for j := range m.Deliveries {
				if at := merged[m.Deliveries[j].Customer]; at != 0 && at < m.Seq {
					return fmt.Errorf("a delivery of a customer who merged at frame %d: %+v", at, m.Deliveries[j])
				}
			}
			for _, c := range m.Chains {
				if at := merged[c.Customer]; at != 0 && at < m.Seq {
					return fmt.Errorf("a chain of a customer who merged at frame %d: %+v", at, c)
				}
			}
		}
		for who := range merged { // each on its own
			if made[who] != want[who] {
				return fmt.Errorf("%d of %d records of %s were sent on", made[who], want[who], who)
			}
		}
	}
	return nil
}

// subject is the customer that an event or result is about.
func subject(r *stream.Record) (who string, alias bool, err error) {
	switch r.Kind {
	case stream.KindEvent:
		e, err := event.Decode(r.Data)
		return e.Customer, e.Type == event.Alias, err
	case stream.KindResult:
		result, err := output.DecodeResult(r.Data)
		return result.Customer, false, err
	default:
		return "", false, nil
	}
}

// handedOnce: no attempt of a delivery is handed off twice anywhere, and none of an erased
// customer after the record.
func (w *World) handedOnce(hs []*history, erased map[string]at) error {
	type attempt struct {
		id     output.ID
		number uint32
	}
	seen := map[attempt]int{}
	for p, h := range hs {
		for i := range h.messages {
			m := &h.messages[i]
			for j := range m.Deliveries {
				d := &m.Deliveries[j]
				if e, is := erased[d.Customer]; is && m.Seq > e.seq {
					return fmt.Errorf("a delivery after its customer was erased at frame %d: %+v", e.seq, d)
				}
				if d.Status == output.StatusRecall && d.Reason == output.ReasonErased {
					w.mark(reachErasePending)
				}
				if d.Status != output.HandedOff {
					continue
				}
				a := attempt{d.ID, d.Attempt}
				if before, twice := seen[a]; twice {
					return fmt.Errorf("handed off by partition %d and again by %d: %+v", before, p, d)
				}
				seen[a] = p
			}
		}
	}
	return nil
}

// ended is a state after which a delivery may not leave.
func ended(s output.Status) bool {
	return s == output.StatusSent || s == output.StatusFailed || s == output.StatusRecall ||
		s == output.StatusExpired
}

// left: nothing left that was not handed off, after its end, or after its customer was
// erased, as far as the owner that was asked knew; and each delivery has one end, but that
// of a customer whose receiver was erased.
func (w *World) left(hs []*history, erased map[string]at) error {
	ends, handed := map[output.ID]at{}, map[output.ID]*output.Delivery{}
	for p, h := range hs {
		for i := range h.messages {
			m := &h.messages[i]
			for j := range m.Deliveries {
				d := &m.Deliveries[j]
				if d.Status == output.HandedOff && d.Attempt == 1 {
					handed[d.ID] = d
				}
				if !ended(d.Status) {
					continue
				}
				if before, twice := ends[d.ID]; twice {
					return fmt.Errorf("ended in partition %d at frame %d and again: %+v", before.partition,
						before.seq, d)
				}
				ends[d.ID] = at{p, m.Seq, 0}
			}
		}
	}
	sent := map[output.ID]bool{}
	for _, s := range w.sink.sends {
		d := s.delivery
		sent[d.ID] = true
		if handed[d.ID] == nil {
			return fmt.Errorf("sent and never handed off: %+v", d)
		}
		if end, is := ends[d.ID]; is && end.partition == s.partition && s.applied >= end.seq {
			return fmt.Errorf("sent at frame %d although frame %d ended it: %+v", s.applied, end.seq, d)
		}
		if e, is := erased[d.Customer]; is && e.partition == s.partition && s.applied >= e.seq {
			return fmt.Errorf("sent at frame %d although frame %d erased the customer: %+v", s.applied, e.seq, d)
		}
	}
	into := w.into(hs)
	return first(handed, func(d *output.Delivery) error {
		_, gone := erased[d.Customer]
		_, receiver := erased[into[d.Customer]]
		if _, is := ends[d.ID]; !is && !gone && !receiver {
			return fmt.Errorf("delivery has no end: %+v", d)
		}
		return nil
	})
}

// into is the known customer that each anonymous one became.
func (w *World) into(hs []*history) map[string]string {
	into := map[string]string{}
	for _, h := range hs {
		for i := range h.messages {
			for _, t := range h.messages[i].Transfers {
				into[t.Source] = t.Customer
			}
		}
	}
	return into
}

// forgotten: no owner knows a customer who was erased, and no store has a state of them
// from a snapshot after that.
func (w *World) forgotten() error {
	for _, p := range w.parts {
		for _, n := range p.nodes {
			if err := n.forgot(); err != nil {
				return err
			}
		}
	}
	return nil
}

// erasing notes who is erased by a frame that an owner has applied.
func (p *partition) erasing(in *shard.Input) {
	for _, r := range in.Frame.Records {
		if r.Kind != stream.KindErase {
			continue
		}
		e, err := erase.Decode(r.Data)
		p.w.fail(err)
		if p.erased == nil {
			p.erased = map[string]uint64{}
		}
		if p.erased[e.Customer] == 0 {
			p.erased[e.Customer] = in.At.Seq
		}
	}
}

// forgot checks an owner and its store.
func (n *node) forgot() error {
	for id, seq := range n.p.erased { // each on its own
		c, _ := n.owner.Shard.Customer(workspace, id)
		if n.owner.Shard.Applied().Seq >= seq && (c != nil || !n.owner.Shard.Erased(workspace, id)) {
			return fmt.Errorf("partition %d at frame %d still knows %s, erased at %d: %v", n.p.number,
				n.owner.Shard.Applied().Seq, id, seq, c != nil)
		}
		if n.owner.Saved().Applied.Seq < seq {
			continue
		}
		v, err := n.disk.Memory.Get(storage.CustomerKey(n.p.number, workspace, id))
		if err != nil || v != nil {
			return fmt.Errorf("partition %d has saved %d, and its store has %d bytes of %s, erased at %d: %w",
				n.p.number, n.owner.Saved().Applied.Seq, len(v), id, seq, err)
		}
	}
	return nil
}

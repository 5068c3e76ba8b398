package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/stream"
)

// first is the error of the smallest key that has one: the same at each run.
func first[K comparable, V any](m map[K]V, check func(V) error) error {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b K) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for _, k := range keys {
		if err := check(m[k]); err != nil {
			return err
		}
	}
	return nil
}

// identity is what one message for one channel is.
type identity struct {
	chain         chainID
	step, channel string
}

func identityOf(d *output.Delivery) identity {
	return identity{chainID{d.Campaign, d.Customer, int(d.Entry)}, d.Step, d.Channel}
}

// fate is what became of one delivery.
type fate struct {
	handed   *output.Delivery
	stopped  uint64            // frame that stopped its chain; 0: none
	accepted uint64            // frame with the first result that says accepted
	results  map[uint32]uint64 // by attempt: frame with its first result
	last     output.Status
	attempts uint32
	tried    int64 // when the last attempt was handed off, by the world's clock
	expired  int64 // when it expired while that attempt was out; 0: it did not
}

// fates follows the deliveries through the effects, and their results through the
// log.
func (p *partition) fates(h *history) (map[output.ID]*fate, error) {
	stopped, ended := map[chainID]uint64{}, map[chainID]uint64{}
	by, gone := map[output.ID]*fate{}, h.forgotten()
	for i := range h.messages {
		m := &h.messages[i]
		for _, c := range m.Chains {
			id := chainID{c.Campaign, c.Customer, int(c.Entry)}
			stops := c.Outcome == output.ByGoal || c.Outcome == output.Stopped || c.Outcome == output.Preempted
			if stops && stopped[id] == 0 {
				stopped[id] = m.Seq
			}
			if (c.Outcome == output.Completed || c.Outcome == output.Exited) && ended[id] == 0 {
				ended[id] = m.Seq
			}
		}
		for j := range m.Deliveries {
			d := &m.Deliveries[j]
			if gone[d.Customer] || decided(d) && d.Status != output.HandedOff {
				continue // never handed off, or not yet
			}
			f := by[d.ID]
			if f == nil {
				f = &fate{handed: d, results: map[uint32]uint64{}}
				by[d.ID] = f
			}
			if identityOf(f.handed) != identityOf(d) {
				return nil, fmt.Errorf("deliveries %+v and %+v have the id %s", identityOf(f.handed), identityOf(d),
					d.ID)
			}
			if d.Status == output.HandedOff && d.Attempt != f.attempts+1 {
				return nil, fmt.Errorf("delivery %+v: attempt %d after %d", identityOf(d), d.Attempt, f.attempts)
			}
			switch {
			case d.Status == output.HandedOff:
				f.tried = h.stored[i]
			case d.Status == output.StatusExpired && f.last == output.HandedOff:
				f.expired = h.stored[i]
			}
			f.last, f.attempts = d.Status, d.Attempt
			if d.Status == output.StatusRecall {
				p.w.mark(reachPending)
				if at := ended[identityOf(d).chain]; at != 0 && at < m.Seq {
					p.w.mark(reachRecallLate)
				}
			}
		}
	}
	for _, f := range by { // each fate on its own: no order shows
		f.stopped = stopped[identityOf(f.handed).chain]
	}
	return by, p.results(h, by)
}

func (p *partition) results(h *history, byID map[output.ID]*fate) error {
	gone := h.forgotten()
	for i := range h.frames {
		for _, r := range h.frames[i].Frame.Records {
			if r.Kind != stream.KindResult {
				continue
			}
			result, err := output.DecodeResult(r.Data)
			if err != nil {
				return err
			}
			f := byID[result.Delivery]
			if gone[result.Customer] {
				continue
			}
			if f == nil {
				return fmt.Errorf("result of a delivery that is not: %+v", result)
			}
			if f.stopped != 0 && f.stopped < h.frames[i].At.Seq && f.last == output.StatusRecall {
				p.w.mark(reachRecalled)
			}
			if f.results[result.Attempt] != 0 && result.Attempt < f.attempts {
				p.w.mark(reachOldAnswer)
			}
			if f.results[result.Attempt] == 0 {
				f.results[result.Attempt] = h.frames[i].At.Seq
			}
			if result.Verdict == output.Accepted && f.accepted == 0 {
				f.accepted = h.frames[i].At.Seq
			}
		}
	}
	return nil
}

// sends: what left was handed off, not after the record that stopped its chain
// nor after its result; and what was not stopped did leave, and has an end.
func (p *partition) sends(h *history) error {
	fates, err := p.fates(h)
	if err != nil {
		return err
	}
	left, gone := map[output.ID]int{}, h.forgotten()
	for _, s := range p.w.sink.sends {
		d := s.delivery
		if gone[d.Customer] || stream.PartitionOf(workspace, d.Customer, len(p.w.parts)) != p.number {
			continue
		}
		f := fates[d.ID]
		switch {
		case f == nil || d.Attempt > f.attempts:
			return fmt.Errorf("sent and never handed off: %+v", d)
		case f.stopped != 0 && s.applied >= f.stopped:
			return fmt.Errorf("sent at frame %d although frame %d stopped the chain: %+v", s.applied, f.stopped, d)
		case f.accepted != 0 && s.applied >= f.accepted:
			return fmt.Errorf("sent at frame %d although frame %d says accepted: %+v", s.applied, f.accepted, d)
		case f.results[d.Attempt] != 0 && s.applied >= f.results[d.Attempt]:
			return fmt.Errorf("sent at frame %d although frame %d has the attempt's result: %+v", s.applied,
				f.results[d.Attempt], d)
		}
		left[d.ID]++
	}
	return first(fates, func(f *fate) error {
		d := f.handed
		switch f.last {
		case output.StatusSent, output.StatusFailed, output.StatusRecall:
		case output.StatusExpired:
			if f.expired != 0 && f.expired-f.tried > mostOut && !p.mayTake(f.tried, f.expired) {
				return fmt.Errorf("the result of attempt %d was lost, so the delivery expired: %+v", f.attempts, d)
			}
			p.w.mark(reachExpired)
			return nil
		default:
			return fmt.Errorf("delivery %+v ends as %s", d, f.last)
		}
		if f.last != output.StatusRecall && left[d.ID] == 0 {
			return fmt.Errorf("delivery never left: %+v", d)
		}
		return nil
	})
}

// struggling is how many crashes between two instants say that an owner got nowhere.
const struggling = 100

// mostOut is the longest, in ms of the world's clock, until the log has the result of an attempt: results
// are up to resultLate late, and what cannot be asked or appended at the moment is tried again. The
// world's clock counts because log time may jump past an expiry. Whether a delivery may expire in a pause
// between two attempts is for the auditor, which knows from the log when the next attempt is due.
const mostOut = resultLate + 3_600_000

// mayTake says whether an attempt may be out for longer than mostOut: sends are switched off for a
// while, or the owner came up again and again and found that its store fails.
func (p *partition) mayTake(from, to int64) bool {
	n := 0
	for _, at := range p.crashes {
		if at > from && at < to {
			n++
		}
	}
	return n >= struggling || p.w.opt.Language.Changes.Policies
}

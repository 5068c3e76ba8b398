package sim

import (
	"slices"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/sink/dispatch/plan"
	"github.com/nudge-engine/nudge/stream"
)

// carryLate is the longest that a transfer is on its way, ms; longer than most gaps
// between two calls.
const carryLate = 600_000

// carriage carries the transfers of one effect message, the double of carry of
// sink/dispatch: of a source one at a time, the next when the one before is durable. When
// the dispatcher crashes, what was appended gets no answer; a zombie goes on all the
// same, while the next one begins at the position noted.
type carriage struct {
	d      *dispatcher
	epoch  int
	from   int // partition
	effect uint64
	left   []event.Transfer
	zombie bool
	asked  bool // whether it is one was drawn
}

// carry begins, and says whether there is anything to wait for.
func (d *dispatcher) carry(partition int, effect uint64, transfers []event.Transfer) bool {
	if len(transfers) == 0 {
		return false
	}
	if d.carrying == nil {
		d.carrying = make([]bool, len(d.w.parts))
	}
	d.carrying[partition] = true
	c := &carriage{d: d, epoch: d.epoch, from: partition, effect: effect, left: slices.Clone(transfers)}
	d.w.after(d.w.delay(), c.next)
	return true
}

func (d *dispatcher) carries(partition int) bool { return d.carrying != nil && d.carrying[partition] }

// next appends one transfer of each source.
func (c *carriage) next() {
	d := c.d
	if !c.goesOn() {
		return
	}
	if len(c.left) == 0 {
		if c.epoch == d.epoch {
			d.carrying[c.from] = false
			d.next[c.from] = c.effect
			if d.w.rng.IntN(3) == 0 {
				d.saved[c.from] = c.effect
			}
			d.kick()
		}
		return
	}
	first, rest := plan.NextTransfers(c.left)
	if c.epoch == d.epoch && d.crashes() { // read and not appended
		c.cut(first)
		return
	}
	c.left = rest
	open := len(first)
	for i := range first {
		t := &first[i]
		pause := int64(0)
		if d.w.draw(d.w.opt.ResultLate) {
			pause = d.w.rng.Int64N(carryLate)
		}
		d.w.after(pause, func() {
			d.w.note("transfer %d of %s, kind %d", t.N, t.Source, t.Kind)
			to := d.w.parts[stream.PartitionOf(workspace, t.Customer, len(d.w.parts))]
			to.add(record{kind: stream.KindTransfer, data: t.AppendTo(nil), acked: func() {
				if open--; open == 0 {
					c.next()
				}
			}})
		})
	}
	if c.epoch == d.epoch && d.crashes() { // no answer comes any more
		c.cut(rest)
	}
}

// goesOn says whether the carrier lives, or is one that does not know that it is dead.
func (c *carriage) goesOn() bool {
	if c.epoch == c.d.epoch {
		return true
	}
	if !c.asked {
		c.asked, c.zombie = true, c.d.w.rng.IntN(2) == 0
		c.d.w.note("carrier of %d.%d goes on as a zombie: %v", c.from, c.effect, c.zombie)
	}
	return c.zombie
}

// cut marks a crash between the parts of one state.
func (c *carriage) cut(left []event.Transfer) {
	for i := range left {
		if left[i].N > 1 && left[i].Kind <= event.TransferState {
			c.d.w.mark(reachPartsCut)
		}
	}
}

// mayLeave asks the owner of a customer, or that of the one they became, as the engine
// does; by is who answered.
func (d *dispatcher) mayLeave(n *node, v *output.Delivery, effect uint64) (may bool, by *node, err error) {
	end := n.end
	if d.w.opt.AskLagging {
		effect = 0
	}
	if d.w.opt.Rollback == 0 { // what was read is there for good
		end = 0
	}
	may, into, err := n.owner.MayLeave(v, effect, end)
	n.look()
	if err != nil || into == "" {
		return may, n, err
	}
	d.w.mark(reachAskedMoved)
	other := d.w.parts[stream.PartitionOf(workspace, into, len(d.w.parts))].newest()
	if other == nil {
		return false, n, shard.ErrBehind
	}
	may, err = other.owner.MayLeaveMerged(v, into, other.end)
	other.look()
	return may, other, err
}

// erase asks who became the customer, and puts a record into the partition of each; the
// record may come twice.
func (w *World) erase(customer string) {
	n := w.parts[stream.PartitionOf(workspace, customer, len(w.parts))].newest()
	if n == nil {
		w.after(askPause, func() { w.erase(customer) })
		return
	}
	view, err := n.owner.View(workspace, customer)
	n.look()
	if err != nil {
		w.after(askPause, func() { w.erase(customer) })
		return
	}
	ids := []string{customer}
	if view != nil {
		ids = append(ids, view.MergedFrom...)
	}
	w.note("erase %v", ids)
	for _, id := range ids {
		e := erase.Record{Workspace: workspace, Customer: id, Key: erase.Fingerprint([]byte(eraseKey))}
		p := w.parts[stream.PartitionOf(workspace, id, len(w.parts))]
		r := record{kind: stream.KindErase, data: e.AppendTo(nil)}
		p.add(r)
		if w.draw(w.opt.ResultTwice) {
			w.after(w.rng.Int64N(carryLate), func() { p.add(r) })
		}
	}
}

// eraseKey is the key of the world's erasures.
const eraseKey = "sim"

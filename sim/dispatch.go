package sim

import (
	"context"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/sink/dispatch/plan"
	"github.com/nudge-engine/nudge/stream"
)

const (
	askPause   = 250       // ms until an owner that did not answer is asked again
	resultLate = 7_200_000 // ms, the latest a late result comes
)

// dispatcher is the double of sink/dispatch, with the same decisions (sink/dispatch/plan) and
// without its goroutines and streams: copiers put the deliveries of effect
// messages into one queue a channel, workers ask the owner, send, and publish the
// result. Queues and saved positions outlive a crash, the rest does not.
type dispatcher struct {
	w       *World
	queues  []*channelQueue // in the order in which their channels came up
	saved   []uint64
	sends   []send
	byID    map[output.ID]int // attempts sent, all together
	epoch   int               // crashes so far: what a crashed one had planned does nothing
	next    []uint64
	planned bool
	// carrying says of each partition that its transfers are on their way.
	carrying []bool
}

// channelQueue is SEND_<channel>.
type channelQueue struct {
	channel string
	batches []*sendBatch
	last    []uint64 // by partition: last effect message that is in the queue
	saved   int      // batches done, as saved
	started int
	done    *plan.Progress // by batch, the first is 1
}

// sendBatch is the deliveries of one effect message for one channel.
type sendBatch struct {
	queue      *channelQueue
	number     int // in its queue, from 1
	partition  int
	effect     uint64
	deliveries []*output.Delivery
	left       int
}

// send is one attempt that left.
type send struct {
	delivery *output.Delivery
	// partition is that of the owner that allowed it.
	partition int
	applied   uint64 // how far the owner that allowed it was
	verdict   output.Verdict
}

func newDispatcher(w *World) *dispatcher {
	n := len(w.parts)
	return &dispatcher{w: w, saved: make([]uint64, n), next: make([]uint64, n), byID: map[output.ID]int{}}
}

// kick plans a round of copying.
func (d *dispatcher) kick() {
	if d.planned {
		return
	}
	d.planned = true
	epoch := d.epoch
	d.w.after(d.w.delay(), func() {
		if epoch == d.epoch {
			d.planned = false
			d.round()
		}
	})
}

func (d *dispatcher) round() {
	for _, p := range d.w.parts {
		for n := d.next[p.number] + 1; n <= last(p.effects) && !d.carries(p.number); n++ {
			raw, err := p.effects.Get(context.Background(), n)
			if err != nil {
				d.w.fail(err)
				return
			}
			m, err := effect.DecodeMessage(raw.Data)
			if err != nil {
				d.w.fail(err)
				return
			}
			d.copy(p.number, &m)
			if d.carry(p.number, n, m.Transfers) {
				break // those behind wait
			}
			d.next[p.number] = n
			if d.crashes() {
				return
			}
		}
		if d.w.rng.IntN(3) == 0 {
			d.saved[p.number] = d.next[p.number]
		}
	}
	for _, l := range d.queues {
		for ; l.started < len(l.batches); l.started++ {
			d.begin(l.batches[l.started])
		}
	}
}

// copy puts a message's deliveries into their queues, which pass over what they have.
func (d *dispatcher) copy(partition int, m *effect.Message) {
	var batches plan.Batches
	upTo := func(channel string) (uint64, error) { return d.queue(channel).last[partition], nil }
	d.w.fail(batches.Add(m.N, m.Deliveries, upTo))
	for _, channel := range batches.Channels() {
		q := d.queue(channel)
		q.batches = append(q.batches, &sendBatch{
			queue: q, number: len(q.batches) + 1, partition: partition, effect: m.N, deliveries: batches.Of(channel),
		})
		q.last[partition] = m.N
	}
}

func (d *dispatcher) queue(channel string) *channelQueue {
	for _, l := range d.queues {
		if l.channel == channel {
			return l
		}
	}
	l := &channelQueue{channel: channel, last: make([]uint64, len(d.w.parts)), done: plan.NewProgress(0)}
	d.queues = append(d.queues, l)
	return l
}

func (d *dispatcher) begin(c *sendBatch) {
	c.left = len(c.deliveries)
	for i := range c.deliveries {
		d.later(d.w.delay(), c, i)
	}
}

func (d *dispatcher) later(pause int64, c *sendBatch, i int) {
	epoch := d.epoch
	d.w.after(pause, func() {
		if epoch == d.epoch {
			d.attempt(c, i)
		}
	})
}

// attempt makes one attempt of a delivery, as channelQueue.attempt of sink/dispatch does.
func (d *dispatcher) attempt(c *sendBatch, i int) {
	v := c.deliveries[i]
	n := d.w.parts[c.partition].newest()
	if n == nil {
		d.later(askPause, c, i)
		return
	}
	may, n, err := d.mayLeave(n, v, c.effect)
	switch plan.After(may, err) {
	case plan.AskAgain:
		d.later(askPause, c, i)
	case plan.Drop:
		d.w.note("may not leave: %s %s/%s attempt %d", v.Customer, v.Campaign, v.Step, v.Attempt)
		d.ended(c)
	case plan.Send:
		d.send(n, c, v)
	}
}

// send makes an attempt that the owner n allowed.
func (d *dispatcher) send(n *node, c *sendBatch, v *output.Delivery) {
	s := send{
		delivery: v, partition: n.p.number, applied: n.owner.Shard.Applied().Seq, verdict: output.Accepted,
	}
	if d.w.draw(d.w.opt.Permanent) {
		s.verdict = output.Permanent
	}
	if d.w.draw(d.w.opt.Temporary) {
		s.verdict = output.Temporary
	}
	for _, before := range d.sends {
		if before.delivery.ID == v.ID && before.delivery.Attempt == v.Attempt {
			d.w.mark(reachResend)
		}
	}
	if v.Attempt > 1 {
		d.w.mark(reachRetry)
	}
	if r := n.p.wrong; r != nil && r.applies(n) {
		d.w.fail(fmt.Errorf("sent by a partition whose log is not the one that was read: %+v", v))
	}
	d.sends = append(d.sends, s)
	d.w.note("send %s %s/%s attempt %d verdict %d", v.Customer, v.Campaign, v.Step, v.Attempt, s.verdict)
	if d.crashes() {
		return
	}
	d.result(c, v, s.verdict)
}

// result publishes what became of an attempt: now or late, once or twice.
func (d *dispatcher) result(c *sendBatch, v *output.Delivery, verdict output.Verdict) {
	r := plan.Result(v, verdict)
	if v.Channel == audit.CallChannel && verdict == output.Accepted {
		r.Reply = d.w.reply()
	}
	p, epoch, data := d.w.parts[c.partition], d.epoch, r.AppendTo(nil)
	pause := int64(0)
	if d.w.draw(d.w.opt.ResultLate) {
		pause = d.w.rng.Int64N(resultLate)
	}
	if d.w.draw(d.w.opt.ResultTwice) {
		d.w.after(d.w.rng.Int64N(resultLate), func() { p.add(record{kind: stream.KindResult, data: data}) })
	}
	d.w.after(pause, func() {
		p.add(record{kind: stream.KindResult, data: data, acked: func() {
			if epoch == d.epoch {
				d.ended(c)
			}
		}})
	})
}

// ended counts a delivery of a sendBatch as done and saves the position now and then.
func (d *dispatcher) ended(c *sendBatch) {
	if c.left--; c.left == 0 {
		c.queue.done.Complete(uint64(c.number))
	}
	if d.w.rng.IntN(3) != 0 {
		return
	}
	for _, l := range d.queues {
		l.saved = int(l.done.UpTo())
	}
}

// maxCrashes is the most crashes of the dispatcher in a world. Where more sends and transfers wait
// than one gets through between two crashes each start repeats those before, and half of the dead
// dispatchers go on as zombies: without a limit such a world would grow without end.
const maxCrashes = 500

// crashes has the dispatcher crash now and then, and reports whether it did.
func (d *dispatcher) crashes() bool {
	if d.epoch >= maxCrashes || !d.w.hit(d.w.opt.SinkCrash) {
		return false
	}
	d.crash()
	return true
}

// crash loses what is not saved.
func (d *dispatcher) crash() {
	d.epoch++
	d.planned, d.carrying = false, nil
	copy(d.next, d.saved)
	for _, l := range d.queues {
		l.started, l.done = l.saved, plan.NewProgress(uint64(l.saved))
	}
	d.w.note("dispatcher crashes")
	d.w.after(d.w.rng.Int64N(restartPause), d.kick)
}

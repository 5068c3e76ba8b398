package dispatch

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/nudge-engine/nudge/campaign"
)

// askedAtOnce is how many deliveries of a parcel the shard is asked about in one go at most.
const askedAtOnce = 64

// errand is the attempts of one parcel.
type errand struct {
	l         *lane
	partition int
	effect    uint64 // the last message that carried one of them

	slots    chan struct{}   // of the lane: one for each attempt that is made
	inHand   chan struct{}   // of the lane: one for each delivery that is not done
	attempts *sync.WaitGroup // of the lane: the same

	left  atomic.Int64
	ended func() // called when all are ended and their results are in the log
}

// begin starts the attempts as far as inHand has room, and waits where it has none. It does
// not wait for the shard: the asks of many parcels are under way at once.
func (e *errand) begin(ctx context.Context, rest []campaign.Delivery) error {
	e.left.Store(int64(len(rest)))
	for len(rest) > 0 {
		select {
		case e.inHand <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		n := 1 + take(e.inHand, min(askedAtOnce, len(rest))-1)
		e.attempts.Add(n)
		go e.ask(ctx, rest[:n])
		rest = rest[n:]
	}
	return nil
}

// ask asks the shard at once about the deliveries for which there are slots, so that nothing
// is between the answer and the attempt. The others, and those that it does not say yes to,
// ask for themselves: they may wait, and are told why they may not leave.
func (e *errand) ask(ctx context.Context, all []campaign.Delivery) {
	n := 0
	if e.l.d.config.MayLeaveAll != nil {
		n = take(e.slots, len(all))
	}
	for i := n; i < len(all); i++ {
		go e.alone(ctx, &all[i])
	}
	if n == 0 {
		return
	}
	may := e.l.d.config.MayLeaveAll(ctx, e.partition, all[:n], e.effect)
	for i := range n {
		d := &all[i]
		if may == nil || !may[i] {
			<-e.slots
			go e.alone(ctx, d)
			continue
		}
		go e.l.leave(ctx, e.partition, d, e.slots, e.end)
	}
}

func (e *errand) alone(ctx context.Context, d *campaign.Delivery) {
	e.l.attempt(ctx, e.partition, e.effect, d, e.slots, e.end)
}

// end is called once for each delivery: done says that it need not come again.
func (e *errand) end(done bool) {
	<-e.inHand
	if done && e.left.Add(-1) == 0 {
		e.ended()
	}
	e.attempts.Done()
}

// take takes up to most places without waiting.
func take(places chan struct{}, most int) (n int) {
	for ; n < most; n++ {
		select {
		case places <- struct{}{}:
		default:
			return n
		}
	}
	return n
}

package dispatch

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/nudge-engine/nudge/campaign/output"
)

// maxAsked is the largest number of deliveries of a batch that one question to the shard
// covers. It is no larger than workersPerChannel, since only deliveries with a slot are
// asked about.
const maxAsked = 64

// batchRun makes the attempts of one sendBatch.
type batchRun struct {
	queue     *channelQueue
	partition int
	effect    uint64 // last effect message that the batch covers

	slots    chan struct{}   // of the queue: one token for each attempt under way
	inFlight chan struct{}   // of the queue: one token for each delivery that is not finished
	attempts *sync.WaitGroup // of the queue: counts the same deliveries

	remaining atomic.Int64 // deliveries that are not finished
	onDone    func()       // called once all deliveries are finished and their results are in the log
}

// start starts attempts of the deliveries while inFlight has room, and waits while it has
// none. It does not wait for the shard's answers, so questions about many batches are
// under way at once.
func (e *batchRun) start(ctx context.Context, rest []output.Delivery) error {
	e.remaining.Store(int64(len(rest)))
	for len(rest) > 0 {
		select {
		case e.inFlight <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		n := 1 + acquire(e.inFlight, min(maxAsked, len(rest))-1)
		e.attempts.Add(n)
		go e.attemptAll(ctx, rest[:n])
		rest = rest[n:]
	}
	return nil
}

// attemptAll asks the shard with one question about the deliveries for which there are free
// slots, so that nothing delays an attempt once it is allowed. The others, and those that the
// shard does not allow, ask one by one: they may have to wait, and need the reason.
func (e *batchRun) attemptAll(ctx context.Context, all []output.Delivery) {
	n := 0
	// Only as many as can be sent at once: an answer is worth less the older it is.
	if e.queue.d.config.MaySendAll != nil {
		n = acquire(e.slots, len(all))
	}
	for i := n; i < len(all); i++ {
		go e.attemptOne(ctx, &all[i])
	}
	if n == 0 {
		return
	}
	may := e.queue.d.config.MaySendAll(ctx, e.partition, all[:n], e.effect)
	for i := range n {
		d := &all[i]
		if may == nil || !may[i] {
			<-e.slots
			go e.attemptOne(ctx, d)
			continue
		}
		go e.queue.deliver(ctx, e.partition, d, e.slots, e.attemptDone)
	}
}

// attemptOne makes one attempt that asks the shard by itself.
func (e *batchRun) attemptOne(ctx context.Context, d *output.Delivery) {
	e.queue.attempt(ctx, e.partition, e.effect, d, e.slots, e.attemptDone)
}

// attemptDone is called once for each delivery; done reports that it need not be tried
// again by this process. After the last one the batch is finished.
func (e *batchRun) attemptDone(done bool) {
	<-e.inFlight
	if done && e.remaining.Add(-1) == 0 {
		e.onDone()
	}
	e.attempts.Done()
}

// acquire takes up to most tokens without waiting and returns how many it took.
func acquire(places chan struct{}, most int) (n int) {
	for ; n < most; n++ {
		select {
		case places <- struct{}{}:
		default:
			return n
		}
	}
	return n
}

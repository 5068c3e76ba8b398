package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
	"github.com/nudge-engine/nudge/sink/dispatch/plan"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// workersPerChannel bounds the attempts of one channel that are under way at a time, so
// that a receiver is not overrun; a webhook keeps as many connections.
const workersPerChannel = 64

// maxInFlight bounds the deliveries of a channel that are read and not finished, each of
// which has a goroutine. To bound batches would not do: one batch may hold thousands of
// deliveries.
const maxInFlight = 4096

// channelQueue is the stream of one channel and the worker that sends what is in it.
type channelQueue struct {
	d       *Dispatcher
	channel string
	// stream is SEND_<channel>, with a subject for each partition.
	stream stream.Stream
	// last is, by partition, the last effect message that is in the stream. The copier of
	// a partition uses its element alone.
	last []uint64
}

// progress is a plan.Progress for several goroutines: attempts end in any order, each in
// a goroutine of its own.
type progress struct {
	mu   sync.Mutex
	plan *plan.Progress
}

// complete notes that the batch at seq is finished.
func (g *progress) complete(seq uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.plan.Complete(seq)
}

// skipTo notes that the stream has nothing up to seq any more.
func (g *progress) skipTo(seq uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.plan.SkipTo(seq)
}

// position returns the sequence up to which all batches are finished.
func (g *progress) position() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.plan.UpTo()
}

// run sends what is in the stream until ctx ends, starting with the first batch that is
// not known to be finished. Deliveries in it whose results are in the log are not sent
// again: the shard refuses them.
//
// slots bounds the attempts and inFlight the deliveries that are read and not finished;
// attempts counts the latter, so that run ends after them. All are shared by the batches
// of the channel.
func (q *channelQueue) run(ctx context.Context) {
	key := storage.SinkKey("send/" + q.channel)
	from := uint64(0)
	if stored, err := q.d.config.Store.Get(key); err == nil && stored != nil {
		// An unreadable position counts as the start, which sends nothing twice for the
		// same reason.
		from, _ = strconv.ParseUint(string(stored), 10, 64)
	}
	g := &progress{plan: plan.NewProgress(from)}
	var saving sync.WaitGroup
	saving.Go(func() { q.save(ctx, g, key) })
	slots := make(chan struct{}, workersPerChannel)
	inFlight := make(chan struct{}, maxInFlight)
	var attempts sync.WaitGroup
	for ctx.Err() == nil {
		if err := q.read(ctx, g, slots, inFlight, &attempts); err != nil && ctx.Err() == nil {
			q.d.config.Logger.Warn("dispatch: the channel's stream is read again", slog.String("channel", q.channel),
				slog.Any("error", err))
			// What was read is finished first, or it would be read again beside it.
			attempts.Wait()
			pause(ctx, retryPause)
		}
	}
	attempts.Wait()
	saving.Wait()
}

// read starts the attempts of the batches in the stream, in order, until something fails.
// It goes on after the position up to which all are finished.
func (q *channelQueue) read(
	ctx context.Context,
	g *progress,
	slots, inFlight chan struct{},
	attempts *sync.WaitGroup,
) error {
	info, err := q.stream.Info(ctx)
	if err != nil {
		return err
	}
	// The saved position may be older than the last trim, as after the store was
	// restored.
	if first := info.First; first > 0 && g.position()+1 < first {
		g.skipTo(first - 1)
	}
	r, err := q.stream.Read(ctx, g.position()+1)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		m, err := r.Next(ctx)
		if err != nil {
			return err
		}
		// A message that cannot be decoded stops the channel rather than losing
		// deliveries.
		p, err := decodeSendBatch(m.Data)
		if err != nil {
			return err
		}
		partition, err := strconv.Atoi(m.Subject)
		if err != nil {
			return fmt.Errorf("dispatch: subject %q: %w", m.Subject, err)
		}
		e := &batchRun{
			queue: q, partition: partition, effect: p.effect, slots: slots, inFlight: inFlight, attempts: attempts,
			onDone: func() { g.complete(m.Seq) },
		}
		if err := e.start(ctx, p.deliveries); err != nil {
			return err
		}
	}
}

// save saves the position every saveEvery and trims the stream up to it, and saves once
// more when ctx ends. The message at the position stays, because the last message of each
// subject says where to go on copying.
func (q *channelQueue) save(ctx context.Context, g *progress, key []byte) {
	saved := g.position()
	for {
		pause(ctx, saveEvery)
		if at := g.position(); at > saved {
			b := new(storage.Batch)
			b.Set(key, strconv.AppendUint(nil, at, 10))
			err := q.d.config.Store.Commit(b)
			if err == nil && ctx.Err() == nil && at > 1 {
				// The message at the position stays: the last one of the stream says up
				// to where its partition was copied.
				err = q.stream.Trim(ctx, at-1)
			}
			if err != nil && ctx.Err() == nil {
				q.d.config.Logger.Warn("dispatch: position", slog.String("channel", q.channel), slog.Any("error", err))
			}
			saved = at
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// attempt asks the shard until it knows whether the delivery may leave, makes the attempt
// and publishes its result. It calls end once: with done false if nothing was decided,
// because ctx ended or the partition is halted; the delivery then comes again after a
// restart. While it waits for a shard it takes no slot, so a shard that is slow to answer
// delays no other.
func (q *channelQueue) attempt(ctx context.Context, partition int, effect uint64, d *output.Delivery,
	slots chan struct{}, end func(done bool),
) {
	for free := false; !free; {
		may, err := q.d.config.MaySend(ctx, d, effect)
		if ctx.Err() != nil || errors.Is(err, ErrHalted) {
			end(false)
			return
		}
		switch plan.After(may, err) {
		case plan.AskAgain:
			pause(ctx, retryPause)
		case plan.Drop:
			end(true)
			return
		case plan.Send:
			if free, err = q.slot(ctx, d, effect, slots); err != nil {
				end(false)
				return
			}
		}
	}
	q.deliver(ctx, partition, d, slots, end)
}

// deliver makes the attempt of a delivery that may leave. It holds a slot, which it gives
// back, and publishes the result. It calls end when the result is in the log and does not
// wait for that.
func (q *channelQueue) deliver(ctx context.Context, partition int, d *output.Delivery, slots chan struct{},
	end func(done bool),
) {
	// An attempt that has begun is brought to its end even while the server stops; the
	// channel has a time limit.
	o := q.send(context.WithoutCancel(ctx), d)
	<-slots
	if q.d.config.Sent != nil {
		q.d.config.Sent(d, o)
	}
	r := plan.Result(d, o.Verdict)
	// The shard keeps both with the decision that follows.
	r.Detail, r.Reason = o.Detail, o.Reason
	q.publish(ctx, partition, []stream.Record{{Kind: stream.KindResult, Data: r.AppendTo(nil)}}, end)
}

// slot takes a slot for an attempt. If it had to wait for one, as behind a channel that
// hangs, what the shard said before may not hold any more, so it asks again. Unless the
// answer is still yes it gives the slot back and returns free = false; the caller asks
// once more and handles the answer.
func (q *channelQueue) slot(ctx context.Context, d *output.Delivery, effect uint64,
	slots chan struct{},
) (free bool, err error) {
	select {
	case slots <- struct{}{}:
		return true, nil
	default:
	}
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	may, failure := q.d.config.MaySend(ctx, d, effect)
	if free = plan.After(may, failure) == plan.Send; !free {
		<-slots
	}
	return free, nil
}

// send renders a delivery and hands it to the channel. A panic in it counts as a
// temporary failure.
func (q *channelQueue) send(ctx context.Context, d *output.Delivery) (o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			q.d.config.Logger.Error(
				"dispatch: panic in a channel",
				slog.String("channel", q.channel),
				slog.Any("panic", p),
			)
			o = Outcome{Verdict: output.Temporary, Detail: fmt.Sprintf("panic: %v", p)}
		}
	}()
	channel, err := q.d.config.Channel(q.channel)
	if err != nil {
		return permanent(err)
	}
	texts, err := q.d.config.Texts(d.Workspace, d.Campaign, d.Version, d.Step)
	if err != nil {
		return permanent(err)
	}
	rendered, failure := q.render(texts, d)
	if failure != nil {
		return *failure
	}
	return channel.Send(ctx, &Outgoing{Delivery: *d, Message: rendered})
}

// maxCrashes is how many processes may end while a message is rendered before the
// delivery is given up, as for records.
const maxCrashes = 3

// render renders the message of a delivery, or returns the outcome that says why it
// cannot be rendered.
func (q *channelQueue) render(texts []program.Field, d *output.Delivery) (rendered []program.Field, failure *Outcome) {
	var err error
	render := func() { rendered, err = q.d.renderer.Render(texts, d.Values, d.At) }
	marks := q.d.config.Rendering
	switch {
	case marks == nil:
		render()
	case marks.Crashes(d.ID) >= maxCrashes:
		return nil, &Outcome{
			Verdict: output.Permanent, Reason: output.ReasonCrash,
			Detail: fmt.Sprintf("the process ended %d times while this message was made", marks.Crashes(d.ID)),
		}
	default:
		// The message was rendered all the same; only the count of crashes could not be
		// saved.
		if err := marks.Make(d.ID, render); err != nil {
			q.d.config.Logger.Warn("dispatch: the mark of a message", slog.Any("error", err))
		}
	}
	if err != nil {
		return nil, &Outcome{Verdict: output.Permanent, Reason: message.ReasonOf(err), Detail: err.Error()}
	}
	return rendered, nil
}

// permanent returns the outcome of a delivery that cannot leave, whatever the channel
// would say.
func permanent(err error) Outcome {
	o := Outcome{Verdict: output.Permanent, Detail: err.Error()}
	// The reason tells people that it is the operator's policy and not the channel.
	var refused *egress.RefusedError
	if errors.As(err, &refused) {
		o.Reason = output.ReasonEgress
	}
	return o
}

// publish puts a result into the log, trying again until it is there or ctx ends, and
// then calls end. It does not wait.
func (q *channelQueue) publish(ctx context.Context, partition int, result []stream.Record, end func(done bool)) {
	answered := func(err error) {
		switch {
		case err == nil:
			end(true)
		// The delivery is attempted again after a restart, under the same id.
		case ctx.Err() != nil:
			end(false)
		default:
			time.AfterFunc(retryPause, func() { q.publish(ctx, partition, result, end) })
		}
	}
	if err := q.d.config.Publisher.Add(partition, result, answered); err != nil {
		answered(err)
	}
}

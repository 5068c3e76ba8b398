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

// workersPerChannel bounds the attempts of one channel at a time.
const workersPerChannel = 64

// maxInFlight bounds the deliveries of a channel that are read and not finished, each of which
// has a goroutine. A bound on batches would not do: one batch may hold thousands of deliveries.
const maxInFlight = 4096

// channelQueue is the stream of one channel and the worker that sends what is in it.
type channelQueue struct {
	d       *Dispatcher
	channel string
	stream  stream.Stream
	last    []uint64 // by partition: last effect message in the stream; only its copier uses it
}

// progress is a plan.Progress for several goroutines.
type progress struct {
	mu   sync.Mutex
	plan *plan.Progress
}

func (g *progress) complete(seq uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.plan.Complete(seq)
}

func (g *progress) skipTo(seq uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.plan.SkipTo(seq)
}

func (g *progress) position() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.plan.UpTo()
}

// run sends what is in the stream, starting with the first batch that is not known to be
// finished. Deliveries of it whose results are in the log are not sent again: the shard refuses
// them (R9).
func (q *channelQueue) run(ctx context.Context) {
	key := storage.SinkKey("send/" + q.channel)
	from := uint64(0)
	if stored, err := q.d.config.Store.Get(key); err == nil && stored != nil {
		from, _ = strconv.ParseUint(string(stored), 10, 64) // unreadable: from the start, which sends nothing twice
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
			attempts.Wait()
			pause(ctx, retryPause)
		}
	}
	attempts.Wait()
	saving.Wait()
}

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

// save keeps the position, and trims what is done.
func (q *channelQueue) save(ctx context.Context, g *progress, key []byte) {
	saved := g.position()
	for {
		pause(ctx, saveEvery)
		if at := g.position(); at > saved {
			b := new(storage.Batch)
			b.Set(key, strconv.AppendUint(nil, at, 10))
			err := q.d.config.Store.Commit(b)
			if err == nil && ctx.Err() == nil && at > 1 {
				err = q.stream.Trim(ctx, at-1) // the message at the position stays
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

// attempt makes one attempt, publishes its result and then calls end; done is false when
// nothing was decided, because ctx ended or the partition is halted: then it comes again.
// While it waits for a shard it takes no slot, so that a shard that is slow to
// answer holds up nobody else.
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

// deliver sends a delivery that may leave, in a slot, which it gives back, and publishes the
// result. It calls end when the result is in the log, which it does not wait for.
func (q *channelQueue) deliver(ctx context.Context, partition int, d *output.Delivery, slots chan struct{},
	end func(done bool),
) {
	o := q.send(context.WithoutCancel(ctx), d) // an attempt that began is ended; the channel has a time limit
	<-slots
	if q.d.config.Sent != nil {
		q.d.config.Sent(d, o)
	}
	r := plan.Result(d, o.Verdict)
	r.Detail, r.Reason = o.Detail, o.Reason
	q.publish(ctx, partition, []stream.Record{{Kind: stream.KindResult, Data: r.AppendTo(nil)}}, end)
}

// slot takes a slot. Where it had to wait for one, as behind a channel that hangs,
// what the shard said before may not hold any more, so it is asked again; unless it
// still says yes, the slot is given back and free is false: the caller asks once
// more and knows what to make of the answer.
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

// maxCrashes is how many processes may end while a message is made before it is given up, as for
// records (design R16).
const maxCrashes = 3

// render makes the message of a delivery, or says why it cannot be made.
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
		if err := marks.Make(d.ID, render); err != nil {
			q.d.config.Logger.Warn("dispatch: the mark of a message", slog.Any("error", err))
		}
	}
	if err != nil {
		return nil, &Outcome{Verdict: output.Permanent, Reason: message.ReasonOf(err), Detail: err.Error()}
	}
	return rendered, nil
}

// permanent is the outcome of a delivery that cannot leave, whatever the channel would say.
func permanent(err error) Outcome {
	o := Outcome{Verdict: output.Permanent, Detail: err.Error()}
	var refused *egress.RefusedError
	if errors.As(err, &refused) {
		o.Reason = output.ReasonEgress
	}
	return o
}

// publish puts a result into the log, trying again until it is there or ctx ends; then it
// calls end. It does not wait.
func (q *channelQueue) publish(ctx context.Context, partition int, result []stream.Record, end func(done bool)) {
	answered := func(err error) {
		switch {
		case err == nil:
			end(true)
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

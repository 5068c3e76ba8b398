package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/message"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// workersPerChannel bounds the attempts of one channel at a time.
const workersPerChannel = 64

// maxInHand bounds the deliveries of a channel that are read and not done. Parcels
// would be no bound: one may hold thousands, each with a goroutine of its own.
const maxInHand = 4096

// lane is one channel's stream and worker.
type lane struct {
	d       *Dispatcher
	channel string
	stream  stream.Stream
	last    []uint64 // by partition: last effect message in the stream; owned by its copier
}

// progress knows up to where a lane is done although attempts end in any order.
type progress struct {
	mu   sync.Mutex
	done map[uint64]bool // ended beyond upTo
	upTo uint64
}

func (g *progress) end(seq uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done[seq] = true
	for g.done[g.upTo+1] {
		delete(g.done, g.upTo+1)
		g.upTo++
	}
}

func (g *progress) position() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.upTo
}

// run sends what is in the stream, from the first parcel that is not known to be
// done; its deliveries whose results are known may not leave again (R9).
func (l *lane) run(ctx context.Context) {
	key := storage.SinkKey("send/" + l.channel)
	from := uint64(0)
	if stored, err := l.d.config.Store.Get(key); err == nil && stored != nil {
		from, _ = strconv.ParseUint(string(stored), 10, 64) // unreadable: from the start, which sends nothing twice
	}
	g := &progress{done: map[uint64]bool{}, upTo: from}
	var saving sync.WaitGroup
	saving.Go(func() { l.save(ctx, g, key) })
	slots := make(chan struct{}, workersPerChannel)
	inHand := make(chan struct{}, maxInHand)
	var attempts sync.WaitGroup
	for ctx.Err() == nil {
		if err := l.read(ctx, g, slots, inHand, &attempts); err != nil && ctx.Err() == nil {
			l.d.config.Logger.Warn("dispatch: the channel's stream is read again", slog.String("channel", l.channel),
				slog.Any("error", err))
			attempts.Wait()
			pause(ctx, retryPause)
		}
	}
	attempts.Wait()
	saving.Wait()
}

func (l *lane) read(ctx context.Context, g *progress, slots, inHand chan struct{}, attempts *sync.WaitGroup) error {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return err
	}
	if first := info.First; first > 0 && g.position()+1 < first {
		g.mu.Lock()
		g.upTo = first - 1
		g.mu.Unlock()
	}
	r, err := l.stream.Read(ctx, g.position()+1)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		m, err := r.Next(ctx)
		if err != nil {
			return err
		}
		p, err := decodeParcel(m.Data)
		if err != nil {
			return err
		}
		partition, err := strconv.Atoi(m.Lane)
		if err != nil {
			return fmt.Errorf("dispatch: lane %q: %w", m.Lane, err)
		}
		e := &errand{
			l: l, partition: partition, effect: p.effect, slots: slots, inHand: inHand, attempts: attempts,
			ended: func() { g.end(m.Seq) },
		}
		if err := e.begin(ctx, p.deliveries); err != nil {
			return err
		}
	}
}

// save keeps the position, and trims what is done.
func (l *lane) save(ctx context.Context, g *progress, key []byte) {
	saved := g.position()
	for {
		pause(ctx, saveEvery)
		if at := g.position(); at > saved {
			b := new(storage.Batch)
			b.Set(key, strconv.AppendUint(nil, at, 10))
			err := l.d.config.Store.Commit(b)
			if err == nil && ctx.Err() == nil && at > 1 {
				err = l.stream.Trim(ctx, at-1) // the message at the position stays
			}
			if err != nil && ctx.Err() == nil {
				l.d.config.Logger.Warn("dispatch: position", slog.String("channel", l.channel), slog.Any("error", err))
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
func (l *lane) attempt(ctx context.Context, partition int, effect uint64, d *campaign.Delivery,
	slots chan struct{}, end func(done bool),
) {
	for free := false; !free; {
		may, err := l.d.config.MayLeave(ctx, d, effect)
		if ctx.Err() != nil || errors.Is(err, ErrHalted) {
			end(false)
			return
		}
		if err == nil && !may {
			end(true)
			return
		}
		if err != nil {
			pause(ctx, retryPause) // the shard is behind: the delivery waits
			continue
		}
		if free, err = l.slot(ctx, d, effect, slots); err != nil {
			end(false)
			return
		}
	}
	l.leave(ctx, partition, d, slots, end)
}

// leave sends a delivery that may leave, in a slot, which it gives back, and publishes the
// result. It calls end when the result is in the log, which it does not wait for.
func (l *lane) leave(ctx context.Context, partition int, d *campaign.Delivery, slots chan struct{},
	end func(done bool),
) {
	o := l.send(context.WithoutCancel(ctx), d) // an attempt that began is ended; the channel has a time limit
	<-slots
	if l.d.config.Sent != nil {
		l.d.config.Sent(d, o)
	}
	r := campaign.Result{
		Workspace: d.Workspace, Customer: d.Customer, Delivery: d.ID, Attempt: d.Attempt, Verdict: o.Verdict,
		Detail: o.Detail, Reason: o.Reason,
	}
	l.publish(ctx, partition, []stream.Record{{Kind: stream.KindResult, Data: r.AppendTo(nil)}}, end)
}

// slot takes a slot. Where it had to wait for one, as behind a channel that hangs,
// what the shard said before may not hold any more, so it is asked again; unless it
// still says yes, the slot is given back and free is false: the caller asks once
// more and knows what to make of the answer.
func (l *lane) slot(ctx context.Context, d *campaign.Delivery, effect uint64,
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
	may, failure := l.d.config.MayLeave(ctx, d, effect)
	if failure != nil || !may {
		<-slots
	}
	return failure == nil && may, nil
}

func (l *lane) send(ctx context.Context, d *campaign.Delivery) (o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			l.d.config.Logger.Error(
				"dispatch: panic in a channel",
				slog.String("channel", l.channel),
				slog.Any("panic", p),
			)
			o = Outcome{Verdict: campaign.Temporary, Detail: fmt.Sprintf("panic: %v", p)}
		}
	}()
	channel, err := l.d.config.Channel(l.channel)
	if err != nil {
		return permanent(err)
	}
	texts, err := l.d.config.Texts(d.Workspace, d.Campaign, d.Version, d.Step)
	if err != nil {
		return permanent(err)
	}
	rendered, failure := l.render(texts, d)
	if failure != nil {
		return *failure
	}
	return channel.Send(ctx, &Outgoing{Delivery: *d, Message: rendered})
}

// maxCrashes is how many processes may end while a message is made before it is given up, as for
// records (design R16).
const maxCrashes = 3

// render makes the message of a delivery, or says why it cannot be made.
func (l *lane) render(texts []campaign.Field, d *campaign.Delivery) (rendered []campaign.Field, failure *Outcome) {
	var err error
	render := func() { rendered, err = l.d.renderer.Render(texts, d.Values, d.At) }
	marks := l.d.config.Rendering
	switch {
	case marks == nil:
		render()
	case marks.Crashes(d.ID) >= maxCrashes:
		return nil, &Outcome{
			Verdict: campaign.Permanent, Reason: campaign.ReasonCrash,
			Detail: fmt.Sprintf("the process ended %d times while this message was made", marks.Crashes(d.ID)),
		}
	default:
		if err := marks.Make(d.ID, render); err != nil {
			l.d.config.Logger.Warn("dispatch: the mark of a message", slog.Any("error", err))
		}
	}
	if err != nil {
		return nil, &Outcome{Verdict: campaign.Permanent, Reason: message.ReasonOf(err), Detail: err.Error()}
	}
	return rendered, nil
}

// permanent is the outcome of a delivery that cannot leave, whatever the channel would say.
func permanent(err error) Outcome {
	o := Outcome{Verdict: campaign.Permanent, Detail: err.Error()}
	var refused *egress.RefusedError
	if errors.As(err, &refused) {
		o.Reason = campaign.ReasonEgress
	}
	return o
}

// publish puts a result into the log, trying again until it is there or ctx ends; then it
// calls end. It does not wait.
func (l *lane) publish(ctx context.Context, partition int, result []stream.Record, end func(done bool)) {
	answered := func(err error) {
		switch {
		case err == nil:
			end(true)
		case ctx.Err() != nil:
			end(false)
		default:
			time.AfterFunc(retryPause, func() { l.publish(ctx, partition, result, end) })
		}
	}
	if err := l.d.config.Publisher.Add(partition, result, answered); err != nil {
		answered(err)
	}
}

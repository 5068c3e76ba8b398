package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// Config is what a dispatcher needs.
type Config struct {
	Log       stream.Log
	Effects   []stream.Stream // FX_<p>
	Store     storage.Store
	Publisher *stream.Publisher
	// MaySend asks the customer's shard (R9).
	MaySend func(ctx context.Context, d *output.Delivery, effect uint64) (bool, error)
	// MaySendAll asks the shard of a partition about deliveries of one batch at once; effect
	// is the last message that it has. What it does not say yes to is asked again one by
	// one; it may be nil.
	MaySendAll func(ctx context.Context, partition int, all []output.Delivery, effect uint64) []bool
	// Texts are the texts of a step's message in one version of a campaign.
	Texts func(workspace, name string, version uint32, step string) ([]program.Field, error)
	// Channel is the configured channel of that name.
	Channel func(name string) (Channel, error)
	// Rendering marks the messages that are made; nil: they are not marked.
	Rendering *storage.Rendering
	MaxBytes  int64 // of each SEND stream
	Logger    *slog.Logger
	// Sent is called after each attempt; may be nil.
	Sent func(d *output.Delivery, o Outcome)
}

// ErrHalted is what MaySend answers when the customer's partition stopped: the
// delivery stays where it is until the next start.
var ErrHalted = errors.New("dispatch: the partition is halted")

// Pauses of a dispatcher.
const (
	retryPause = 250 * time.Millisecond
	saveEvery  = time.Second
)

// Dispatcher runs the copiers and the workers. Run runs it.
type Dispatcher struct {
	config   Config
	renderer *message.Renderer
	copied   []atomic.Uint64 // by partition: effect messages copied, as saved
	names    []event.Names   // by partition: what repeats in its messages; owned by its copier

	mu      sync.Mutex
	queues  map[string]*channelQueue // by channel
	ctx     context.Context          //nolint:containedctx // of Run, for workers that start later
	started chan struct{}            // closed when ctx is set
	running sync.WaitGroup
}

// New is a dispatcher that is not running, with its positions read.
func New(c Config) (*Dispatcher, error) {
	d := &Dispatcher{
		config: c, renderer: message.NewRenderer(), copied: make([]atomic.Uint64, len(c.Effects)),
		queues: map[string]*channelQueue{}, started: make(chan struct{}),
	}
	for range c.Effects {
		d.names = append(d.names, event.Names{})
	}
	return d, d.loadPositions()
}

// Copied is the last effect message of a partition whose deliveries are in the
// SEND streams, and whose transfers are in the streams of their receivers, for good.
func (d *Dispatcher) Copied(partition int) uint64 { return d.copied[partition].Load() }

// Run copies and sends until ctx ends, then waits for the attempts under way.
func (d *Dispatcher) Run(ctx context.Context) {
	d.ctx = ctx
	close(d.started)
	for p := range d.config.Effects {
		d.running.Go(func() { d.copy(ctx, p) })
	}
	<-ctx.Done()
	d.running.Wait()
}

// Ensure starts the worker of a channel, so that what was left in its stream by
// an earlier run is sent although nothing new comes.
func (d *Dispatcher) Ensure(ctx context.Context, channel string) error {
	_, err := d.queue(ctx, channel)
	return err
}

// queue is the stream and the worker of a channel, started when it is first used.
func (d *Dispatcher) queue(ctx context.Context, channel string) (*channelQueue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q, ok := d.queues[channel]; ok {
		return q, nil
	}
	names := make([]string, len(d.config.Effects))
	for p := range names {
		names[p] = strconv.Itoa(p)
	}
	s, err := d.config.Log.Open(
		ctx,
		stream.SendStream(channel),
		stream.Options{MaxBytes: d.config.MaxBytes, Subjects: names},
	)
	if err != nil {
		return nil, err
	}
	q := &channelQueue{d: d, channel: channel, stream: s, last: make([]uint64, len(names))}
	for p, name := range names {
		m, err := s.Last(ctx, name)
		if errors.Is(err, stream.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sent, err := decodeSendBatch(m.Data)
		if err != nil {
			return nil, err
		}
		q.last[p] = sent.effect
	}
	d.queues[channel] = q
	d.running.Go(func() {
		<-d.started
		q.run(d.ctx)
	})
	return q, nil
}

// loadPositions reads up to where each partition was copied.
func (d *Dispatcher) loadPositions() error {
	for p := range d.copied {
		n, err := CopiedTo(d.config.Store, p)
		if err != nil {
			return err
		}
		d.copied[p].Store(n)
	}
	return nil
}

// CopiedTo is the last effect message of a partition whose deliveries are in the
// SEND streams, as the store knows it.
func CopiedTo(store storage.Store, p int) (uint64, error) {
	stored, err := store.Get(copyKey(p))
	if err != nil || stored == nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(stored), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("dispatch: position of partition %d: %w", p, err)
	}
	return n, nil
}

func copyKey(p int) []byte { return storage.SinkKey(fmt.Sprintf("copy/%d", p)) }

func (d *Dispatcher) savePosition(p int, n uint64, key []byte) {
	if n == d.copied[p].Load() {
		return
	}
	b := new(storage.Batch)
	b.Set(key, strconv.AppendUint(nil, n, 10))
	if err := d.config.Store.Commit(b); err != nil {
		d.config.Logger.Error("dispatch: position", slog.Any("error", err))
		return
	}
	d.copied[p].Store(n)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

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

// Config describes a dispatcher. Its functions are called concurrently.
type Config struct {
	Log stream.Log
	// Effects are the streams FX_<p>, in order of the partitions.
	Effects []stream.Stream
	// Store keeps the positions of copiers and workers.
	Store storage.Store
	// Publisher takes results and transfers into the logs.
	Publisher *stream.Publisher
	// MaySend asks the customer's shard whether an attempt of a delivery may be made now.
	// effect is the last effect message that the delivery's batch has; until the shard
	// has come to it, the answer is an error. ErrHalted means that the partition has
	// stopped.
	MaySend func(ctx context.Context, d *output.Delivery, effect uint64) (bool, error)
	// MaySendAll asks the shard of a partition about several deliveries of one batch at
	// once. What is false in the answer is asked again with MaySend; nil means no answer.
	// The function may be nil, then every delivery is asked about by itself.
	MaySendAll func(ctx context.Context, partition int, all []output.Delivery, effect uint64) []bool
	// Texts returns the texts of a step's message in one version of a campaign.
	Texts func(workspace, name string, version uint32, step string) ([]program.Field, error)
	// Channel returns the configured channel of a name.
	Channel func(name string) (Channel, error)
	// Rendering marks the messages that are being rendered; with nil they are not marked.
	Rendering *storage.Rendering
	// MaxBytes is the size limit of each SEND stream. A full one stops the copiers until
	// its channel has caught up.
	MaxBytes int64
	Logger   *slog.Logger
	// Sent is called after each attempt, for metrics; it may be nil.
	Sent func(d *output.Delivery, o Outcome)
}

// ErrHalted is what MaySend returns when the customer's partition has stopped. The
// delivery stays in its stream until the next start.
var ErrHalted = errors.New("dispatch: the partition is halted")

// How long a dispatcher waits before it does something again.
const (
	retryPause = 250 * time.Millisecond // before something that failed is tried again
	saveEvery  = time.Second            // between two saves of a position; a restart repeats that much
)

// Dispatcher runs a copier for each partition and a worker for each channel. Call Run
// once; the other methods may be called concurrently.
type Dispatcher struct {
	config   Config
	renderer *message.Renderer
	// copied is, by partition, the last effect message up to which all is copied, as
	// saved.
	copied []atomic.Uint64
	// names are, by partition, strings that its messages repeat. The copier of a
	// partition uses its element alone.
	names []event.Names

	mu     sync.Mutex
	queues map[string]*channelQueue // by channel
	// ctx is the context of Run, for workers that start later; it must be read after started is
	// closed only.
	ctx     context.Context //nolint:containedctx // of Run, for workers that start later
	started chan struct{}
	running sync.WaitGroup
}

// New returns a dispatcher that is not running, with its positions read from the store.
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

// Copied returns the last effect message of a partition up to which all deliveries are in
// the SEND streams and all transfers in the streams of their receivers, for good. The
// effect stream may be trimmed up to there.
func (d *Dispatcher) Copied(partition int) uint64 { return d.copied[partition].Load() }

// Run copies and sends until ctx ends, and then waits for the attempts under way.
func (d *Dispatcher) Run(ctx context.Context) {
	d.ctx = ctx
	close(d.started)
	for p := range d.config.Effects {
		d.running.Go(func() { d.copy(ctx, p) })
	}
	<-ctx.Done()
	d.running.Wait()
}

// Ensure starts the worker of a channel, so that what an earlier run left in its stream
// is sent even if nothing new comes.
func (d *Dispatcher) Ensure(ctx context.Context, channel string) error {
	_, err := d.queue(ctx, channel)
	return err
}

// queue returns the stream and worker of a channel, made when it is first used. It reads
// from the last message of each partition's subject up to where that partition was copied
// into the stream: so after a crash nothing is copied twice, although the saved position
// may be older.
func (d *Dispatcher) queue(ctx context.Context, channel string) (*channelQueue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q, ok := d.queues[channel]; ok {
		return q, nil
	}
	// The subject of a partition is its number.
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
		// Run may not have been called yet.
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

// CopiedTo returns the last effect message of a partition that was copied, as the store
// knows it; 0 if none was. Tools ask it while no dispatcher runs.
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

// copyKey returns the key of a partition's position in the store.
func copyKey(p int) []byte { return storage.SinkKey(fmt.Sprintf("copy/%d", p)) }

// savePosition saves that partition p is copied up to effect message n. If that fails it
// is logged only: an older position is harmless.
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
	// Only what is durable counts: the effect stream may be trimmed up to it.
	d.copied[p].Store(n)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

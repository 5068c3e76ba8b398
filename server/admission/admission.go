// Package admission decides whether a partition takes events, so that the log never fails for
// want of space: events are refused, with an answer that says why, while there is still room
// for ticks, results of sends and control records. Package server makes the one [Guard] of a
// node; ingest asks it before each request for events.
package admission

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/internal/units"
	"github.com/nudge-engine/nudge/stream"
)

const (
	// checkEvery is how often disk and log are looked at. At the highest rate of events that
	// one node takes, little is written in so short a time, compared with min_free and with
	// the share that is kept free in the log.
	checkEvery = 250 * time.Millisecond
	// sheddingShare is how full an event or effect stream may be before events get 503. What
	// is left is for ticks, results and control records, without which the shards could not
	// work off what is there and make room again.
	sheddingShare = 0.8
	// maxUnhealthy is how many times in a row the embedded log may be unhealthy, or give no
	// answer within answerLimit, before the server ends: after a write error during a trim
	// nats-server 2.15.2 can wait for itself, and only a restart helps. Once is not enough,
	// not even for a refusal: a stream that is being made, as the one of a channel at its
	// first message, has its directory before it is known, and is reported as lost meanwhile
	// ("could not be recovered").
	maxUnhealthy = 3
	answerLimit  = 3 * time.Second
)

// errFull refuses events of a partition whose log is filling up. Clients see its text.
var errFull = fmt.Errorf("%w: the log is over 80 %% of its size; the sinks are behind", stream.ErrFull)

// Config is what a [Guard] looks at. All fields are required.
type Config struct {
	Events, Effects []stream.Stream                 // by partition
	Halted          func(partition int) error       // why a partition has stopped; nil while it runs
	Healthy         func(ctx context.Context) error // asks the log how it is
	DataDir         string                          // on the file system whose free space counts
	MinFree         units.Size                      // free space below which no partition takes events
	Logger          *slog.Logger
	// Dead is called when the log has been unhealthy several times in a row, each time it is
	// found so again. It must not block.
	Dead func(error)
}

// Guard watches the disk and the log, four times a second while Run runs, and remembers for
// each partition why it refuses events. Admit is safe for concurrent use; Run is for one
// goroutine.
type Guard struct {
	config Config
	// refusal has for each partition why it takes no events; nil while it does. Run writes it
	// and Admit reads it, for each request without a lock.
	refusal []atomic.Pointer[error]
	// unhealthy counts the answers of the log in a row that were not good. Only Run uses it.
	unhealthy int
}

// New makes a guard that refuses nothing until Run has looked for the first time.
func New(config Config) *Guard {
	return &Guard{config: config, refusal: make([]atomic.Pointer[error], len(config.Events))}
}

// Admit returns nil when a partition takes events now, otherwise why it does not. The error
// wraps [stream.ErrFull] or [ingest.ErrDisk] when space is short; other errors mean that the
// partition has halted or that disk or log gave no good answer.
func (g *Guard) Admit(partition int) error {
	if err := g.config.Halted(partition); err != nil {
		return err
	}
	if err := g.refusal[partition].Load(); err != nil {
		return *err
	}
	return nil
}

// Run looks at once and then every checkEvery, until ctx ends. What concerns the whole node,
// disk and health of the log, refuses events of all partitions; otherwise each partition is
// judged by its own streams.
func (g *Guard) Run(ctx context.Context) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		all := g.checkNode(ctx)
		for p := range g.refusal {
			err := all
			if err == nil {
				err = g.checkPartition(ctx, p)
			}
			if ctx.Err() != nil {
				return // what failed then says nothing about the log
			}
			g.set(p, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// set stores the answer for partition p: err, or that it takes events. It logs only when that
// changes, since Run repeats it four times a second.
func (g *Guard) set(p int, err error) {
	old := g.refusal[p].Load()
	if (old == nil) != (err == nil) {
		g.config.Logger.Warn("guard: the door changes", slog.Int("partition", p), slog.Any("refusal", err))
	}
	if err == nil {
		g.refusal[p].Store(nil)
		return
	}
	g.refusal[p].Store(&err)
}

// checkNode checks what concerns all partitions: the free space of the disk and the health of
// the log. It calls Dead from the third bad answer in a row on.
func (g *Guard) checkNode(ctx context.Context) error {
	free, err := freeDisk(g.config.DataDir)
	if err != nil {
		return err
	}
	if free < g.config.MinFree {
		return fmt.Errorf("%w: %v are free, %v are wanted (min_free)", ingest.ErrDisk, free, g.config.MinFree)
	}
	limited, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	err = g.config.Healthy(limited)
	if err == nil {
		g.unhealthy = 0
		return nil
	}
	if g.unhealthy++; g.unhealthy == 1 {
		// A stream that is being made is reported as lost; a real failure is there at the next
		// look too.
		return nil
	}
	if g.unhealthy >= maxUnhealthy && ctx.Err() == nil {
		g.config.Dead(err)
	}
	return err
}

// checkPartition returns errFull when one of the two streams of a partition is over
// sheddingShare of its size, or the error of asking.
func (g *Guard) checkPartition(ctx context.Context, p int) error {
	info, err := g.config.Events[p].Info(ctx)
	if err != nil {
		return err
	}
	if float64(info.Bytes) > sheddingShare*float64(info.MaxBytes) {
		return errFull
	}
	effects, err := g.config.Effects[p].Info(ctx)
	if err != nil {
		return err
	}
	if float64(effects.Bytes) > sheddingShare*float64(effects.MaxBytes) {
		return errFull
	}
	return nil
}

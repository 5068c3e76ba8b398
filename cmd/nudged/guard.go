package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/stream"
)

const (
	guardEvery = 250 * time.Millisecond
	// sheddingShare is how full an event stream may be before events get 503; what
	// is left is for ticks, results and control records (R11).
	sheddingShare = 0.8
	// maxSilence is how many times in a row the embedded log may be unhealthy, or give
	// no answer within answerLimit, before the server ends: after a write error during a
	// trim nats-server 2.15.2 can wait for itself, and only a restart helps. Once is not
	// enough, not even for a refusal: a stream that is being made, as the one of a channel
	// at its first message, has its directory before it is known, and is then said to be
	// lost ("could not be recovered").
	maxSilence  = 3
	answerLimit = 3 * time.Second
)

var errFull = fmt.Errorf("%w: the log is over 80 %% of its size; the sinks are behind", stream.ErrFull)

// guard looks at what could make the log fail and closes the door before it does.
type guard struct {
	n       *node
	refusal []atomic.Pointer[error] // by partition
	silence int                     // questions in a row that the log did not answer well
}

func newGuard(n *node) *guard {
	return &guard{n: n, refusal: make([]atomic.Pointer[error], len(n.events))}
}

// admit says why a partition takes no events now.
func (g *guard) admit(partition int) error {
	if err := g.n.engine.Halted(partition); err != nil {
		return err
	}
	if err := g.refusal[partition].Load(); err != nil {
		return *err
	}
	return nil
}

func (g *guard) run(ctx context.Context) {
	ticker := time.NewTicker(guardEvery)
	defer ticker.Stop()
	for {
		all := g.node(ctx)
		for p := range g.refusal {
			err := all
			if err == nil {
				err = g.partition(ctx, p)
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

func (g *guard) set(p int, err error) {
	old := g.refusal[p].Load()
	if (old == nil) != (err == nil) {
		g.n.log.Warn("guard: the door changes", slog.Int("partition", p), slog.Any("refusal", err))
	}
	if err == nil {
		g.refusal[p].Store(nil)
		return
	}
	g.refusal[p].Store(&err)
}

// node checks what concerns all partitions.
func (g *guard) node(ctx context.Context) error {
	free, err := freeDisk(g.n.config.DataDir)
	if err != nil {
		return err
	}
	if free < g.n.config.MinFree {
		return fmt.Errorf("%w: %v are free, %v are wanted (min_free)", ingest.ErrDisk, free, g.n.config.MinFree)
	}
	limited, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	err = g.n.logStore.Healthy(limited)
	if err == nil {
		g.silence = 0
		return nil
	}
	if g.silence++; g.silence == 1 {
		return nil // a stream that is being made is said to be lost; what fails comes again
	}
	g.unhealthy(ctx, err)
	return err
}

// unhealthy ends a server whose embedded log cannot go on: it does not recover from
// a write error, but a restart does. A log elsewhere may come back.
func (g *guard) unhealthy(ctx context.Context, err error) {
	if g.n.config.NatsURL != "" || ctx.Err() != nil {
		return
	}
	if g.silence < maxSilence {
		return
	}
	select {
	case g.n.failed <- err:
	default:
	}
}

func (g *guard) partition(ctx context.Context, p int) error {
	info, err := g.n.events[p].Info(ctx)
	if err != nil {
		return err
	}
	if float64(info.Bytes) > sheddingShare*float64(info.MaxBytes) {
		return errFull
	}
	effects, err := g.n.effects[p].Info(ctx)
	if err != nil {
		return err
	}
	if float64(effects.Bytes) > sheddingShare*float64(effects.MaxBytes) {
		return errFull
	}
	return nil
}

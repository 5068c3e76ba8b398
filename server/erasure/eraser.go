// Package erasure erases customers: from the state, from the rows and, as time passes, from
// the log. What stays is a receipt under a keyed hash, and a record in the log that drops
// later events of the same customer. An erasure is a job that is stored before anything is
// done, and each of its steps can be repeated, so a crash at any place only means that a step
// is done twice.
//
// Reading order: job.go says what is stored, eraser.go takes requests and runs the jobs,
// steps.go carries one out.
package erasure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// retryAfter is the pause after a failure. The causes, a halted partition or a ClickHouse that
// is away, last longer than this, and other jobs have their turn meanwhile.
const retryAfter = 5 * time.Second

// Config is what an [Eraser] works on. All fields are required.
type Config struct {
	Engine     *actors.Engine
	Publisher  *stream.Publisher
	Writer     *warehouse.Writer // says how far rows are written
	Warehouse  *warehouse.ClickHouse
	Store      storage.Store // keeps the jobs and the receipts
	Partitions int
	Workspace  string
	// Key is the key of the hashes; all servers of one log need the same.
	Key []byte
	// Retention is how long the log keeps events; after so long it has none of the customer's.
	Retention time.Duration
	Logger    *slog.Logger
}

// MergedError says that a customer merged into another one, who can be erased instead. The
// state of the two is one, so the part of an anonymous customer alone cannot be erased.
type MergedError struct{ Customer, Into string }

// Error names both customers.
func (e *MergedError) Error() string {
	return fmt.Sprintf("%s became %s: erase that customer", e.Customer, e.Into)
}

// Eraser carries out erasures, one after the other, also over restarts. Receipt and Request
// are safe for concurrent use; Run is for one goroutine.
type Eraser struct {
	config Config
	// mu guards open. Request holds it from its look for an earlier request until the new one
	// is stored, so that two requests for a customer make one job.
	mu sync.Mutex
	// open are the jobs that are not done: those of earlier processes in the order of their
	// hashes, then new ones as they come. A job that is being carried out is the first, and
	// only Run may read or change it.
	open []*job
	// wake tells Run that there is work; it has room for one signal.
	wake chan struct{}
}

// Open makes an eraser and finds the erasures that were not done at the last stop;
// [Eraser.Run] goes on with them. An error is the store's.
func Open(config Config) (*Eraser, error) {
	e := &Eraser{config: config, wake: make(chan struct{}, 1)}
	err := e.loadOpen()
	e.wake <- struct{}{}
	return e, err
}

// hash returns the keyed hash of a customer's id, as hexadecimal text. It names the job, so
// that a receipt can be found by somebody who knows the id, and by nobody else.
func (e *Eraser) hash(customer string) string {
	return erase.HashOf(e.config.Key, e.config.Workspace, customer).String()
}

// Receipt returns how far a customer's erasure is; nil when nobody asked for one. An error is
// the store's.
func (e *Eraser) Receipt(customer string) (*Receipt, error) {
	j, err := e.load(e.hash(customer))
	if err != nil || j == nil {
		return nil, err
	}
	return &j.Receipt, nil
}

// Request asks for a customer to be erased, with the anonymous customers who merged into them.
// The receipt says how far that is; a second request returns the receipt of the first. The
// error is a [*MergedError] for a customer who merged into another one. After other errors the
// request may be repeated.
func (e *Eraser) Request(ctx context.Context, customer string) (*Receipt, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known, err := e.Receipt(customer); err != nil || known != nil {
		return known, err
	}
	// A customer without a view can be erased too: no event was seen, and later ones are
	// dropped.
	view, err := e.config.Engine.View(ctx, e.config.Workspace, customer)
	if err != nil {
		return nil, err
	}
	j := &job{
		Receipt:   Receipt{Hash: e.hash(customer), Requested: time.Now().UTC(), Unknown: view == nil},
		Workspace: e.config.Workspace, Customers: []string{customer},
	}
	if view != nil && view.MergedInto != "" {
		gone, _, _, err := e.config.Engine.Erased(ctx, e.config.Workspace, view.MergedInto)
		if err != nil {
			return nil, err
		}
		// Had the other one been erased before the merge, this one would be all that is left.
		if !gone {
			return nil, &MergedError{Customer: customer, Into: view.MergedInto}
		}
	}
	if view != nil {
		j.Customers = append(j.Customers, view.MergedFrom...)
	}
	if err := e.save(j); err != nil {
		return nil, err
	}
	// It is a copy: once the lock is released, the job belongs to Run.
	given := j.Receipt
	e.open = append(e.open, j)
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return &given, nil
}

// Run carries out the erasures until ctx ends. A job that fails goes behind the others.
func (e *Eraser) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		}
		for ctx.Err() == nil {
			e.mu.Lock()
			var next *job
			if len(e.open) > 0 {
				next = e.open[0]
			}
			e.mu.Unlock()
			if next == nil {
				break
			}
			e.carryOut(ctx, next)
		}
	}
}

// carryOut carries out the first job of e.open. In the end the job is done, and its receipt no
// longer says who it was about, or it has failed and is queued behind the others. When ctx
// ends it stays as it was stored last.
func (e *Eraser) carryOut(ctx context.Context, j *job) {
	err := e.steps(ctx, j)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		now := time.Now().UTC()
		// Events older than the retention leave the log by themselves.
		gone := now.Add(e.config.Retention)
		j.Done, j.Failure, j.LogGoneBy = true, "", &gone
		j.Workspace, j.Customers, j.Places = "", nil, nil
		err = e.save(j)
	} else {
		j.Failure = err.Error()
		err = errors.Join(err, e.save(j))
	}
	e.mu.Lock()
	e.open = e.open[1:]
	if err != nil {
		e.open = append(e.open, j)
	}
	e.mu.Unlock()
	if err != nil {
		e.config.Logger.Warn("erasure: it is tried again", slog.String("hash", j.Hash), slog.Any("error", err))
		pause(ctx, retryAfter)
	}
}

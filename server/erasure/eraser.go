// Package erasure erases customers: from the state, from the rows and, as time passes, from
// the log. What stays is a receipt under a keyed hash, and a record in the log that drops
// later events of the same customer.
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

// retryAfter is the pause after a failure.
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
	Key        []byte        // of the hashes
	Retention  time.Duration // after so long the log has none of the customer's records
	Logger     *slog.Logger
}

// MergedError says that a customer became another one, who can be erased instead.
type MergedError struct{ Customer, Into string }

func (e *MergedError) Error() string {
	return fmt.Sprintf("%s became %s: erase that customer", e.Customer, e.Into)
}

// Eraser carries out erasures, one after the other, also over restarts. It is safe for
// concurrent use.
type Eraser struct {
	config Config
	mu     sync.Mutex
	open   []*job // oldest first; the first one belongs to Run while it is carried out
	wake   chan struct{}
}

// Open makes an eraser and finds the erasures that were not done at the last stop; Run goes
// on with them. An error is the store's.
func Open(config Config) (*Eraser, error) {
	e := &Eraser{config: config, wake: make(chan struct{}, 1)}
	err := e.loadOpen()
	e.wake <- struct{}{}
	return e, err
}

func (e *Eraser) hash(customer string) string {
	return erase.HashOf(e.config.Key, e.config.Workspace, customer).String()
}

// Receipt returns how far a customer's erasure is, nil when nobody asked for one. An error is
// the store's.
func (e *Eraser) Receipt(customer string) (*Receipt, error) {
	j, err := e.load(e.hash(customer))
	if err != nil || j == nil {
		return nil, err
	}
	return &j.Receipt, nil
}

// Request asks for a customer to be erased; the receipt says how far that is, also when it was
// asked for before. The error is a [*MergedError] for a customer who became another one; others
// mean that the request may be repeated.
func (e *Eraser) Request(ctx context.Context, customer string) (*Receipt, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known, err := e.Receipt(customer); err != nil || known != nil {
		return known, err
	}
	view, err := e.config.Engine.View(ctx, e.config.Workspace, customer)
	if err != nil {
		return nil, err
	}
	j := &job{
		Receipt:   Receipt{Hash: e.hash(customer), Requested: time.Now().UTC()},
		Workspace: e.config.Workspace, Customers: []string{customer},
	}
	if view != nil && view.MergedInto != "" {
		gone, _, _, err := e.config.Engine.Erased(ctx, e.config.Workspace, view.MergedInto)
		if err != nil {
			return nil, err
		}
		if !gone { // else that erasure was before the merge, and only this one is left
			return nil, &MergedError{Customer: customer, Into: view.MergedInto}
		}
	}
	if view != nil {
		j.Customers = append(j.Customers, view.MergedFrom...)
	}
	if err := e.save(j); err != nil {
		return nil, err
	}
	given := j.Receipt
	e.open = append(e.open, j)
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return &given, nil
}

// Run carries out the erasures until ctx ends.
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

// carryOut ends with the job done, or failed and queued behind the others.
func (e *Eraser) carryOut(ctx context.Context, j *job) {
	err := e.steps(ctx, j)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		now := time.Now().UTC()
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

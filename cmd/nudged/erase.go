package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// Pauses and limits of erasures.
const (
	eraseEvery = 200 * time.Millisecond // how often an open erasure looks how far the stores are
	eraseRetry = 5 * time.Second        // after a failure
	eraseLimit = 5 * time.Minute        // of the deletes of one erasure
	eraseSlow  = 10 * time.Second       // without progress, and the log says what is waited for
	// checkpointsKept is how long the two older checkpoints of the state may be around.
	checkpointsKept = 30 * time.Minute
)

// erasure is the job and the receipt of one erased customer, by store. Times are when it
// was done; before, they are missing.
type erasure struct {
	Hash      string     `json:"hash"` // keyed; what stays of the customer
	Requested time.Time  `json:"requested"`
	Recorded  *time.Time `json:"recorded,omitempty"` // from then on nothing is sent and events are dropped
	// StateRemoved is when the state was taken out of the store, and its older checkpoints
	// are gone by StateCopiesGoneBy.
	StateRemoved      *time.Time `json:"state_removed,omitempty"`
	StateCopiesGoneBy *time.Time `json:"state_copies_gone_by,omitempty"`
	RowsDeleted       *time.Time `json:"rows_deleted,omitempty"` // from ClickHouse
	LogGoneBy         *time.Time `json:"log_gone_by,omitempty"`  // by the retention of the log
	Done              bool       `json:"done"`
	Failure           string     `json:"failure,omitempty"` // why the last try did not succeed; it is tried again

	// Until it is done, who it is about; then empty.
	Workspace string   `json:"workspace,omitempty"`
	Customers []string `json:"customers,omitempty"` // and the anonymous ones who merged into them
	Places    []place  `json:"places,omitempty"`    // where the log has the records, and what they led to
}

// place is how far a partition must be.
type place struct {
	Partition int    `json:"partition"`
	Seq       uint64 `json:"seq"`
	Effect    uint64 `json:"effect"`
}

// eraser carries erasures through, one after the other, also over restarts.
type eraser struct {
	n    *node
	mu   sync.Mutex
	open []*erasure // oldest first
	wake chan struct{}
}

func eraseJobKey(hash string) []byte { return storage.SinkKey("erase/" + hash) }

// newEraser finds the erasures that were not done at the last stop.
func newEraser(n *node) (*eraser, error) {
	e := &eraser{n: n, wake: make(chan struct{}, 1)}
	err := n.store.Scan(storage.SinkKey("erase/"), func(_, value []byte) error {
		job := new(erasure)
		if err := json.Unmarshal(value, job); err != nil {
			return fmt.Errorf("erasure: %w", err)
		}
		if !job.Done {
			e.open = append(e.open, job)
		}
		return nil
	})
	e.wake <- struct{}{}
	return e, err
}

func (e *eraser) save(job *erasure) error {
	text, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	b := new(storage.Batch)
	b.Set(eraseJobKey(job.Hash), text)
	return e.n.store.Commit(b)
}

// receipt is what is known of a customer's erasure, nil when nobody asked for one.
func (e *eraser) receipt(customer string) (*erasure, error) {
	hash := actors.HashErased(e.n.keys.erase, workspaceName, customer)
	value, err := e.n.store.Get(eraseJobKey(hash.String()))
	if err != nil || value == nil {
		return nil, err
	}
	job := new(erasure)
	if err := json.Unmarshal(value, job); err != nil {
		return nil, fmt.Errorf("erasure: %w", err)
	}
	return job, nil
}

// request puts an erasure on its way; one that is known is given as it stands.
func (e *eraser) request(ctx context.Context, customer string) (*erasure, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if job, err := e.receipt(customer); err != nil || job != nil {
		return job, err
	}
	view, err := e.n.engine.View(ctx, workspaceName, customer)
	if err != nil {
		return nil, err
	}
	job := &erasure{
		Hash:      actors.HashErased(e.n.keys.erase, workspaceName, customer).String(),
		Requested: time.Now().UTC(), Workspace: workspaceName, Customers: []string{customer},
	}
	if view != nil && view.MergedInto != "" {
		gone, _, _, err := e.n.engine.Erased(ctx, workspaceName, view.MergedInto)
		if err != nil {
			return nil, err
		}
		if !gone { // else that erasure was before the merge, and only this one is left
			return nil, adminError{http.StatusConflict, fmt.Errorf("%s became %s: erase that customer", customer,
				view.MergedInto)}
		}
	}
	if view != nil {
		job.Customers = append(job.Customers, view.MergedFrom...)
	}
	if err := e.save(job); err != nil {
		return nil, err
	}
	given := *job
	e.open = append(e.open, job)
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return &given, nil
}

// run carries the erasures through until ctx ends.
func (e *eraser) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		}
		for ctx.Err() == nil {
			e.mu.Lock()
			var job *erasure
			if len(e.open) > 0 {
				job = e.open[0]
			}
			e.mu.Unlock()
			if job == nil {
				break
			}
			e.carry(ctx, job)
		}
	}
}

// carry takes one erasure to its next rest: done, or failed and put behind the others.
func (e *eraser) carry(ctx context.Context, job *erasure) {
	err := e.steps(ctx, job)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		now := time.Now().UTC()
		gone := now.Add(e.n.config.Retention)
		job.Done, job.Failure, job.LogGoneBy = true, "", &gone
		job.Workspace, job.Customers, job.Places = "", nil, nil
		err = e.save(job)
	} else {
		job.Failure = err.Error()
		err = errors.Join(err, e.save(job))
	}
	e.mu.Lock()
	e.open = e.open[1:]
	if err != nil {
		e.open = append(e.open, job)
	}
	e.mu.Unlock()
	if err != nil {
		e.n.log.Warn("erasure: it is tried again", slog.String("hash", job.Hash), slog.Any("error", err))
		rest(ctx, eraseRetry)
	}
}

// steps does what is left of an erasure: record, state, rows. Each can be done again.
func (e *eraser) steps(ctx context.Context, job *erasure) error {
	if job.Recorded == nil {
		if err := e.record(ctx, job); err != nil {
			return err
		}
	}
	if err := e.until(ctx, job, "a snapshot without the customer", func(p place) bool {
		return e.n.engine.SavedSeq(p.Partition) >= p.Seq
	}); err != nil {
		return err
	}
	if job.StateRemoved == nil {
		now := time.Now().UTC()
		gone := now.Add(checkpointsKept)
		job.StateRemoved, job.StateCopiesGoneBy = &now, &gone
		if err := e.save(job); err != nil {
			return err
		}
	}
	if err := e.until(ctx, job, "the customer's last rows in ClickHouse", func(p place) bool {
		return e.n.writer.Position(p.Partition) >= p.Seq && e.n.writer.EffectPosition(p.Partition) >= p.Effect
	}); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, eraseLimit)
	defer cancel()
	if err := e.n.warehouse.Erase(limited, job.Workspace, job.Customers); err != nil {
		return err
	}
	now := time.Now().UTC()
	job.RowsDeleted = &now
	return nil
}

// record writes the erase records and waits until the shards have applied them.
func (e *eraser) record(ctx context.Context, job *erasure) error {
	job.Places = nil
	for _, customer := range job.Customers {
		r := actors.Erase{Workspace: job.Workspace, Customer: customer, Key: actors.EraseFingerprint(e.n.keys.erase)}
		p := stream.PartitionOf(job.Workspace, customer, len(e.n.events))
		written := make(chan error, 1)
		record := []stream.Record{{Kind: stream.KindErase, Data: r.AppendTo(nil)}}
		if err := e.n.publisher.Add(p, record, func(err error) { written <- err }); err != nil {
			return err
		}
		select {
		case err := <-written:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		at, err := e.applied(ctx, job.Workspace, customer)
		if err != nil {
			return err
		}
		at.Partition = p
		job.Places = append(job.Places, at)
	}
	now := time.Now().UTC()
	job.Recorded = &now
	return e.save(job)
}

// applied waits until a customer is erased in their shard, and says where its log is then.
func (e *eraser) applied(ctx context.Context, workspace, customer string) (at place, err error) {
	for {
		var is bool
		if is, at.Seq, at.Effect, err = e.n.engine.Erased(ctx, workspace, customer); err != nil || is {
			return at, err
		}
		if !rest(ctx, eraseEvery) {
			return at, context.Cause(ctx)
		}
	}
}

// until waits until something holds in every place of an erasure, and says from time to
// time what it waits for. A halted partition makes it fail, so that it is tried again later
// and others go on.
func (e *eraser) until(ctx context.Context, job *erasure, what string, holds func(place) bool) error {
	started := time.Now()
	said := started
	for _, p := range job.Places {
		for !holds(p) {
			if err := e.n.engine.Halted(p.Partition); err != nil {
				return err
			}
			if time.Since(said) >= eraseSlow {
				said = time.Now()
				e.n.log.Warn("erasure: it waits", slog.String("hash", job.Hash), slog.String("for", what),
					slog.Duration("since", said.Sub(started).Round(time.Second)), slog.Int("partition", p.Partition),
					slog.Uint64("frame", p.Seq), slog.Uint64("effect", p.Effect),
					slog.Uint64("snapshot", e.n.engine.SavedSeq(p.Partition)),
					slog.Uint64("rows_of_frames", e.n.writer.Position(p.Partition)),
					slog.Uint64("rows_of_effects", e.n.writer.EffectPosition(p.Partition)))
			}
			if !rest(ctx, eraseEvery) {
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// rest pauses; it says false when ctx ended.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (n *node) adminErase(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	job, err := n.eraser.request(r.Context(), id)
	var answer adminError
	switch {
	case errors.As(err, &answer):
		return answer
	case err != nil:
		return adminError{http.StatusServiceUnavailable, err}
	}
	writeJSON(w, http.StatusAccepted, job.public())
	return nil
}

func (n *node) adminErasure(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	job, err := n.eraser.receipt(id)
	if err != nil {
		return adminError{http.StatusServiceUnavailable, err}
	}
	if job == nil {
		return adminError{http.StatusNotFound, errors.New("nobody asked to erase this customer")}
	}
	writeJSON(w, http.StatusOK, job.public())
	return nil
}

// public is the receipt without the job.
func (job *erasure) public() *erasure {
	shown := *job
	shown.Workspace, shown.Customers, shown.Places = "", nil, nil
	return &shown
}

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

const (
	// attempts of a group that some other transaction stored a part of.
	attempts = 3
	// uniqueViolation is PostgreSQL's code for a key that is there already.
	uniqueViolation = "23505"
)

var (
	errClosed  = errors.New("the service is stopping; send the batch again")
	errTooMany = errors.New("batch: parts of it are being stored by others; send it again")
)

// store writes what waits in one transaction: events, jobs and cancellations.
type store struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
	group  int

	mu      sync.RWMutex // add beside add, but not beside close
	closed  bool
	waiting chan request
	writers sync.WaitGroup
}

type request struct {
	events []event
	stored chan error
}

func newStore(pool *pgxpool.Pool, client *river.Client[pgx.Tx], t tuning) *store {
	s := &store{pool: pool, client: client, group: t.group, waiting: make(chan request, 1024)}
	for range t.writers {
		s.writers.Go(s.write)
	}
	return s
}

// add returns when the events are committed.
func (s *store) add(events []event) error {
	r := request{events: events, stored: make(chan error, 1)}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return errClosed
	}
	s.waiting <- r
	s.mu.RUnlock()
	return <-r.stored
}

// close ends the writers when all that waits is stored.
func (s *store) close() {
	s.mu.Lock()
	s.closed = true
	close(s.waiting)
	s.mu.Unlock()
	s.writers.Wait()
}

// write stores groups until the store is closed. A group is what came while the last
// one was stored, so it grows with the load.
func (s *store) write() {
	for r := range s.waiting {
		group := []request{r}
		events := append([]event(nil), r.events...)
	gather:
		for len(events) < s.group {
			select {
			case r, ok := <-s.waiting:
				if !ok {
					break gather
				}
				group, events = append(group, r), append(events, r.events...)
			default:
				break gather
			}
		}
		err := s.commit(context.Background(), events)
		for _, r := range group {
			r.stored <- err
		}
	}
}

// commit stores a group. Only when a key is there already, it looks which.
func (s *store) commit(ctx context.Context, events []event) error {
	for range attempts {
		err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.insert(ctx, tx, events) })
		var failure *pgconn.PgError
		if !errors.As(err, &failure) || failure.Code != uniqueViolation {
			return err
		}
		if events, err = s.unknown(ctx, events); err != nil {
			return err
		}
	}
	return errTooMany
}

func (s *store) insert(ctx context.Context, tx pgx.Tx, events []event) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"events"}, []string{"message_id", "customer", "name", "at", "data"},
		pgx.CopyFromSlice(len(events), func(i int) ([]any, error) {
			e := &events[i]
			return []any{e.id, e.customer, e.name, e.at, e.data}, nil
		}))
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	p := planOf(events, time.Now())
	if len(p.bought) > 0 {
		if _, err := tx.Exec(ctx, cancelReminders, p.bought); err != nil {
			return fmt.Errorf("reminders: %w", err)
		}
	}
	if len(p.jobs) > 0 {
		if _, err := s.client.InsertManyFastTx(ctx, tx, p.jobs); err != nil {
			return fmt.Errorf("jobs: %w", err)
		}
	}
	return nil
}

// cancelReminders does for many jobs what River's JobCancel does for one that is
// scheduled.
const cancelReminders = `UPDATE river_job SET state = 'cancelled', finalized_at = now()
WHERE kind = 'remind' AND state = 'scheduled' AND args->>'customer' = ANY($1::text[])`

// unknown leaves out the events that are stored, and repetitions among the others.
func (s *store) unknown(ctx context.Context, events []event) ([]event, error) {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].id
	}
	rows, err := s.pool.Query(ctx, "SELECT message_id FROM events WHERE message_id = ANY($1::text[])", ids)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	known := map[string]bool{}
	for _, id := range stored {
		known[id] = true
	}
	var left []event
	for _, e := range events {
		if !known[e.id] {
			known[e.id] = true
			left = append(left, e)
		}
	}
	return left, nil
}

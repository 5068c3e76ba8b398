package server

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Close stops the server: requests that came in are answered, decided messages are handed
// over, and what is known is kept in a last snapshot. It gives up with an error after 50 s, or
// 10 s after a failure; what is on disk then is what a crash leaves, and the next start
// recovers from it. Call it once, after Wait.
func (n *Node) Close() error {
	if n.broken {
		return n.stopWithin(failedLimit)
	}
	return n.stopWithin(stopLimit)
}

// stopWithin stops the parts, and gives up after limit: a part that hangs, such as a log that
// waits for itself, must not keep a supervisor from starting the server again. The goroutine
// that is stuck then ends with the process.
func (n *Node) stopWithin(limit time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- n.stop() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("not stopped after %v: the process ends as in a crash", limit)
	}
}

// stop ends the parts in such an order that each can still hand on what it has: ingest, the guard
// of the disk and other work in the background, the sinks, which write results to the log, then the
// publisher, the shards, and at last the store and the log. If a start failed, only what is up is stopped. It
// returns the joined errors of all parts; an error of one does not keep it from the next.
func (n *Node) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	var errs []error
	if n.server != nil {
		errs = append(errs, n.server.Shutdown(ctx))
	}
	if n.stopGuards != nil {
		n.stopGuards()
		n.guards.Wait()
	}
	if n.stopSinks != nil {
		// During a start nothing was decided that the sinks have not had before.
		if n.up.Load() {
			n.drainWarehouse(ctx)
		}
		n.stopSinks()
		n.sinks.Wait()
	}
	if n.publisher != nil {
		n.publisher.Close(ctx)
	}
	if n.engine != nil {
		n.engine.Stop(ctx)
	}
	if n.admin != nil {
		errs = append(errs, n.admin.Shutdown(ctx))
	}
	if n.warehouse != nil {
		errs = append(errs, n.warehouse.Close())
	}
	if n.child != nil {
		n.child.Stop()
	}
	if n.lease != nil {
		n.lease.Release()
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.logStore != nil {
		errs = append(errs, n.logStore.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.release())
	}
	return errors.Join(errs...)
}

// drainWarehouse gives ClickHouse up to 5 s to take the rows of what is applied, so that
// people who stop a server find their rows. The rest stays in the log and is written after the
// next start. A warehouse that fails is not waited for.
func (n *Node) drainWarehouse(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for p := range n.events {
		for limited.Err() == nil && n.writer.Failures() == 0 && n.writer.Position(p) < n.engine.Acked(p) {
			select {
			case <-limited.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

package server

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Close stops the server: it answers what came in, hands over what was decided and keeps what
// is known. After 50 s, or 10 s after a failure, it gives up with an error, and what is on disk
// is what a crash leaves. Call it once, after Wait.
func (n *Node) Close() error {
	if n.broken {
		return n.stopWithin(failedLimit)
	}
	return n.stopWithin(stopLimit)
}

// stopWithin stops, and gives up where a part does not end: a log that hangs must
// not keep a supervisor from starting the server again. What is on disk then is what
// a crash leaves.
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

// stop ends the parts in the order of the flow, so that what came in is applied,
// what was decided is handed over, and what is known is kept.
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

// drainWarehouse gives the warehouse a moment to take what was decided; the rest
// is written after the next start.
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

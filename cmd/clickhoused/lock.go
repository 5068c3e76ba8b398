package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockName is the file in the data directory that is locked; the engine does not look at it.
// Package server/child knows the name, too.
const lockName = "clickhoused.lock"

// lockPoll is how often a taken lock is tried again.
const lockPoll = 50 * time.Millisecond

// lockData takes the data directory for this process. Two engines on one directory would
// damage it, and the engine does not check.
//
// It waits up to wait: after a kill -9 of nudged its old child may live for a moment, until it
// sees the end of its standard input.
func lockData(ctx context.Context, log *slog.Logger, dir string, wait time.Duration) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data directory %q: %w (check its owner and the free space)", dir, err)
	}
	path := filepath.Join(dir, lockName)
	lock := flock.New(path)
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("cannot lock the data directory with %q: %w", path, err)
	}
	if ok {
		return lock, nil
	}
	log.Info("waiting for the lock of the data directory: another clickhoused has it", slog.String("lock", path),
		slog.Duration("wait", wait))
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	ok, err = lock.TryLockContext(waiting, lockPoll)
	switch {
	case ok:
		return lock, nil
	// Asked to stop while it waited.
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("another clickhoused still has the data directory after %v (lock %q): stop it, or "+
			"give another --data", wait, path)
	}
	return nil, fmt.Errorf("cannot lock the data directory with %q: %w", path, err)
}

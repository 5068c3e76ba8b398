package deploy

import (
	"context"
	"log/slog"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/internal/definition"
)

// backfillRetry is how long after an error a backfill is tried again, and how late at most one
// is noticed whose signal was lost.
const backfillRetry = 5 * time.Second

// StartBackfill begins to fill the counters of definition files from the log; the files are
// put in force when that is done. It returns at once with what will be counted; progress is
// asked of the controller. As [Deployer.Submit] does, it refuses what would surprise the
// author. The error wraps [actors.ErrBackfill] while another backfill is under way.
func (d *Deployer) StartBackfill(ctx context.Context, files []definition.File) (actors.BackfillStart, error) {
	documents, docs, err := d.check(files)
	if err != nil {
		return actors.BackfillStart{}, err
	}
	if err := d.askLate(ctx, documents, docs); err != nil {
		return actors.BackfillStart{}, err
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begun, err := d.config.Control.StartBackfill(limited, d.config.Workspace, documents)
	if err != nil {
		return actors.BackfillStart{}, err
	}
	select {
	case d.begun <- struct{}{}:
	// A signal is waiting already, or RunBackfills looks by itself soon.
	default:
	}
	return begun, nil
}

// RunBackfills brings backfills to their end, one after the other, until ctx ends. How far a
// backfill is stands in the log, so one that a crash cut off goes on. Run it in one goroutine.
func (d *Deployer) RunBackfills(ctx context.Context) {
	ticker := time.NewTicker(backfillRetry)
	defer ticker.Stop()
	for {
		if d.config.Control.Backfilling() {
			// It returns when the backfill is done, given up, or failed in a way that may
			// pass.
			if err := d.config.Control.RunBackfill(ctx); err != nil && ctx.Err() == nil {
				d.config.Logger.Warn("backfill: tried again soon", slog.Any("error", err))
			} else if err := d.EnsureChannels(ctx); err != nil && ctx.Err() == nil {
				d.config.Logger.Warn("backfill: channels", slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-d.begun:
		case <-ticker.C:
		}
	}
}

package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/nudge-engine/nudge/internal/definition"
)

// backfillRetry is how long after an error a backfill is tried again.
const backfillRetry = 5 * time.Second

// adminBackfill begins a backfill with definition files; they are in force when it is
// done, which GET /v1/backfill tells.
func (n *node) adminBackfill(w http.ResponseWriter, r *http.Request, files []definition.File) error {
	documents, docs, err := n.checked(files)
	if err != nil {
		return err
	}
	if err := n.askLate(r.Context(), documents, docs); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(r.Context(), applyLimit)
	defer cancel()
	begun, err := n.control.StartBackfill(limited, workspaceName, documents)
	if err != nil {
		return conflict(err)
	}
	select {
	case n.backfill <- struct{}{}:
	default: // it looks soon
	}
	writeJSON(w, http.StatusOK, begun)
	return n.ensureLanes(r.Context())
}

// adminBackfillProgress tells how the last backfill stands.
func (n *node) adminBackfillProgress(w http.ResponseWriter, r *http.Request) error {
	progress, err := n.control.Backfill(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, progress)
	return nil
}

// runBackfills brings backfills to their end, one after the other; one that a crash cut
// off goes on.
func (n *node) runBackfills(ctx context.Context) {
	ticker := time.NewTicker(backfillRetry)
	defer ticker.Stop()
	for {
		if n.control.Backfilling() {
			if err := n.control.RunBackfill(ctx); err != nil && ctx.Err() == nil {
				n.log.Warn("backfill: tried again soon", slog.Any("error", err))
			} else if err := n.ensureLanes(ctx); err != nil && ctx.Err() == nil {
				n.log.Warn("backfill: channels", slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-n.backfill:
		case <-ticker.C:
		}
	}
}

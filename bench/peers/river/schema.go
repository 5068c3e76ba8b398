package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// schema is what this program adds to River's tables. The key of events makes a batch
// that is sent again count once. The text of an event was checked before, so it is not
// checked again as json or jsonb. The index finds what a purchase cancels.
const schema = `
CREATE TABLE IF NOT EXISTS events (
	message_id text PRIMARY KEY,
	customer   text NOT NULL,
	name       text NOT NULL,
	at         text NOT NULL,
	data       text NOT NULL
);
CREATE INDEX IF NOT EXISTS reminders_of_customer ON river_job ((args->>'customer'))
	WHERE kind = 'remind' AND state = 'scheduled';
`

// unread drops indexes of River that nothing here reads: the GIN indexes serve searches
// in args and metadata, the other a list of kinds. They cost more than all else in an
// insert.
const unread = "DROP INDEX IF EXISTS river_job_args_index, river_job_metadata_index, river_job_kind"

func driver(pool *pgxpool.Pool) *riverpgxv5.Driver { return riverpgxv5.New(pool) }

// migrate makes the tables.
func migrate(ctx context.Context, pool *pgxpool.Pool, plain bool, logger *slog.Logger) error {
	migrator, err := rivermigrate.New[pgx.Tx](driver(pool), &rivermigrate.Config{Logger: logger})
	if err != nil {
		return fmt.Errorf("tables of River: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("tables of River: %w", err)
	}
	if _, err := pool.Exec(ctx, schema); err != nil {
		return fmt.Errorf("table of events: %w", err)
	}
	if plain {
		return nil
	}
	if _, err := pool.Exec(ctx, unread); err != nil {
		return fmt.Errorf("indexes of River: %w", err)
	}
	return nil
}

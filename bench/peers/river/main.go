// Command river is what a team would write instead of taking nudge: a service on
// River and PostgreSQL that answers a cart with a send now and one after a day, unless
// the customer buys before. nudge-bench starts it beside nudge and compares the two.
//
// It is meant to be as fast as this design gets without giving up durability: one
// transaction for all requests that wait, COPY for events and jobs, fetches of
// thousands, indexes that nothing here reads dropped. With -plain it is as River's
// guide has it instead. The HTTP server and the JSON parser are those of nudge, so that
// they make no difference.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/valyala/fasthttp"
)

// settings are the flags.
type settings struct {
	database string
	listen   string
	plain    bool
}

// tuning is what -plain changes.
type tuning struct {
	writers  int           // transactions at once
	group    int           // events at which a transaction takes no further request
	workers  int           // jobs at once
	cooldown time.Duration // least time between fetches of jobs
}

func (s settings) tuning() tuning {
	if s.plain {
		return tuning{writers: 16, group: 1, workers: 100, cooldown: river.FetchCooldownDefault}
	}
	return tuning{writers: 2, group: 5000, workers: 5000, cooldown: 20 * time.Millisecond}
}

func main() {
	var s settings
	flag.StringVar(&s.database, "database", "", "PostgreSQL connection string")
	flag.StringVar(&s.listen, "listen", "127.0.0.1:8085", "address for events")
	flag.BoolVar(&s.plain, "plain", false, "one transaction a request, River's tables and fetches as they come")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, s, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, s settings, logs io.Writer) error {
	logger := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	t := s.tuning()
	pool, err := connect(ctx, s.database, t)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := migrate(ctx, pool, s.plain, logger); err != nil {
		return err
	}
	client, err := newClient(pool, t, logger)
	if err != nil {
		return err
	}
	// Running jobs end in their own order; so the client does not see ctx.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start of River: %w", err)
	}
	store := newStore(pool, client, t)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return errors.Join(fmt.Errorf("--listen: %w", err), stop(ctx, client))
	}
	server := &fasthttp.Server{
		Handler: (&front{store: store}).handle, MaxRequestBodySize: maxBody, CloseOnShutdown: true,
		NoDefaultServerHeader: true,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
		err = server.Shutdown()
	}
	store.close()
	return errors.Join(err, stop(ctx, client))
}

// stopLimit bounds the end: without its database River would wait forever.
const stopLimit = 20 * time.Second

// stop ends the client in its own order, though ctx has ended.
func stop(ctx context.Context, client *river.Client[pgx.Tx]) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err := client.Stop(limited); err != nil {
		return fmt.Errorf("stop of River: %w", err)
	}
	return nil
}

// connect opens the pool: the writers, River's fetches, completions and maintenance.
func connect(ctx context.Context, database string, t tuning) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, fmt.Errorf("--database: %w", err)
	}
	config.MaxConns = int32(t.writers) + riverConnections
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("--database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("PostgreSQL does not answer; check --database: %w", err)
	}
	return pool, nil
}

// riverConnections are for what River does beside the writers.
const riverConnections = 6

// newClient makes the client that works the jobs.
func newClient(pool *pgxpool.Pool, t tuning, logger *slog.Logger) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &sender{})
	river.AddWorker(workers, &reminder{})
	client, err := river.NewClient(driver(pool), &river.Config{
		Logger:            logger,
		Workers:           workers,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: t.workers}},
		FetchCooldown:     t.cooldown,
		FetchPollInterval: river.FetchPollIntervalDefault, // in between, a notification says that jobs came
		JobTimeout:        -1,                             // no timer a job: a send here cannot hang
		ReindexerSchedule: river.NeverSchedule(),          // a run is short, and some indexes are gone
	})
	if err != nil {
		return nil, fmt.Errorf("client of River: %w", err)
	}
	return client, nil
}

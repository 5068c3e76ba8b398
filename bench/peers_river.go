package bench

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/nudge-engine/nudge/bench/peers"
)

// Queries of the peer's tables.
const (
	// jobsLeft is 0 when each job that is due is done. It reads an index's few entries.
	jobsLeft = "SELECT count(*) FROM river_job WHERE state IN ('available', 'running', 'retryable')"
	jobsDone = "SELECT count(*), count(DISTINCT args->>'message') FROM river_job " +
		"WHERE kind = 'send' AND state = 'completed'"
	reminders = "SELECT count(*) FILTER (WHERE state = 'scheduled'), count(*) FILTER (WHERE state = 'cancelled') " +
		"FROM river_job WHERE kind = 'remind'"
)

// jobPoll is how often the peer is asked whether it is done; each takes a process.
const jobPoll = 50 * time.Millisecond

// riverSide runs the load against River and PostgreSQL.
func (o Options) riverSide(ctx context.Context, c PeerConfig) (s Side, err error) {
	dir, err := temporary(o.Server.Dir)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, remove(dir)) }()
	// PostgreSQL runs as another user when this runs as root.
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // it may be passed, not listed
		return s, err
	}
	o.Progress.Stage("building the peer")
	program, err := peers.BuildRiver(ctx, c.Source, dir)
	if err != nil {
		return s, err
	}
	o.Progress.Stage("starting PostgreSQL and the peer")
	database, err := peers.StartPostgres(ctx, c.Postgres, dir)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, database.Stop()) }()
	address, err := freePorts(1)
	if err != nil {
		return s, err
	}
	river, err := peers.StartRiver(ctx, program, address[0], database.DSN(), c.Plain)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, river.Stop()) }()
	o.Progress.Stage("River: batches of %d over %d connections for %v", o.Batch, o.Connections, o.Duration)
	err = s.river(ctx, o, river, database)
	return s, err
}

func (s *Side) river(ctx context.Context, o Options, river *peers.River, database *peers.Postgres) error {
	l, model := o.shopLoad(river.BatchURL())
	before := peerUsage(river, database)
	sum, err := l.closedLoop(ctx, o.Duration)
	if err != nil {
		return river.Explain(err)
	}
	s.Model = model()
	done, err := awaitJobs(ctx, database, o.Progress)
	if err != nil {
		return err
	}
	s.cpu(before, peerUsage(river, database), sum.events)
	s.count(sum, sum.last, done) // what is committed is readable
	stored, err1 := database.Query(ctx, "SELECT count(*) FROM events")
	sends, err2 := database.Query(ctx, jobsDone)
	later, err3 := database.Query(ctx, reminders)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	s.Did = shopped{Carts: sends[0], Waiting: later[0], Cancelled: later[1]}
	s.check(stored[0], sends[1])
	return nil
}

// awaitJobs waits until no job is due, and says when that was seen. It gives up when the
// number does not change for long; the check then says what is missing.
func awaitJobs(ctx context.Context, database *peers.Postgres, p *Progress) (time.Time, error) {
	changed, last := time.Now(), -1
	for {
		left, err := database.Query(ctx, jobsLeft)
		now := time.Now()
		if err != nil || left[0] == 0 || now.Sub(changed) > rowLimit {
			return now, err
		}
		if left[0] != last {
			changed, last = now, left[0]
		}
		p.Note("%s jobs left", thousands(left[0]))
		if err := pauseUntil(ctx, now.Add(jobPoll)); err != nil {
			return now, err
		}
	}
}

// count fills in what a load did, and when all of it was readable and done.
func (s *Side) count(sum totals, readable, done time.Time) {
	s.Events, s.Retries = sum.events, sum.retries
	s.Accepted = float64(sum.events) / sum.last.Sub(sum.first).Seconds()
	s.Readable = float64(sum.events) / readable.Sub(sum.first).Seconds()
	s.DoneSeconds, s.LagSeconds = done.Sub(sum.first).Seconds(), done.Sub(sum.last).Seconds()
}

// cpu fills in processor time; of usage, the places of nudged and clickhoused are those
// of the peer and its database.
func (s *Side) cpu(before, after usage, events int) {
	c := after.since(before, events)
	s.ServerCPU, s.StoreCPU, s.OthersCores = c.Nudged, c.Clickhoused, c.OthersCores
}

func peerUsage(river *peers.River, database *peers.Postgres) usage {
	return usage{
		nudged: processTime(river.Pid()), clickhoused: familyTime(database.Pid()), bench: ownTime(),
		machine: machineTime(), at: time.Now(),
	}
}

package warehouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Limits of Status, in rows and seconds.
const (
	maxStatusRows = 50 // rows of each list
	maxStatusTime = 10 // s that each of its queries may run: people wait for it
)

// Status is what the tables say about one campaign.
type Status struct {
	Active    uint64     `json:"active_chains"` // chains that have not ended
	Decisions []Verdicts `json:"decisions"`     // of the last day, the most frequent first, at most 50
	Errors    []Failure  `json:"errors"`        // the last ones, newest first
}

// Verdicts counts the decisions of one kind and reason.
type Verdicts struct {
	// Kind and Reason are as the decisions have them, for example dropped and
	// missing_variable.
	Kind   string    `json:"kind"`
	Reason string    `json:"reason"`
	Count  uint64    `json:"count"`
	Last   time.Time `json:"last"` // time of the last of them
}

// Failure is a decision that says what went wrong: an expression that could not be
// evaluated, a delivery that failed for good, or one that was dropped for a missing
// variable.
type Failure struct {
	At       time.Time `json:"at"`
	Customer string    `json:"customer"`
	Step     string    `json:"step"`
	Kind     string    `json:"kind"`
	Reason   string    `json:"reason"`
	// Detail says what went wrong; for a failed delivery, the channel and what it
	// answered.
	Detail string `json:"detail"`
	// EventID is the id of the event that led to it; empty if a timer did.
	EventID string `json:"event_id"`
}

// Status returns what the tables say about a campaign at now, with at most limit (1 to
// 50) of the last failures. What the engine decided in the last seconds may not be in the
// tables yet.
func (c *ClickHouse) Status(ctx context.Context, workspace, campaign string, now time.Time, limit int) (Status, error) {
	s := Status{Decisions: []Verdicts{}, Errors: []Failure{}}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": maxStatusTime}))
	query := "SELECT count() FROM " + Database + ".chains WHERE workspace = ? AND campaign = ? AND outcome = 'active'"
	err := c.conn.QueryRow(ctx, query, workspace, campaign).Scan(&s.Active)
	if err == nil {
		err = c.verdicts(ctx, &s, workspace, campaign, now.Add(-24*time.Hour).UnixMilli())
	}
	if err == nil {
		err = c.failures(ctx, &s, workspace, campaign, min(max(limit, 1), maxStatusRows))
	}
	if err != nil {
		return s, fmt.Errorf("warehouse: status: %w", err)
	}
	return s, nil
}

// verdicts reads the decisions since after (ms), by kind and reason.
func (c *ClickHouse) verdicts(ctx context.Context, s *Status, workspace, campaign string, after int64) error {
	rows, err := c.conn.Query(ctx, "SELECT kind, reason, count() AS n, max(at) FROM "+Database+".decisions "+
		"WHERE workspace = ? AND campaign = ? AND at > fromUnixTimestamp64Milli(?) "+
		"GROUP BY kind, reason ORDER BY n DESC, kind, reason LIMIT ?", workspace, campaign, after, maxStatusRows)
	if err != nil {
		return err
	}
	for rows.Next() {
		var v Verdicts
		if err := rows.Scan(&v.Kind, &v.Reason, &v.Count, &v.Last); err != nil {
			return errors.Join(err, rows.Close())
		}
		s.Decisions = append(s.Decisions, v)
	}
	return errors.Join(rows.Err(), rows.Close())
}

// failuresQuery reads the last failures of a campaign. What a channel answered is in the
// row of the delivery, which comes from the same effect message as the decision; the
// detail of such a decision is the name of the channel.
const failuresQuery = `
WITH f AS (
    SELECT at, customer, step, kind, reason, detail, event_id, partition, seq, idx FROM ` + Database + `.decisions
    WHERE workspace = ? AND campaign = ? AND (kind IN ('erred', 'failed', 'dead_letter', 'blocked')
        OR kind = 'dropped' AND reason = 'missing_variable')
    ORDER BY at DESC, customer, idx DESC LIMIT ?
)
SELECT f.at, f.customer, f.step, f.kind, f.reason,
    if(v.answer = '', f.detail, concat(f.detail, ': ', v.answer)), f.event_id
FROM f LEFT ANY JOIN (
    SELECT partition, seq, customer, step, channel, detail AS answer FROM ` + Database + `.deliveries
    WHERE workspace = ? AND campaign = ? AND status = 'failed'
) AS v ON f.partition = v.partition AND f.seq = v.seq AND f.customer = v.customer AND f.step = v.step
    AND f.detail = v.channel
ORDER BY f.at DESC, f.customer, f.idx DESC`

// failures reads the last failures, at most limit.
func (c *ClickHouse) failures(ctx context.Context, s *Status, workspace, campaign string, limit int) error {
	rows, err := c.conn.Query(ctx, failuresQuery, workspace, campaign, limit, workspace, campaign)
	if err != nil {
		return err
	}
	for rows.Next() {
		var f Failure
		if err := rows.Scan(&f.At, &f.Customer, &f.Step, &f.Kind, &f.Reason, &f.Detail, &f.EventID); err != nil {
			return errors.Join(err, rows.Close())
		}
		s.Errors = append(s.Errors, f)
	}
	return errors.Join(rows.Err(), rows.Close())
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// backfillEvery is how often the server is asked how far it is. A small log is counted in less
// than a second, and a bar should move.
const backfillEvery = 200 * time.Millisecond

// backfill makes the server fill counters from its log, waits until the definitions are in
// force, and prints what was counted and what could not be. Record 0 means that there was
// nothing to fill, and that the definitions are in force already.
func (a *applyCommand) backfill(out console, body filesBody) error {
	text, err := a.call(http.MethodPost, "/v1/definitions?backfill=true", body)
	if err != nil {
		return err
	}
	// actors.BackfillStart as JSON: what is counted from the log, and what only from now on
	// and why.
	var begun struct {
		Applied []previewedDocument `json:"applied"`
		Record  uint64              `json:"record"`
		Filled  []string            `json:"filled"`
		FromNow []struct {
			Text string `json:"counter"`
			Why  string `json:"why"`
		} `json:"from_now"`
	}
	if err := json.Unmarshal(text, &begun); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	for _, c := range begun.Filled {
		fmt.Fprintf(out.out, "counted in the log: %s\n", c)
	}
	for _, c := range begun.FromNow {
		fmt.Fprintf(out.out, "counted from now on: %s (%s)\n", c.Text, c.Why)
	}
	if begun.Record != 0 {
		if err := a.await(out, begun.Record); err != nil {
			return err
		}
	}
	for _, d := range begun.Applied {
		state := "unchanged"
		if d.Changed {
			state = "applied"
		}
		fmt.Fprintf(out.out, "%s %s: %s, version %d\n", d.Kind, d.Name, state, d.Version)
	}
	return nil
}

// await waits until a backfill is at its end, and shows its progress. The server goes on with
// it also when nobody waits, so an error here does not stop it. Another backfill in its place
// means that this one ended.
func (a *applyCommand) await(out console, record uint64) error {
	bar := progress(out, 1, "counting")
	for {
		text, err := a.call(http.MethodGet, "/v1/backfill", nil)
		if err != nil {
			return fmt.Errorf("%w\n(the backfill goes on; GET /v1/backfill tells how far it is)", err)
		}
		// actors.BackfillProgress as JSON: of each partition the first frame, the frame that
		// is counted up to, and the last one.
		var at struct {
			Record     uint64 `json:"record"`
			Open       bool   `json:"open"`
			GivenUp    bool   `json:"given_up"`
			Partitions []struct {
				First uint64 `json:"first"`
				Upto  uint64 `json:"upto"`
				End   uint64 `json:"end"`
			} `json:"partitions"`
		}
		if err := json.Unmarshal(text, &at); err != nil {
			return fmt.Errorf("the answer cannot be read: %w", err)
		}
		// Another record means that this backfill ended and another one was begun.
		if at.Record != record || !at.Open {
			_ = bar.Finish()
			if at.Record == record && at.GivenUp {
				return errors.New("the backfill was given up: the log was trimmed under it; nothing is in force. " +
					"Give the log more space (log_bytes), or apply without --backfill")
			}
			return nil
		}
		// A partition that has not begun has no First; its Upto is no progress.
		total, done := uint64(0), uint64(0)
		for _, p := range at.Partitions {
			if total += p.End; p.First > 0 {
				done += p.Upto
			}
		}
		bar.ChangeMax64(int64(max(total, 1)))
		_ = bar.Set64(int64(done))
		time.Sleep(backfillEvery)
	}
}

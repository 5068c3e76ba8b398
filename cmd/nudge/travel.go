package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/ops/timetravel"
)

func (c *customerCommand) Help() string {
	return `Shows a customer of a running server as they are now. With --data it shows them as a
stopped server left them, and with --at as they were at an earlier instant, as far as
the log and the checkpoints reach.

Example:
  nudge customer ann --data data --at 2026-03-01T10:00:00Z`
}

// past shows the customer of a stopped server as they were at --at, or as the log left them.
// It replays the log of their partition from the latest kept state before that. The place in
// the log goes to the error output, so that the result is JSON only.
func (c *customerCommand) past(out console) (err error) {
	if c.Data == "" {
		return errors.New("--at needs --data: stop the server, or name a copy of its data directory")
	}
	at, err := instant("--at", c.At)
	if err != nil {
		return err
	}
	dir, err := datadir.Open(c.Data, errorsOnly(out))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	ctx := context.Background()
	r, err := timetravel.New(ctx, dir, c.ID)
	if err != nil {
		return err
	}
	if err := r.Begin(ctx, at, nil); err != nil {
		return err
	}
	if err := runReplay(ctx, out, r, at); err != nil {
		return err
	}
	// It says of which moment the result is, which with --at is the last frame before it.
	fmt.Fprintf(out.err, "partition %d after frame %d, log time %s\n", r.Partition(), r.Frame(),
		unit.FormatTime(r.Now()))
	view := r.View()
	// The customer may have come later.
	if view == nil && at != 0 {
		return fmt.Errorf("no event of customer %s was seen until %s", c.ID, unit.FormatTime(at))
	}
	if view == nil {
		return fmt.Errorf("no event of customer %s was seen", c.ID)
	}
	text, err := json.MarshalIndent(view, "", "  ")
	if err != nil {
		return err
	}
	_, err = out.out.Write(append(text, '\n'))
	return err
}

// runReplay runs a replay until an instant (ms; 0: to its end) and shows how far it is. It may read
// the log for minutes.
func runReplay(ctx context.Context, out console, r *timetravel.Replay, until int64) error {
	bar := progress(out, r.Left(), "replaying")
	defer func() { _ = bar.Finish() }()
	return r.Run(ctx, until, func() { _ = bar.Add(1) })
}

package dispatch

import (
	"context"
	"log/slog"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/sink/dispatch/plan"
	"github.com/nudge-engine/nudge/stream"
)

// forwardTransfers appends transfers to the partitions of their receivers and returns
// when all are durable. A transfer waits until the one before it of the same source is
// durable, so that a failure leaves no gap; sources do not wait for each other. After a
// crash transfers are appended again, and receivers recognise them by their numbers.
func (d *Dispatcher) forwardTransfers(ctx context.Context, transfers []event.Transfer) error {
	for len(transfers) > 0 {
		first, rest := plan.NextTransfers(transfers)
		for len(first) > 0 {
			failed, err := d.forwardRound(ctx, first)
			// The whole group is copied again after a restart.
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if first = failed; len(failed) > 0 {
				d.config.Logger.Warn("dispatch: transfers are forwarded again", slog.Int("transfers", len(failed)),
					slog.Any("error", err))
				pause(ctx, retryPause)
			}
		}
		transfers = rest
	}
	return nil
}

// forwardRound appends one transfer of each source and returns those that failed, with
// the last error.
func (d *Dispatcher) forwardRound(ctx context.Context, transfers []event.Transfer) (
	failed []event.Transfer, last error,
) {
	partitions := d.config.Publisher.Partitions()
	answers := make([]chan error, len(transfers))
	for i := range transfers {
		t := &transfers[i]
		// Buffered, so that an answer after the end of ctx blocks nobody.
		answer := make(chan error, 1)
		answers[i] = answer
		record := []stream.Record{{Kind: stream.KindTransfer, Data: t.AppendTo(nil)}}
		to := stream.PartitionOf(t.Workspace, t.Customer, partitions)
		if err := d.config.Publisher.Add(to, record, func(err error) { answer <- err }); err != nil {
			answer <- err
		}
	}
	for i, answer := range answers {
		select {
		case err := <-answer:
			if err != nil {
				failed, last = append(failed, transfers[i]), err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return failed, last
}

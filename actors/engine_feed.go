package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nudge-engine/nudge/stream"
)

// replicate gives every partition the control records up to last that it has not applied,
// as fast as its log takes them: 10,000 campaigns are some fifty records of 400 KiB, more
// than may wait at one time. A halted partition gets its copies when it is brought back.
// The caller holds mu.
func (c *Controller) replicate(ctx context.Context, last uint64) error {
	next := make([]uint64, c.publisher.Partitions())
	for p := range next {
		next[p] = c.engine.Control(p) + 1
	}
	for {
		busy := false
		for p := range next {
			full, err := c.replicatePartition(p, &next[p], last)
			if err != nil {
				return err
			}
			busy = busy || full && c.engine.Halted(p) == nil
		}
		if !busy {
			return nil
		}
		select {
		case <-time.After(wakeEvery):
		case <-ctx.Done():
			return fmt.Errorf("actors: copies of control records up to %d: %w", last, ctx.Err())
		}
	}
}

// replicatePartition gives a partition the records that its publisher takes now and moves
// next on. full reports that the publisher takes no more at present.
func (c *Controller) replicatePartition(p int, next *uint64, last uint64) (full bool, err error) {
	for ; *next <= last; *next++ {
		r := stream.Record{Kind: stream.KindControl, Data: c.records[*next-1]}
		switch err := c.publisher.Add(p, []stream.Record{r}, func(error) {}); {
		case errors.Is(err, stream.ErrBusy):
			return true, nil
		case err != nil:
			return false, fmt.Errorf("actors: copy of control record %d to partition %d: %w", *next, p, err)
		}
	}
	return false, nil
}

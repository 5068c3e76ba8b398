package server

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/storage"
)

// maxStarts is how many starts in a row may end while the same record is being applied before
// that record is passed over. One end may be a coincidence, such as a power failure; a record
// that ends the process each time would otherwise keep the server down without end.
const maxStarts = 3

// openCrashMarker finds out which records were being applied when the last process ended. It
// must run before the shards start.
//
// A record that has ended maxStarts processes in a row is passed over, by a control record, so
// that every later replay passes over it too. Timers cannot be passed over one by one, so
// their partition is held: it stays halted until the next start, which counts anew. The other
// partitions run.
func (n *Node) openCrashMarker(ctx context.Context) (err error) {
	var crashes []storage.Crash
	if n.crashMarker, crashes, err = storage.OpenCrashMarker(n.settings.DataDir, len(n.events)); err != nil {
		return err
	}
	if n.rendering, err = storage.OpenRendering(n.settings.DataDir); err != nil {
		return err
	}
	n.held = map[int]error{}
	for _, c := range crashes {
		n.log.Warn("the last process ended while it applied this record", slog.Int("partition", c.Partition),
			slog.Uint64("frame", c.Seq), slog.Int("record", c.Index), slog.Int("starts", c.Starts))
		// One end can have any cause; the record gets another chance.
		if c.Starts < maxStarts {
			continue
		}
		why := fmt.Sprintf("the process ended %d times in a row while it was applied", c.Starts)
		// It was no record: the timers before the frame were firing.
		if c.Index == shard.InTimers {
			n.held[c.Partition] = fmt.Errorf("the timers before frame %d: %s", c.Seq, why)
			continue
		}
		skip := control.Skip{Partition: c.Partition, Seq: c.Seq, Index: c.Index, Why: why}
		if err := n.control.Skip(ctx, skip); err != nil {
			return err
		}
		n.log.Error("a record is passed over", slog.Int("partition", c.Partition), slog.Uint64("frame", c.Seq),
			slog.Int("record", c.Index), slog.String("why", why))
	}
	return nil
}

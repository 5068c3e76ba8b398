package warehouse

import (
	"context"
	"errors"
	"log/slog"
	"slices"
)

// Gap is a range of messages of a partition that left the log before their rows were
// written, ends included.
type Gap struct {
	Partition int `json:"partition"`
	// What is "frames" or "effects"; From and To are their sequences.
	What string `json:"what"`
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// excludeTrimmed cuts off from the sealed block the messages that were deleted from the log
// since it was sealed, and records them as gaps. changed reports whether it cut off any.
// The rows must then be read again, and the block is inserted with another deduplication
// token, which is computed from its ranges.
func (w *Writer) excludeTrimmed(ctx context.Context) (changed bool, err error) {
	for i := range w.state.Sealed {
		s, p := &w.state.Sealed[i], w.partitions[i]
		if err := w.skipGaps(ctx, p, s, &changed); err != nil {
			return changed, err
		}
	}
	if !changed {
		return false, nil
	}
	// The block may have been sent with its old range.
	w.resent = true
	return true, w.save()
}

// skipGaps moves the beginnings of a span to the first messages that the log still has,
// records what was skipped as gaps, and then sets changed.
func (w *Writer) skipGaps(ctx context.Context, p *partition, s *span, changed *bool) error {
	trimmed, err := p.trimmed(ctx, s)
	if err != nil {
		return err
	}
	for _, l := range trimmed {
		w.recordGap(p.number, l.what, *l.from, l.first-1)
		*l.from, *changed = l.first, true
		// A span of which nothing is left is empty, and not negative.
		*l.to = max(*l.to, *l.from-1)
		p.rewind()
	}
	return nil
}

// errGap reports that a part of the log left before it was written, while the gap cannot
// be recorded yet.
var errGap = errors.New("warehouse: a gap") //nudge:constant

// skipTrimmed does what skipGaps does for a span that is being chosen. With ahead it
// fails instead (see prepare).
func (w *Writer) skipTrimmed(ctx context.Context, p *partition, s *span, ahead bool) error {
	gap := false
	if !ahead {
		return w.skipGaps(ctx, p, s, &gap)
	}
	trimmed, err := p.trimmed(ctx, s)
	if err == nil && len(trimmed) > 0 {
		err = errGap
	}
	return err
}

// recordLostFrame records a damaged frame as a gap, once, however often its block is
// sent.
func (w *Writer) recordLostFrame(partition int, seq uint64) {
	gap := Gap{Partition: partition, What: "frames", From: seq, To: seq}
	if !slices.Contains(w.state.Gaps, gap) {
		w.recordGap(partition, gap.What, seq, seq)
	}
}

// recordGap records a gap in the state, logs and counts it. The state keeps the last 100,
// because it is written with every block.
func (w *Writer) recordGap(partition int, what string, from, to uint64) {
	w.gaps.Add(to - from + 1)
	w.state.Gaps = append(w.state.Gaps, Gap{Partition: partition, What: what, From: from, To: to})
	w.state.Gaps = w.state.Gaps[max(0, len(w.state.Gaps)-100):]
	w.config.Logger.Error("warehouse: messages left the log before they were written", slog.String("what", what),
		slog.Int("partition", partition), slog.Uint64("from", from), slog.Uint64("to", to))
}

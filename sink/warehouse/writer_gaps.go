package warehouse

import (
	"context"
	"errors"
	"log/slog"
	"slices"
)

// Gap is a range of messages that left the log before they could be written.
type Gap struct {
	Partition int    `json:"partition"`
	What      string `json:"what"` // frames or effects
	From      uint64 `json:"from"`
	To        uint64 `json:"to"`
}

// excludeTrimmed takes out of the sealed block what has left the log since: a gap (R11).
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
	w.resent = true
	return true, w.save()
}

// skipGaps moves the beginnings of a span behind what has left the log.
func (w *Writer) skipGaps(ctx context.Context, p *partition, s *span, changed *bool) error {
	trimmed, err := p.trimmed(ctx, s)
	if err != nil {
		return err
	}
	for _, l := range trimmed {
		w.recordGap(p.number, l.what, *l.from, l.first-1)
		*l.from, *changed = l.first, true
		*l.to = max(*l.to, *l.from-1)
		p.rewind()
	}
	return nil
}

// errGap says that a part of the log left before it was written.
var errGap = errors.New("warehouse: a gap") //nudge:constant

// skipTrimmed moves the beginning of a span behind what has left the log.
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

// recordLostFrame records a damaged frame once, however often its block is sent.
func (w *Writer) recordLostFrame(partition int, seq uint64) {
	gap := Gap{Partition: partition, What: "frames", From: seq, To: seq}
	if !slices.Contains(w.state.Gaps, gap) {
		w.recordGap(partition, gap.What, seq, seq)
	}
}

// recordGap records a gap: messages that were trimmed before they were written (R11).
func (w *Writer) recordGap(partition int, what string, from, to uint64) {
	w.gaps.Add(to - from + 1)
	w.state.Gaps = append(w.state.Gaps, Gap{Partition: partition, What: what, From: from, To: to})
	w.state.Gaps = w.state.Gaps[max(0, len(w.state.Gaps)-100):]
	w.config.Logger.Error("warehouse: messages left the log before they were written", slog.String("what", what),
		slog.Int("partition", partition), slog.Uint64("from", from), slog.Uint64("to", to))
}

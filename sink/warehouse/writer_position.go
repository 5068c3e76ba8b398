package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/stream"
)

// state is what the log keeps of the writer, one message of WH, as JSON.
type state struct {
	Format int    `json:"format"`
	Block  uint64 `json:"block"`            // number of the last block that is done
	Done   []span `json:"done"`             // its ends, by partition; the next block begins after them
	Sealed []span `json:"sealed,omitempty"` // range of block Block+1, if it is sealed
	Gaps   []Gap  `json:"gaps,omitempty"`   // what was given up, at most the last 100
}

// stateFormat is the version of the stored state.
const stateFormat = 1

// Position returns the last frame of a partition whose rows are in the warehouse.
func (w *Writer) Position(partition int) uint64 { return w.positions[partition].Load() }

// EffectPosition returns the last effect message of a partition whose rows are in the
// warehouse.
func (w *Writer) EffectPosition(partition int) uint64 { return w.effects[partition].Load() }

// publishPositions makes the positions visible to other goroutines.
func (w *Writer) publishPositions() {
	for i, s := range w.state.Done {
		w.positions[i].Store(s.EventsTo)
		w.effects[i].Store(s.EffectsTo)
	}
}

// load reads the last state. If another writer appends one after it, the next save fails.
func (w *Writer) load() error {
	ctx, cancel := context.WithTimeout(context.Background(), stateLimit)
	defer cancel()
	m, err := w.config.State.Last(ctx, "")
	if errors.Is(err, stream.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(m.Data, &w.state); err != nil {
		return fmt.Errorf("warehouse: position: %w", err)
	}
	// A state that is not understood must not be overwritten: blocks would be written
	// twice.
	if w.state.Format != stateFormat || len(w.state.Done) != len(w.partitions) {
		return fmt.Errorf("warehouse: position: format %d for %d partitions; this program reads format %d for %d",
			w.state.Format, len(w.state.Done), stateFormat, len(w.partitions))
	}
	w.saved = m.Seq
	return nil
}

// save appends the state after the one that was loaded or saved last, so that of two
// writers one is refused. The refused one gets stream.ErrWrongLast and takes over the
// state that is in the log. It may be its own: then only the answer to its append was
// lost.
func (w *Writer) save() error {
	b, err := json.Marshal(&w.state)
	if err != nil {
		return fmt.Errorf("warehouse: position: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stateLimit)
	defer cancel()
	seq, err := stream.AppendWait(ctx, w.config.State, stream.Append{Data: b, Conditional: true, After: w.saved})
	if errors.Is(err, stream.ErrWrongLast) {
		// Our own append whose answer was lost, or another writer's: what is in the
		// log holds either way, and the next attempt goes on from there.
		w.state = state{Format: stateFormat, Done: make([]span, len(w.partitions))}
		w.resent, w.next = true, nil
		err = errors.Join(err, w.load())
		w.publishPositions()
		return err
	}
	if err != nil {
		return fmt.Errorf("warehouse: position: %w", err)
	}
	w.saved = seq
	// Only the last state is ever read.
	if seq%stateKeep == 0 {
		return w.config.State.Trim(ctx, seq-1)
	}
	return nil
}

package backfill

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/stream"
)

// Limits of a slice of the log whose records are appended together. A slice is repeated
// after a crash, and its values are in memory until it ends.
const (
	fillFrames = 512    // frames of a slice
	fillValues = 20_000 // values (customer and counter) of a slice, about; the frame that reaches it is the last
)

// ErrTrimmed reports that a backfill cannot go on because the log no longer has the
// frames that it must read. It has to be given up.
var ErrTrimmed = errors.New("actors: the log no longer has the frames that are to be counted")

// Filler makes the backfill records of one partition out of its frames, which must be
// given in order from State.First on. Its records are a function of these frames alone,
// so a filler that starts again makes the same ones. It must be used by one goroutine at
// a time.
type Filler struct {
	workspace string
	state     State                   // of the backfill when the filler was made
	skips     control.Skips           // records that the shard passed over
	tally     *active.BackfillCounter // what the frames of the slice add up to
	dedupe    dedupe.Set              // event ids seen, as in the shard
	now       int64                   // log time, ms, as in the shard
	next      uint64                  // sequence of the frame that must come next
	frames    int                     // in the current slice so far
	slices    int                     // frames that make a slice
	n         uint64                  // number of the last record that was made
}

// NewFiller returns a filler that goes on with a backfill whose first retained frame is
// known (state.First is not 0). ids is the limit of the partition's dedupe set, 0 for the
// default: it must be the shard's, so that the same repetitions are recognised.
func NewFiller(workspace string, state State, skips control.Skips, ids int) *Filler {
	f := &Filler{
		workspace: workspace, state: state, skips: skips, dedupe: dedupe.New(), next: state.First, n: state.Marked,
		slices: fillFrames,
		tally:  active.NewBackfillCounter(state.Set, state.Asks),
	}
	if ids > 0 {
		f.dedupe.SetLimit(ids)
	}
	return f
}

// SliceAfter sets how many frames make a slice; the default is 512. A test sets fewer.
func (f *Filler) SliceAfter(frames int) { f.slices = frames }

// Frame counts the next frame; seq is its sequence. When a slice is full it returns the
// records of the slice, else none. done reports that they are the last ones, after which
// Frame must not be called again. The error is ErrTrimmed if seq is not the next
// sequence.
func (f *Filler) Frame(seq uint64, frame *stream.Frame) (records []stream.Record, done bool, err error) {
	if seq != f.next {
		return nil, false, fmt.Errorf("%w: frame %d comes, %d is the next", ErrTrimmed, seq, f.next)
	}
	f.next++
	f.now = max(f.now, frame.Time)
	f.dedupe.Evict(f.now)
	f.dedupe.Unsaved()
	for i := range frame.Records {
		if done = seq == f.state.Place.Seq && i >= f.state.Place.Index; done {
			break
		}
		f.record(seq, i, &frame.Records[i])
	}
	if seq <= f.state.Upto && !done {
		// An earlier filler has appended the records of this frame. It is read again only
		// so that repetitions of its events are recognised.
		return nil, false, nil
	}
	f.frames++
	if !done && f.frames < f.slices && f.tally.Len() < fillValues {
		return nil, false, nil
	}
	return f.cut(seq, done), done, nil
}

// record counts one record of a frame, if the shard counted it as an event of a customer
// of the workspace.
func (f *Filler) record(seq uint64, index int, r *stream.Record) {
	_, skipped := f.skips[control.RecordPosition{Seq: seq, Index: index}]
	if skipped || r.Kind != stream.KindEvent && r.Kind != stream.KindBroadcast {
		return
	}
	e, err := event.Decode(r.Data)
	if err != nil || !f.dedupe.Add(dedupe.EventHash(e.Workspace, e.Customer, e.ID), f.now) {
		// The shard made a dead letter of it, or dropped it as a repetition.
		return
	}
	if r.Kind == stream.KindEvent && e.Workspace == f.workspace && seq > f.state.Upto {
		e.Time = min(e.Time, f.now)
		f.tally.Event(&e, f.now)
	}
}

// Last returns the number of the last record that was made.
func (f *Filler) Last() uint64 { return f.n }

// cut ends the slice with the frame seq and returns its records: the values, then a mark.
func (f *Filler) cut(seq uint64, done bool) []stream.Record {
	var records []stream.Record
	add := func(r Record) {
		f.n++
		r.Workspace, r.K, r.N = f.workspace, f.state.K, f.n
		records = append(records, stream.Record{Kind: stream.KindFill, Data: r.Encode()})
	}
	for _, v := range f.tally.Take() {
		add(Record{Customer: v.Customer, Fill: v.Fill})
	}
	add(Record{First: f.state.First, Upto: seq, Done: done})
	f.frames = 0
	return records
}

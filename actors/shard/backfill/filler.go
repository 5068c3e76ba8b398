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

// Limits of a slice of the log whose values are appended together.
const (
	fillFrames = 512
	fillValues = 20_000
)

// ErrTrimmed means that a backfill cannot go on: the log no longer has what it must read.
var ErrTrimmed = errors.New("actors: the log no longer has the frames that are to be counted")

// Filler makes the fill records of one partition out of its frames, which it must be
// given from State.First on. It is a function of them alone: where a filler before it was
// cut off it makes the same records again. It belongs to one goroutine.
type Filler struct {
	workspace string
	state     State
	skips     control.Skips
	tally     *active.BackfillCounter
	dedupe    dedupe.Set
	now       int64
	next      uint64 // frame that comes next
	frames    int    // of the slice
	slices    int    // frames that make a slice
	n         uint64 // number of the last record that was made
}

// NewFiller goes on with a backfill whose first retained frame is known. ids is the limit
// of the partition's dedupe set, 0 for the default.
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

// SliceAfter has records come after so many frames; by default after 512.
func (f *Filler) SliceAfter(frames int) { f.slices = frames }

// Frame counts the next frame, which is seq in the log. When a slice is full it returns its records, numbered; done
// says that they are the last. After done it must not be called again.
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
		return nil, false, nil // only for what is a duplicate
	}
	f.frames++
	if !done && f.frames < f.slices && f.tally.Len() < fillValues {
		return nil, false, nil
	}
	return f.cut(seq, done), done, nil
}

func (f *Filler) record(seq uint64, index int, r *stream.Record) {
	_, skipped := f.skips[control.RecordPosition{Seq: seq, Index: index}]
	if skipped || r.Kind != stream.KindEvent && r.Kind != stream.KindBroadcast {
		return
	}
	e, err := event.Decode(r.Data)
	if err != nil || !f.dedupe.Add(dedupe.EventHash(e.Workspace, e.Customer, e.ID), f.now) {
		return // the shard put it aside, or dropped it
	}
	if r.Kind == stream.KindEvent && e.Workspace == f.workspace && seq > f.state.Upto {
		e.Time = min(e.Time, f.now)
		f.tally.Event(&e, f.now)
	}
}

// Last is the number of the last record that was made.
func (f *Filler) Last() uint64 { return f.n }

// cut are the records of the slice that ends with a frame.
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

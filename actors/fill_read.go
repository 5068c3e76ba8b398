package actors

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/campaign"
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
	state     FillState
	skips     Skips
	tally     *campaign.Tally
	dedupe    dedupe
	now       int64
	next      uint64 // frame that comes next
	frames    int    // of the slice
	slices    int    // frames that make a slice
	n         uint64 // number of the last record that was made
}

// NewFiller goes on with a backfill whose first retained frame is known. ids is the limit
// of the partition's dedupe set, 0 for the default.
func NewFiller(workspace string, state FillState, skips Skips, ids int) *Filler {
	f := &Filler{
		workspace: workspace, state: state, skips: skips, dedupe: newDedupe(), next: state.First, n: state.Marked,
		slices: fillFrames,
		tally:  campaign.NewTally(state.Set, state.Asks),
	}
	if ids > 0 {
		f.dedupe.limit = ids
	}
	return f
}

// Begin is the record that says with which frame the retained log began.
func (s FillState) Begin(workspace string, first uint64) []stream.Record {
	r := FillRecord{Workspace: workspace, K: s.K, N: s.Marked + 1, First: first, Upto: first - 1}
	return []stream.Record{{Kind: stream.KindFill, Data: r.Encode()}}
}

// Frame counts the next frame. When a slice is full it returns its records, numbered; done
// says that they are the last. After done it must not be called again.
func (f *Filler) Frame(in *Input) (records []stream.Record, done bool, err error) {
	if in.At.Seq != f.next {
		return nil, false, fmt.Errorf("%w: frame %d comes, %d is the next", ErrTrimmed, in.At.Seq, f.next)
	}
	f.next++
	f.now = max(f.now, in.Frame.Time)
	f.dedupe.evict(f.now)
	f.dedupe.gone = f.dedupe.gone[:0]
	for i := range in.Frame.Records {
		if done = in.At.Seq == f.state.Place.Seq && i >= f.state.Place.Index; done {
			break
		}
		f.record(in, i)
	}
	if in.At.Seq <= f.state.Upto && !done {
		return nil, false, nil // only for what is a duplicate
	}
	f.frames++
	if !done && f.frames < f.slices && f.tally.Len() < fillValues {
		return nil, false, nil
	}
	return f.cut(in.At.Seq, done), done, nil
}

func (f *Filler) record(in *Input, i int) {
	r := &in.Frame.Records[i]
	_, skipped := f.skips[Place{in.At.Seq, i}]
	if skipped || r.Kind != stream.KindEvent && r.Kind != stream.KindBroadcast {
		return
	}
	e, err := campaign.DecodeEvent(r.Data)
	if err != nil || !f.dedupe.add(eventHash(e.Workspace, e.Customer, e.ID), f.now) {
		return // the shard put it aside, or dropped it
	}
	if r.Kind == stream.KindEvent && e.Workspace == f.workspace && in.At.Seq > f.state.Upto {
		e.Time = min(e.Time, f.now)
		f.tally.Event(&e, f.now)
	}
}

// cut are the records of the slice that ends with a frame.
func (f *Filler) cut(seq uint64, done bool) []stream.Record {
	var records []stream.Record
	add := func(r FillRecord) {
		f.n++
		r.Workspace, r.K, r.N = f.workspace, f.state.K, f.n
		records = append(records, stream.Record{Kind: stream.KindFill, Data: r.Encode()})
	}
	for _, v := range f.tally.Take() {
		add(FillRecord{Customer: v.Customer, Fill: v.Fill})
	}
	add(FillRecord{First: f.state.First, Upto: seq, Done: done})
	f.frames = 0
	return records
}

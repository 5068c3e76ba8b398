// Package history reads the calls that customers made from where they are kept: the log of a
// server that runs, the log in a data directory, or a file. It gives them one after the other
// in the order of their times, for simulations and counts of hits. It changes nothing of what
// it reads.
package history

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/stream"
)

// Source gives calls in the order of their times. Next returns io.EOF after the last.
type Source interface{ Next() (Call, error) }

// Log is the log of a server as a simulation reads it: its frames, a partition at a time, up
// to where it ended when it was opened. Events that come later are not seen, so that a
// simulation ends.
type Log interface {
	// Extents returns what there is of each partition, by its number. It does not change.
	Extents() []Extent
	// Frames returns some frames of a partition from a sequence on, at least one; from must be
	// within the partition's extent. An error may mean that the frames were trimmed meanwhile.
	Frames(partition int, from uint64) ([]stream.Frame, error)
}

// Extent is the range of frames of a partition that the log still has. The JSON is that of GET /v1/log.
type Extent struct {
	// First is the sequence of the first frame, 1 or more.
	First uint64 `json:"first"`
	// Last is the sequence of the last frame; it is below First when there is none.
	Last uint64 `json:"last"`
	// FirstTime is the log time of the first frame, in ms since 1970.
	FirstTime int64 `json:"first_time"`
	// Skipped are the records that the server passed over; they count for nothing here too.
	Skipped []Skip `json:"skipped"`
}

// Skip is the place of a record that the server passed over: its frame and the index in it.
type Skip struct {
	Seq   uint64 `json:"seq"`
	Index int    `json:"index"`
}

// Call is a call and when it came.
type Call struct {
	Event event.Event
	// At is log time in ms: when the server applied the call, as opposed to when it happened.
	At int64
}

// Calls gives the calls of a log in the order of their log times; those of one instant by
// partition, then as they stand in it. It merges the partitions, each of which is in order
// already. It belongs to one goroutine.
type Calls struct {
	log Log
	// since is the log time (ms) before which calls are left out.
	since int64
	// cursors is a heap: the cursor with the earliest call is first. Each has at least one
	// call.
	cursors []*cursor
	// broadcasts are the ids of the broadcasts that were given out.
	broadcasts map[string]bool
}

// cursor is how far one partition is read.
type cursor struct {
	partition int
	// next is the frame to be read next, and last the last one.
	next uint64
	last uint64
	// now is the log time of the partition (ms), which never goes back.
	now int64
	// skipped are the records of the partition that count for nothing.
	skipped map[Skip]bool
	// calls are read and not given out yet.
	calls []Call
}

// New begins with the calls that came at or after since (ms; 0: all). It reads the first
// frames of each partition. An error is the log's.
func New(log Log, since int64) (*Calls, error) {
	h := &Calls{log: log, since: since, broadcasts: map[string]bool{}}
	for p, x := range log.Extents() {
		c := &cursor{partition: p, next: x.First, last: x.Last, skipped: map[Skip]bool{}}
		for _, s := range x.Skipped {
			c.skipped[s] = true
		}
		if more, err := h.fill(c); err != nil {
			return nil, err
		} else if more {
			h.cursors = append(h.cursors, c)
		}
	}
	// Cursors without a call were left out: a partition may have none since then.
	heap.Init((*byTime)(&h.cursors))
	return h, nil
}

// Next implements [Source].
func (h *Calls) Next() (Call, error) {
	for len(h.cursors) > 0 {
		c := h.cursors[0]
		call := c.calls[0]
		c.calls = c.calls[1:]
		more, err := h.fill(c)
		if err != nil {
			return call, err
		}
		// The cursor has another time now, or nothing left.
		if more {
			heap.Fix((*byTime)(&h.cursors), 0)
		} else {
			heap.Pop((*byTime)(&h.cursors))
		}
		// A broadcast stands in every partition, and is one call.
		if call.Event.Customer == "" {
			if h.broadcasts[call.Event.ID] {
				continue
			}
			h.broadcasts[call.Event.ID] = true
		}
		return call, nil
	}
	return Call{}, io.EOF
}

// fill reads on until the cursor has a call; it returns false when the partition has no more.
func (h *Calls) fill(c *cursor) (more bool, err error) {
	for len(c.calls) == 0 && c.next <= c.last {
		frames, err := h.log.Frames(c.partition, c.next)
		if err != nil {
			return false, err
		}
		for i := range frames {
			if err := h.take(c, &frames[i]); err != nil {
				return false, err
			}
		}
	}
	return len(c.calls) > 0, nil
}

// take adds the calls of one frame that are wanted to a cursor.
func (h *Calls) take(c *cursor, f *stream.Frame) error {
	seq := c.next
	c.next++
	c.now = max(c.now, f.Time)
	for i := range f.Records {
		r := &f.Records[i]
		// Other records, such as results of sends, are what a simulation computes itself.
		if r.Kind != stream.KindEvent && r.Kind != stream.KindBroadcast || c.now < h.since || c.skipped[Skip{seq, i}] {
			continue
		}
		e, err := event.Decode(r.Data)
		if err != nil {
			return fmt.Errorf("partition %d, frame %d, record %d: %w", c.partition, seq, i, err)
		}
		// As the engine does: an event cannot have happened after it came.
		e.Time = min(e.Time, c.now)
		c.calls = append(c.calls, Call{e, c.now})
	}
	return nil
}

// byTime implements heap.Interface over cursors, by the time of their next call, then
// partition.
type byTime []*cursor

func (b *byTime) Len() int { return len(*b) }
func (b *byTime) Less(i, j int) bool {
	x, y := (*b)[i], (*b)[j]
	return x.calls[0].At < y.calls[0].At || x.calls[0].At == y.calls[0].At && x.partition < y.partition
}
func (b *byTime) Swap(i, j int) { (*b)[i], (*b)[j] = (*b)[j], (*b)[i] }
func (b *byTime) Push(any)      { panic("BUG: a cursor is added to a history that runs") }
func (b *byTime) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}

// Reach returns a sentence that says from when on a log has everything, and how many frames it
// has. A log without frames is an error. The latest beginning of a partition counts, since
// only from then on the log has all customers.
func Reach(extents []Extent) (text string, frames int, err error) {
	whole, begins := true, int64(0)
	var parts []string
	for p, x := range extents {
		if x.Last < max(x.First, 1) {
			continue
		}
		frames += int(x.Last - x.First + 1)
		begins = max(begins, x.FirstTime)
		// Earlier frames were trimmed.
		if x.First > 1 {
			whole = false
			parts = append(parts, fmt.Sprintf("partition %d from %s", p, unit.FormatTime(x.FirstTime)))
		}
	}
	switch {
	case frames == 0:
		return "", 0, errors.New("the log has no frames")
	case whole:
		return "the log is there from its beginning", frames, nil
	}
	return fmt.Sprintf("the log reaches back to %s (%s); customers begin anew there: traits, counters and chains from "+
		"before are not known", unit.FormatTime(begins), strings.Join(parts, ", ")), frames, nil
}

// skipsOf returns the records of a partition that control records pass over.
func skipsOf(control []control.Record, partition int) []Skip {
	var all []Skip
	for i := range control {
		if s := control[i].Skip; s != nil && s.Partition == partition {
			all = append(all, Skip{s.Seq, s.Index})
		}
	}
	return all
}

// Package history reads the calls that customers made from where they are kept: the log of a
// server that runs, the log in a data directory, or a file.
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

// Source gives calls in the order of their times; io.EOF after the last.
type Source interface{ Next() (Call, error) }

// Log is the log of a server as a simulation reads it: its frames, a partition at a
// time, up to where it ended when it was opened.
type Log interface {
	// Extents says what there is of each partition.
	Extents() []Extent
	// Frames are some frames of a partition from a sequence on, at least one.
	Frames(partition int, from uint64) ([]stream.Frame, error)
}

// Extent is what a log has of a partition.
type Extent struct {
	First     uint64 `json:"first"`      // sequence of the first frame
	Last      uint64 `json:"last"`       // of the last; below First when there is none
	FirstTime int64  `json:"first_time"` // log time of the first, ms
	Skipped   []Skip `json:"skipped"`
}

// Skip is a record that the server passed over.
type Skip struct {
	Seq   uint64 `json:"seq"`
	Index int    `json:"index"`
}

// Call is a call and when it came.
type Call struct {
	Event event.Event
	At    int64 // log time, ms
}

// Calls gives the calls of a log in the order of their log times; those of one instant
// by partition, then as they stand in it.
type Calls struct {
	log        Log
	since      int64
	cursors    []*cursor // a heap
	broadcasts map[string]bool
}

// cursor is how far a partition is read.
type cursor struct {
	partition int
	next      uint64 // frame to be read
	last      uint64
	now       int64
	skipped   map[Skip]bool
	calls     []Call // not given out yet
}

// New begins with the calls that came at or after since (ms).
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
		if more {
			heap.Fix((*byTime)(&h.cursors), 0)
		} else {
			heap.Pop((*byTime)(&h.cursors))
		}
		if call.Event.Customer == "" { // a broadcast stands in every partition
			if h.broadcasts[call.Event.ID] {
				continue
			}
			h.broadcasts[call.Event.ID] = true
		}
		return call, nil
	}
	return Call{}, io.EOF
}

// fill reads on until the cursor has a call; false when there is none any more.
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

func (h *Calls) take(c *cursor, f *stream.Frame) error {
	seq := c.next
	c.next++
	c.now = max(c.now, f.Time)
	for i := range f.Records {
		r := &f.Records[i]
		if r.Kind != stream.KindEvent && r.Kind != stream.KindBroadcast || c.now < h.since || c.skipped[Skip{seq, i}] {
			continue
		}
		e, err := event.Decode(r.Data)
		if err != nil {
			return fmt.Errorf("partition %d, frame %d, record %d: %w", c.partition, seq, i, err)
		}
		e.Time = min(e.Time, c.now)
		c.calls = append(c.calls, Call{e, c.now})
	}
	return nil
}

// byTime is a heap of cursors by the time of their next call, then partition.
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

// Reach says from when on a log has everything, and how many frames it has. A log without
// frames is an error.
func Reach(extents []Extent) (text string, frames int, err error) {
	whole, begins := true, int64(0)
	var parts []string
	for p, x := range extents {
		if x.Last < max(x.First, 1) {
			continue
		}
		frames += int(x.Last - x.First + 1)
		begins = max(begins, x.FirstTime)
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

// skipsOf are the records of a partition that the control log has passed over.
func skipsOf(control []control.Record, partition int) []Skip {
	var all []Skip
	for i := range control {
		if s := control[i].Skip; s != nil && s.Partition == partition {
			all = append(all, Skip{s.Seq, s.Index})
		}
	}
	return all
}

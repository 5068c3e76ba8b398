package main

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/stream"
)

// pastLog is the log of a server as a simulation reads it: its frames, a partition at a
// time, up to where it ended when it was opened.
type pastLog interface {
	// extents says what there is of each partition.
	extents() []extent
	// frames are some frames of a partition from a sequence on, at least one.
	frames(partition int, from uint64) ([]stream.Frame, error)
}

// extent is what a log has of a partition.
type extent struct {
	First     uint64 `json:"first"`      // sequence of the first frame
	Last      uint64 `json:"last"`       // of the last; below First when there is none
	FirstTime int64  `json:"first_time"` // log time of the first, ms
	Skipped   []skip `json:"skipped"`
}

// skip is a record that the server passed over.
type skip struct {
	Seq   uint64 `json:"seq"`
	Index int    `json:"index"`
}

// pastCall is a call and when it came.
type pastCall struct {
	event campaign.Event
	at    int64 // log time, ms
}

// history gives the calls of a log in the order of their log times; those of one instant
// by partition, then as they stand in it.
type history struct {
	log        pastLog
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
	skipped   map[skip]bool
	calls     []pastCall // not given out yet
}

// newHistory begins with the calls that came at or after since (ms).
func newHistory(log pastLog, since int64) (*history, error) {
	h := &history{log: log, since: since, broadcasts: map[string]bool{}}
	for p, x := range log.extents() {
		c := &cursor{partition: p, next: x.First, last: x.Last, skipped: map[skip]bool{}}
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

// next is the next call; io.EOF after the last.
func (h *history) next() (pastCall, error) {
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
		if call.event.Customer == "" { // a broadcast stands in every partition
			if h.broadcasts[call.event.ID] {
				continue
			}
			h.broadcasts[call.event.ID] = true
		}
		return call, nil
	}
	return pastCall{}, io.EOF
}

// fill reads on until the cursor has a call; false when there is none any more.
func (h *history) fill(c *cursor) (more bool, err error) {
	for len(c.calls) == 0 && c.next <= c.last {
		frames, err := h.log.frames(c.partition, c.next)
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

func (h *history) take(c *cursor, f *stream.Frame) error {
	seq := c.next
	c.next++
	c.now = max(c.now, f.Time)
	for i := range f.Records {
		r := &f.Records[i]
		if r.Kind != stream.KindEvent && r.Kind != stream.KindBroadcast || c.now < h.since || c.skipped[skip{seq, i}] {
			continue
		}
		e, err := campaign.DecodeEvent(r.Data)
		if err != nil {
			return fmt.Errorf("partition %d, frame %d, record %d: %w", c.partition, seq, i, err)
		}
		e.Time = min(e.Time, c.now)
		c.calls = append(c.calls, pastCall{e, c.now})
	}
	return nil
}

// byTime is a heap of cursors by the time of their next call, then partition.
type byTime []*cursor

func (b *byTime) Len() int { return len(*b) }
func (b *byTime) Less(i, j int) bool {
	x, y := (*b)[i], (*b)[j]
	return x.calls[0].at < y.calls[0].at || x.calls[0].at == y.calls[0].at && x.partition < y.partition
}
func (b *byTime) Swap(i, j int) { (*b)[i], (*b)[j] = (*b)[j], (*b)[i] }
func (b *byTime) Push(any)      { panic("BUG: a cursor is added to a history that runs") }
func (b *byTime) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}

// reach says from when on a log has everything, and how many frames it has.
func reach(extents []extent) (text string, frames int, err error) {
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
			parts = append(parts, fmt.Sprintf("partition %d from %s", p, campaign.FormatTime(x.FirstTime)))
		}
	}
	switch {
	case frames == 0:
		return "", 0, errors.New("the log has no frames")
	case whole:
		return "the log is there from its beginning", frames, nil
	}
	return fmt.Sprintf("the log reaches back to %s (%s); customers begin anew there: traits, counters and chains from "+
		"before are not known", campaign.FormatTime(begins), strings.Join(parts, ", ")), frames, nil
}

// skipsOf are the records of a partition that the control log has passed over.
func skipsOf(control []control.Record, partition int) []skip {
	var all []skip
	for i := range control {
		if s := control[i].Skip; s != nil && s.Partition == partition {
			all = append(all, skip{s.Seq, s.Index})
		}
	}
	return all
}

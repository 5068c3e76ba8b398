package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/stream"
)

// encoded holds the records of one request, by partition. It keeps its memory for the next
// request and belongs to one goroutine.
type encoded struct {
	// records alias buf, and are valid until the next fill.
	records [][]stream.Record
	// buf has the records one after the other; ends says where each ends.
	buf  []byte
	ends []mark
}

// mark says where a record ends in the buffer, and where it belongs.
type mark struct {
	partition, end int
	kind           stream.Kind
}

// newEncoded returns an empty one.
func newEncoded(partitions int) *encoded {
	return &encoded{records: make([][]stream.Record, partitions)}
}

// fill encodes a request's events and rejects. The buffer may move while it grows, so the
// records are cut out of it at the end.
func (r *encoded) fill(events []event.Event, rejects []rejected) error {
	r.buf, r.ends = r.buf[:0], r.ends[:0]
	n := len(r.records)
	for i := range events {
		e := &events[i]
		// A broadcast concerns the customers of all partitions, and each partition gets a
		// copy.
		if e.Customer == "" {
			for p := range n {
				r.buf = e.AppendTo(r.buf)
				r.ends = append(r.ends, mark{p, len(r.buf), stream.KindBroadcast})
			}
			continue
		}
		r.buf = e.AppendTo(r.buf)
		r.ends = append(r.ends, mark{stream.PartitionOf(e.Workspace, e.Customer, n), len(r.buf), stream.KindEvent})
	}
	for i := range rejects {
		data, err := json.Marshal(&rejects[i].record)
		if err != nil {
			return fmt.Errorf("ingest: reject: %w", err)
		}
		r.buf = append(r.buf, data...)
		p := stream.PartitionOf(rejects[i].record.Workspace, rejects[i].record.Customer, n)
		r.ends = append(r.ends, mark{p, len(r.buf), stream.KindReject})
	}
	// A partition that has halted or is full refuses the whole request.
	for p := range r.records {
		r.records[p] = r.records[p][:0]
	}
	start := 0
	for _, m := range r.ends {
		r.records[m.partition] = append(r.records[m.partition], stream.Record{Kind: m.kind, Data: r.buf[start:m.end]})
		start = m.end
	}
	return nil
}

// publish hands the records over and waits until all are durable. Admission is asked for all
// partitions first, so that a request is not taken in part when one is full. When the log
// fails afterwards, some partitions may have their records; the client sends the request
// again, and events that have ids of their own are then recognised.
func (s *Server) publish(r *encoded) *problem {
	// Each partition has a writer of its own; they write at the same time.
	for p := range r.records {
		if len(r.records[p]) > 0 {
			if refusal := s.config.Admit(p); refusal != nil {
				return s.unavailable(refusal)
			}
		}
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	var failure error
	// Answers come from goroutines of the publisher; the first error counts.
	note := func(err error) {
		mu.Lock()
		if failure == nil {
			failure = err
		}
		mu.Unlock()
	}
	for p := range r.records {
		if len(r.records[p]) == 0 {
			continue
		}
		wait.Add(1)
		if err := s.config.Publisher.Add(p, r.records[p], func(err error) { note(err); wait.Done() }); err != nil {
			note(err)
			wait.Done()
		}
	}
	wait.Wait()
	if failure != nil {
		return s.unavailable(failure)
	}
	return nil
}

// ErrDisk is wrapped by the error of Config.Admit when there is too little room on the disk.
var ErrDisk = errors.New("the disk is nearly full")

// codeOf returns the stable code of what keeps the log from taking events.
func codeOf(err error) string {
	switch {
	case errors.Is(err, stream.ErrFull):
		return "log_full"
	case errors.Is(err, ErrDisk):
		return "disk_full"
	case errors.Is(err, stream.ErrBusy):
		return "busy"
	case errors.Is(err, stream.ErrClock):
		return "clock"
	case errors.Is(err, stream.ErrClosed):
		return "stopping"
	}
	return "log_unavailable"
}

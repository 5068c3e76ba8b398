package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/stream"
)

// encoded is the records of one request, by partition.
type encoded struct {
	records [][]stream.Record // by partition
	buf     []byte
	ends    []mark
}

// mark says where a record ends in the buffer.
type mark struct {
	partition, end int
	kind           stream.Kind
}

func newEncoded(partitions int) *encoded {
	return &encoded{records: make([][]stream.Record, partitions)}
}

// fill encodes a request's events and rejects. Records alias the buffer, which
// may move while it grows, so that they are cut at the end.
func (r *encoded) fill(events []event.Event, rejects []rejected) error {
	r.buf, r.ends = r.buf[:0], r.ends[:0]
	n := len(r.records)
	for i := range events {
		e := &events[i]
		if e.Customer == "" { // for everybody: a copy for each partition
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

// publish hands the records over and waits until all are durable.
func (s *Server) publish(r *encoded) *problem {
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

// ErrDisk in what Admit says: there is too little room on the disk.
var ErrDisk = errors.New("the disk is nearly full")

// codeOf is the stable code of what keeps the log from taking events.
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

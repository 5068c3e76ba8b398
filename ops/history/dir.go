package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/stream"
)

// DirLog is the log in the data directory of a server that is not running. It belongs to one
// goroutine; Close unlocks the directory.
type DirLog struct {
	unlock func() error
	log    *stream.JetStream
	events []stream.Stream
	what   []Extent
}

// OpenDir locks a data directory and opens its log, which reports damage to logger. The error
// wraps [datadir.ErrInUse] while a server has the directory; then the log can be had from that
// server.
func OpenDir(ctx context.Context, dir string, logger *slog.Logger) (_ *DirLog, err error) {
	d := new(DirLog)
	if d.unlock, err = datadir.Lock(dir); err != nil {
		return nil, err
	}
	// What is open already is closed again on an error.
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if d.log, err = datadir.OpenLog(dir, logger); err != nil {
		return nil, err
	}
	control, err := datadir.ReadControl(d.log)
	if err != nil {
		return nil, err
	}
	// The sizes count only for streams that are created, and these exist.
	for p := range control[0].Genesis.Partitions {
		s, err := d.log.Open(ctx, stream.EventStream(p), stream.Options{MaxBytes: 1 << 20})
		if err != nil {
			return nil, err
		}
		d.events = append(d.events, s)
		info, err := s.Info(ctx)
		if err != nil {
			return nil, err
		}
		// An empty log may begin anywhere; frames are numbered from 1.
		x := Extent{First: max(info.First, 1), Last: info.Last, Skipped: skipsOf(control, p)}
		d.what = append(d.what, x)
		// A partition without frames has no first time.
		if x.Last < x.First {
			continue
		}
		first, err := d.Frames(p, x.First)
		if err != nil {
			return nil, err
		}
		d.what[p].FirstTime = first[0].Time
	}
	return d, nil
}

// Extents implements [Log].
func (d *DirLog) Extents() []Extent { return d.what }

// Frames implements [Log], one frame at a time.
func (d *DirLog) Frames(partition int, from uint64) ([]stream.Frame, error) {
	m, err := d.events[partition].Get(context.Background(), from)
	if err != nil {
		return nil, fmt.Errorf("partition %d, frame %d: %w", partition, from, err)
	}
	f, err := stream.DecodeFrame(m.Data)
	return []stream.Frame{f}, err
}

// Close closes the log and unlocks the directory.
func (d *DirLog) Close() error {
	var err error
	if d.log != nil {
		err = d.log.Close()
	}
	return errors.Join(err, d.unlock())
}

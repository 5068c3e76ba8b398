package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/nudge-engine/nudge/stream"
)

// dataLog is the log in the data directory of a server that is not running.
type dataLog struct {
	lock   *flock.Flock
	log    *stream.JetStream
	events []stream.Stream
	what   []extent
}

// openDataLog locks a data directory and opens its log.
func openDataLog(ctx context.Context, out console, dir string) (_ *dataLog, err error) {
	d := &dataLog{lock: flock.New(filepath.Join(dir, "lock"))}
	locked, err := d.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("%s is in use: take the log from the server (leave --data out), or stop it", dir)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.log, err = stream.OpenEmbedded(stream.EmbeddedConfig{
		Dir: filepath.Join(dir, "log"), Logger: errorsOnly(out),
	}); err != nil {
		return nil, err
	}
	control, err := controlRecords(d.log)
	if err != nil {
		return nil, err
	}
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
		x := extent{First: max(info.First, 1), Last: info.Last, Skipped: skipsOf(control, p)}
		d.what = append(d.what, x)
		if x.Last < x.First {
			continue
		}
		first, err := d.frames(p, x.First)
		if err != nil {
			return nil, err
		}
		d.what[p].FirstTime = first[0].Time
	}
	return d, nil
}

func (d *dataLog) extents() []extent { return d.what }

func (d *dataLog) frames(partition int, from uint64) ([]stream.Frame, error) {
	m, err := d.events[partition].Get(context.Background(), from)
	if err != nil {
		return nil, fmt.Errorf("partition %d, frame %d: %w", partition, from, err)
	}
	f, err := stream.DecodeFrame(m.Data)
	return []stream.Frame{f}, err
}

func (d *dataLog) close() error {
	var err error
	if d.log != nil {
		err = d.log.Close()
	}
	return errors.Join(err, d.lock.Unlock())
}

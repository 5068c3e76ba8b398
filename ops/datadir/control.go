package datadir

import (
	"context"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/stream"
)

// ReadControl reads the whole control stream, in order; the first record is the genesis. An
// error says what to do when there is none: without it neither the number of partitions nor
// any definition is known.
func ReadControl(log *stream.JetStream) ([]control.Record, error) {
	ctx := context.Background()
	if _, found, err := log.Created(ctx, stream.ControlStream); err != nil || !found {
		return nil, errors.Join(err, fmt.Errorf("the log has no stream %s, which has campaigns, versions and limits: "+
			"put log/ and state/ back from a backup of one instant; without one, move the data "+
			"directory away and begin anew",
			stream.ControlStream))
	}
	// The size counts only for a stream that is created, and this one exists.
	ctl, err := log.Open(ctx, stream.ControlStream, stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		return nil, err
	}
	info, err := ctl.Info(ctx)
	if err != nil {
		return nil, err
	}
	var records []control.Record
	for k := uint64(1); k <= info.Last; k++ {
		m, err := ctl.Get(ctx, k)
		if err != nil {
			return nil, fmt.Errorf("control record %d: %w", k, err)
		}
		c, err := control.Decode(m.Data)
		if err != nil {
			return nil, err
		}
		records = append(records, c)
	}
	// The genesis is written before anything else; a log without one was cut off when it was
	// created.
	if len(records) == 0 || records[0].Genesis == nil {
		return nil, errors.New("the first control record does not say the number of partitions")
	}
	return records, nil
}

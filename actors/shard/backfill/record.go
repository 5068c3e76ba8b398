package backfill

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/internal/wire"
)

// maxFillWidth bounds the width of a window's slots in a stored record, ms: about 35
// years. A larger one is corrupt.
const maxFillWidth = 1 << 40

// Record is a log record of kind stream.KindFill: a part of what one customer did before
// a backfill, or a mark, which has no customer.
type Record struct {
	Workspace string
	Customer  string
	K         uint64 // number of the control record of the backfill
	N         uint64 // number among the records of the partition, from 1

	Fill active.BackfillCounts // the counts; not of a mark

	First uint64 // of a mark: sequence of the first retained frame
	Upto  uint64 // of a mark: all frames up to this one are counted
	Done  bool   // of a mark: it is the last record
}

// Encode returns the stored form: workspace, customer, k, n, and then the counts, or
// first, upto and done of a mark.
func (r *Record) Encode() []byte {
	b := wire.AppendString(nil, r.Workspace)
	b = wire.AppendString(b, r.Customer)
	b = wire.AppendUint(b, r.K)
	b = wire.AppendUint(b, r.N)
	if r.Customer != "" {
		return r.Fill.AppendTo(b)
	}
	b = wire.AppendUint(b, r.First)
	b = wire.AppendUint(b, r.Upto)
	return wire.AppendBool(b, r.Done)
}

// Decode decodes what Encode returned. Errors are of class wire.ErrCorrupt.
func Decode(p []byte) (Record, error) {
	d := wire.NewDecoder(p)
	r := Record{Workspace: d.String(), Customer: d.String(), K: d.Uint(), N: d.Uint()}
	if r.Customer != "" {
		r.Fill = active.DecodeFill(d)
	} else {
		r.First, r.Upto, r.Done = d.Uint(), d.Uint(), d.Bool()
	}
	err := d.Done()
	if err == nil && (r.Fill.Ask < 0 || r.Fill.Width < 0 || r.Fill.Width > maxFillWidth) {
		err = fmt.Errorf("%w: counter %d, slots of %d ms", wire.ErrCorrupt, r.Fill.Ask, r.Fill.Width)
	}
	if err != nil {
		return Record{}, fmt.Errorf("actors: fill record: %w", err)
	}
	return r, nil
}

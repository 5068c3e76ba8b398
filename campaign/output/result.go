package output

import (
	"fmt"

	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Verdict is how an attempt to hand a delivery to its channel ended.
type Verdict uint8

// How an attempt can end. The numbers are part of the stored format.
const (
	Accepted  Verdict = iota + 1 // the channel took it
	Temporary                    // it failed and may work later
	Permanent                    // it failed for good
)

// Result is the outcome of one attempt. The dispatcher writes it to the log as a record, so that the
// shard that decides about a retry learns it in the order of the log.
type Result struct {
	Workspace string
	Customer  string
	// Delivery and Attempt name the attempt. A result of an attempt that is no longer the current one
	// is ignored.
	Delivery ID
	Attempt  uint32
	Verdict  Verdict
	Detail   string // what the channel said, at most 200 bytes
	Reply    string // of a call: a JSON object of at most 4 KiB, empty when there is none
	Reason   Reason // of a Permanent that is not the channel's; empty: ReasonPermanent
}

// AppendTo appends the stored form of r to b. Reply and Reason came later: they are written only where
// they are set, at the end, so that results without them have the bytes that they always had.
func (r *Result) AppendTo(b []byte) []byte {
	b = wire.AppendString(b, r.Workspace)
	b = wire.AppendString(b, r.Customer)
	b = wire.AppendBytes(b, r.Delivery[:])
	b = wire.AppendUint(b, uint64(r.Attempt))
	b = append(b, byte(r.Verdict))
	b = wire.AppendString(b, clip.Text(r.Detail, 200))
	// The reason comes after the reply, so a reason needs a reply before it, even an empty one.
	if len(r.Reply) > 0 || r.Reason != NoReason {
		b = wire.AppendString(b, r.Reply)
	}
	if r.Reason != NoReason {
		b = wire.AppendString(b, string(r.Reason))
	}
	return b
}

// DecodeResult reads the stored form that AppendTo wrote. It fails with wire.ErrCorrupt where p is not
// exactly one valid result.
func DecodeResult(p []byte) (Result, error) {
	d := wire.NewDecoder(p)
	r := Result{Workspace: d.String(), Customer: d.String()}
	id := d.Bytes()
	copy(r.Delivery[:], id)
	r.Attempt = uint32(d.Uint())
	r.Verdict = Verdict(d.Byte())
	r.Detail = d.String()
	if d.Err() == nil && d.Len() > 0 {
		r.Reply = d.String()
	}
	if d.Err() == nil && d.Len() > 0 {
		r.Reason = Reason(d.String())
	}
	if err := d.Done(); err != nil {
		return Result{}, fmt.Errorf("campaign: result: %w", err)
	}
	if len(id) != len(r.Delivery) || len(r.Reply) > maxReply || r.Verdict < Accepted || r.Verdict > Permanent {
		return Result{}, fmt.Errorf("campaign: result: %w: delivery id of %d bytes, verdict %d",
			wire.ErrCorrupt, len(id), r.Verdict)
	}
	return r, nil
}

// maxReply is the greatest size in bytes of the reply to a call that is kept: it becomes part of the
// chain's stored state.
const maxReply = 4 << 10

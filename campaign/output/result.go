package output

import (
	"fmt"

	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Verdict is how an attempt at a delivery ended.
type Verdict uint8

// The verdicts. Their numbers are part of the stored format.
const (
	Accepted  Verdict = iota + 1 // the channel took it
	Temporary                    // it failed and may work later
	Permanent                    // it failed for good
)

// Result is the outcome of one attempt, as dispatch returns it through the log.
type Result struct {
	Workspace string
	Customer  string
	Delivery  ID
	Attempt   uint32
	Verdict   Verdict
	Detail    string // what the channel said, at most 200 bytes
	Reply     string // of a call: a JSON object of at most 4 KiB, empty when there is none
	Reason    Reason // of a Permanent that is not the channel's; empty: ReasonPermanent
}

// AppendTo appends the stored form of r.
func (r *Result) AppendTo(b []byte) []byte {
	b = wire.AppendString(b, r.Workspace)
	b = wire.AppendString(b, r.Customer)
	b = wire.AppendBytes(b, r.Delivery[:])
	b = wire.AppendUint(b, uint64(r.Attempt))
	b = append(b, byte(r.Verdict))
	b = wire.AppendString(b, clip.Text(r.Detail, 200))
	if len(r.Reply) > 0 || r.Reason != NoReason {
		b = wire.AppendString(b, r.Reply)
	}
	if r.Reason != NoReason {
		b = wire.AppendString(b, string(r.Reason))
	}
	return b
}

// DecodeResult reads what AppendTo wrote.
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

// maxReply bounds what is kept of a call's reply, bytes.
const maxReply = 4 << 10

package output

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Status is the state of a delivery.
type Status string

// Delivery is one message for one channel, or one later state of it.
type Delivery struct {
	ID        ID
	Workspace string
	Campaign  string
	Version   uint32
	Customer  string
	Key       string // of the chain
	Entry     uint32
	Step      string
	Channel   string
	Variant   string
	Status    Status
	Reason    Reason
	TriggerID string
	At        int64  // ms, when the state was reached
	Due       int64  // ms, when the step was planned
	Expires   int64  // ms, after which it may not leave
	Attempt   uint32 // 1 for the first
	Values    []byte // JSON object: variable path -> captured value; nil when none
	// Detail says more about the reason: what the channel said, the variable that is missing.
	// It is in the row of this state and not kept with a pending delivery.
	Detail string
}

// AppendTo appends the stored form of d.
func (d *Delivery) AppendTo(b []byte) []byte {
	b = append(b, d.ID[:]...)
	for _, s := range [...]string{
		d.Workspace, d.Campaign, d.Customer, d.Key, d.Step, d.Channel, d.Variant,
		string(d.Status), string(d.Reason), d.TriggerID,
	} {
		b = wire.AppendString(b, s)
	}
	b = wire.AppendUint(b, uint64(d.Version))
	b = wire.AppendUint(b, uint64(d.Entry))
	b = wire.AppendUint(b, uint64(d.Attempt))
	b = wire.AppendInt(b, d.At)
	b = wire.AppendInt(b, d.Due)
	b = wire.AppendInt(b, d.Expires)
	return wire.AppendBytes(b, d.Values)
}

// DecodeDelivery reads what Delivery.AppendTo wrote, from the front of d. Values
// alias its bytes.
func DecodeDelivery(d *wire.Decoder) Delivery { return DecodeSharedDelivery(d, nil) }

// DecodeSharedDelivery is DecodeDelivery for one who reads many: what repeats is that in
// names.
func DecodeSharedDelivery(d *wire.Decoder, names event.Names) Delivery {
	var v Delivery
	for i := range v.ID {
		v.ID[i] = d.Byte()
	}
	v.Workspace, v.Campaign, v.Customer = names.Of(d.Bytes()), names.Of(d.Bytes()), d.String()
	v.Key, v.Step, v.Channel = d.String(), names.Of(d.Bytes()), names.Of(d.Bytes())
	v.Variant, v.Status, v.Reason = names.Of(d.Bytes()), Status(names.Of(d.Bytes())), Reason(names.Of(d.Bytes()))
	v.TriggerID = d.String()
	v.Version, v.Entry, v.Attempt = uint32(d.Uint()), uint32(d.Uint()), uint32(d.Uint())
	v.At, v.Due, v.Expires = d.Int(), d.Int(), d.Int()
	v.Values = d.Bytes()
	return v
}

// The states of a delivery, in the order in which they can follow each other.
const (
	StatusDefer   Status = "deferred" // waits for quiet hours to end, or for a cap
	HandedOff     Status = "handed_off"
	StatusGhost   Status = "ghost"   // would have been handed off, to a held-out customer
	StatusDropped Status = "dropped" // never handed off
	StatusSent    Status = "sent"    // the channel took it
	StatusRetry   Status = "retrying"
	StatusFailed  Status = "failed"
	StatusRecall  Status = "recalled"
	StatusExpired Status = "expired"
)

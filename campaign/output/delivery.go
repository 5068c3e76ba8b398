package output

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Status is the state of a delivery. The values are stored, and are the ones in the rows of the
// warehouse.
type Status string

// Delivery is one message to one customer over one channel, in one of its states. The engine writes a
// Delivery each time the state changes; all of them have the same ID.
type Delivery struct {
	// ID is the same for every attempt and state; channels get it as the idempotency key. See
	// DeliveryID.
	ID        ID
	Workspace string
	Campaign  string
	// Version is the version of the campaign under which the delivery was decided, from 1.
	Version  uint32
	Customer string
	// Key is the re-entry key of the chain, for example a cart id; empty where the campaign has none.
	Key string
	// Entry is the number of the customer's entry into the campaign, from 1.
	Entry uint32
	// Step is the id of the send step.
	Step    string
	Channel string
	// Variant is the variant of the last experiment that the chain passed; empty where it passed none.
	Variant string
	Status  Status
	Reason  Reason
	// TriggerID is the id of the event that started the chain; empty where time started it.
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

// AppendTo appends the stored form of d to b. Detail is not part of it.
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

// DecodeDelivery reads the stored form that AppendTo wrote from the front of d. Values aliases the
// bytes of d; errors stay in d.
func DecodeDelivery(d *wire.Decoder) Delivery { return DecodeSharedDelivery(d, nil) }

// DecodeSharedDelivery is DecodeDelivery for callers that decode many deliveries: it takes the strings
// that repeat from names, so that all deliveries share one copy of each. names may be nil.
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

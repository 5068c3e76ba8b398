package event

import (
	"fmt"

	"github.com/nudge-engine/nudge/internal/wire"
)

// TransferKind is what the body of a transfer is.
type TransferKind uint8

// What the body of a transfer can be. The numbers are part of the stored format.
const (
	// TransferPart is a part of a customer's stored state. More parts follow.
	TransferPart TransferKind = iota + 1
	// TransferState is the last part of the state; it is empty where the anonymous customer had none.
	TransferState
	// TransferEvent is the stored form of an event that arrived for the anonymous customer after the
	// merge.
	TransferEvent
	// TransferResult is the stored form of a delivery's result (output.Result) that arrived after the
	// merge.
	TransferResult
)

// MaxTransferBody is the greatest size in bytes of one part of a state. A record of the log has at most
// 64 KiB, so a part fits with its ids. Events and results are within their own limits.
const MaxTransferBody = 32 << 10

// Transfer is one message from an anonymous customer who merged to the known customer. The two may be
// in different partitions, so transfers travel through the log. Those of one anonymous customer are
// numbered from 1 without gaps; the receiver applies each number once, which makes repeated delivery
// harmless.
type Transfer struct {
	Workspace string
	Customer  string // who receives it
	Source    string // the anonymous customer
	N         uint64
	Kind      TransferKind
	Body      []byte
}

// AppendTo appends the stored form of t: workspace, customer, source, n, kind, body.
func (t *Transfer) AppendTo(b []byte) []byte {
	b = wire.AppendString(b, t.Workspace)
	b = wire.AppendString(b, t.Customer)
	b = wire.AppendString(b, t.Source)
	b = wire.AppendUint(b, t.N)
	b = append(b, byte(t.Kind))
	return wire.AppendBytes(b, t.Body)
}

// DecodeTransfer reads the stored form that AppendTo wrote and checks its fields. It fails with
// wire.ErrCorrupt where p is not exactly one valid transfer. The body aliases p.
func DecodeTransfer(p []byte) (Transfer, error) {
	d := wire.NewDecoder(p)
	t := ReadTransfer(d)
	if err := d.Done(); err != nil {
		return Transfer{}, fmt.Errorf("campaign: transfer: %w", err)
	}
	if t.N == 0 || t.Kind < TransferPart || t.Kind > TransferResult || t.Customer == "" || t.Source == "" {
		return Transfer{}, fmt.Errorf("campaign: transfer: %w: number %d, kind %d", wire.ErrCorrupt, t.N, t.Kind)
	}
	return t, nil
}

// ReadTransfer reads the stored form that AppendTo wrote from the front of d, without the checks of
// DecodeTransfer; errors stay in d. It is for callers with more to read after it. The body aliases the
// bytes of d.
func ReadTransfer(d *wire.Decoder) Transfer {
	return Transfer{
		Workspace: d.String(), Customer: d.String(), Source: d.String(), N: d.Uint(), Kind: TransferKind(d.Byte()),
		Body: d.Bytes(),
	}
}

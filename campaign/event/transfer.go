package event

import (
	"fmt"

	"github.com/nudge-engine/nudge/internal/wire"
)

// TransferKind says what a transfer carries.
type TransferKind uint8

// The kinds of transfers. Their numbers are part of the stored format.
const (
	TransferPart   TransferKind = iota + 1 // a part of a stored customer; more follow
	TransferState                          // the last part
	TransferEvent                          // an event that came late, in stored form
	TransferResult                         // the result of a delivery, in stored form
)

// MaxTransferBody bounds the body of one transfer that is a part of a state, bytes. A
// record of the log has 64 KiB at most; an event or result fits by its own limits.
const MaxTransferBody = 32 << 10

// Transfer is what goes from an anonymous customer, who merged, to the known one. Those
// of one source are numbered from 1.
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

// DecodeTransfer reads what AppendTo wrote. The body aliases p.
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

// ReadTransfer reads what AppendTo wrote from the front of d, and checks nothing.
func ReadTransfer(d *wire.Decoder) Transfer {
	return Transfer{
		Workspace: d.String(), Customer: d.String(), Source: d.String(), N: d.Uint(), Kind: TransferKind(d.Byte()),
		Body: d.Bytes(),
	}
}

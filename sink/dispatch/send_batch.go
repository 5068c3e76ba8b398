package dispatch

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/wire"
)

// sendBatchFormat is the version of the encoding of messages in SEND_<channel>, their
// first byte.
const sendBatchFormat = 1

// sendBatch holds deliveries for one channel out of consecutive effect messages: all that
// the channel did not have yet, up to the last of them.
//
// Format 1: format byte, number of the last effect message (varint), count (varint),
// deliveries.
type sendBatch struct {
	effect     uint64 // the last effect message that it covers
	deliveries []output.Delivery
}

// encodeSendBatch encodes a batch; size is an estimate of its length, bytes.
func encodeSendBatch(effect uint64, deliveries []*output.Delivery, size int) []byte {
	b := append(make([]byte, 0, size), sendBatchFormat)
	b = wire.AppendUint(b, effect)
	b = wire.AppendUint(b, uint64(len(deliveries)))
	for _, d := range deliveries {
		b = d.AppendTo(b)
	}
	return b
}

// decodeSendBatch decodes what encodeSendBatch returned. Errors are of class
// wire.ErrCorrupt.
func decodeSendBatch(data []byte) (sendBatch, error) {
	d := wire.NewDecoder(data)
	if f := d.Byte(); d.Err() == nil && f != sendBatchFormat {
		return sendBatch{}, fmt.Errorf(
			"dispatch: send batch: %w: format %d; this program reads format %d",
			wire.ErrCorrupt,
			f,
			sendBatchFormat,
		)
	}
	p := sendBatch{effect: d.Uint()}
	for range d.Count(34) {
		p.deliveries = append(p.deliveries, output.DecodeDelivery(d))
	}
	if err := d.Done(); err != nil {
		return sendBatch{}, fmt.Errorf("dispatch: send batch: %w", err)
	}
	return p, nil
}

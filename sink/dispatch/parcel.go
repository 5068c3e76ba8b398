package dispatch

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/wire"
)

// parcelFormat is the version of what a message of SEND_<channel> carries.
const parcelFormat = 1

// parcel is the deliveries for one channel of effect messages in a row: all that the channel
// did not have before, up to the last of them. Format 1: format byte, number of the last
// effect message (varint), count (varint), deliveries.
type parcel struct {
	effect     uint64 // the last message
	deliveries []campaign.Delivery
}

// encodeParcel writes a parcel that is about size bytes long.
func encodeParcel(effect uint64, deliveries []*campaign.Delivery, size int) []byte {
	b := append(make([]byte, 0, size), parcelFormat)
	b = wire.AppendUint(b, effect)
	b = wire.AppendUint(b, uint64(len(deliveries)))
	for _, d := range deliveries {
		b = d.AppendTo(b)
	}
	return b
}

func decodeParcel(data []byte) (parcel, error) {
	d := wire.NewDecoder(data)
	if f := d.Byte(); d.Err() == nil && f != parcelFormat {
		return parcel{}, fmt.Errorf("dispatch: parcel: %w: format %d; this program reads format %d", wire.ErrCorrupt, f,
			parcelFormat)
	}
	p := parcel{effect: d.Uint()}
	for range d.Count(34) {
		p.deliveries = append(p.deliveries, campaign.DecodeDelivery(d))
	}
	if err := d.Done(); err != nil {
		return parcel{}, fmt.Errorf("dispatch: parcel: %w", err)
	}
	return p, nil
}

package plan

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/output"
)

// Batches groups the deliveries of consecutive effect messages of one partition by
// channel. The zero value is empty. It is not safe for concurrent use.
type Batches struct {
	channels []string // in the order in which they came
	by       map[string][]*output.Delivery
}

// Add adds the deliveries of effect message n that were handed off; other states of a delivery
// (sent, failed, recalled) are for the warehouse only. upTo returns the number of the last
// effect message of the partition whose deliveries are in the channel's stream; deliveries up to
// it are skipped. It may create that stream, and its error ends Add. Add keeps the pointers, not
// copies.
func (b *Batches) Add(n uint64, deliveries []output.Delivery, upTo func(channel string) (uint64, error)) error {
	for i := range deliveries {
		d := &deliveries[i]
		if d.Status != output.HandedOff {
			continue
		}
		last, err := upTo(d.Channel)
		if err != nil {
			return err
		}
		if n <= last {
			continue
		}
		if b.by == nil {
			b.by = map[string][]*output.Delivery{}
		}
		if b.by[d.Channel] == nil {
			b.channels = append(b.channels, d.Channel)
		}
		b.by[d.Channel] = append(b.by[d.Channel], d)
	}
	return nil
}

// Channels returns the channels with deliveries, sorted by name.
func (b *Batches) Channels() []string {
	slices.Sort(b.channels)
	return b.channels
}

// Of returns the deliveries of a channel, in the order in which they were added.
func (b *Batches) Of(channel string) []*output.Delivery { return b.by[channel] }

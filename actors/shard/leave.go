package shard

import (
	"errors"

	"github.com/nudge-engine/nudge/campaign/output"
)

// ErrBehind reports that a shard has not replayed as far as the question needs; it must
// be asked again.
var ErrBehind = errors.New("shard: behind what it is asked about")

// MayLeave reports whether an attempt of a delivery may be made now. effect is the number
// of the effect message that carried the delivery, end the last log sequence when the
// program started. A shard that has not come to both yet does not know the results that
// are in the log, so it answers ErrBehind. If the customer merged into another, into
// names that one and may is false: the answer is that of MayLeaveMerged in the other's
// shard.
func (o *Owner) MayLeave(d *output.Delivery, effect, end uint64) (may bool, into string, err error) {
	if n, _ := o.Shard.Emitted(); n < effect || o.Shard.Applied().Seq < end {
		return false, "", ErrBehind
	}
	if may, err = o.mayLeave(d, d.Customer); err != nil {
		return false, "", err
	}
	into = o.Shard.merges.into(d.Workspace, d.Customer)
	return may && into == "", into, nil
}

// MayLeaveMerged does what MayLeave does for a delivery whose customer merged into one of
// this shard. The delivery came with the merged state, so until that has arrived
// completely a no means nothing and the answer is ErrBehind.
func (o *Owner) MayLeaveMerged(d *output.Delivery, into string, end uint64) (bool, error) {
	if o.Shard.Applied().Seq < end {
		return false, ErrBehind
	}
	may, err := o.mayLeave(d, into)
	if err != nil || may {
		return may, err
	}
	c, _ := o.Shard.Customer(d.Workspace, into)
	if c == nil && o.Shard.Erased(d.Workspace, into) {
		return false, nil
	}
	if c == nil {
		return false, ErrBehind
	}
	if s := c.Source(d.Customer); s == nil || !s.Whole {
		return false, ErrBehind
	}
	return false, nil
}

// mayLeave loads a customer if needed and asks the shard.
func (o *Owner) mayLeave(d *output.Delivery, customer string) (bool, error) {
	if err := o.fetch(d.Workspace, customer); err != nil {
		return false, err
	}
	may, _ := o.Shard.MayLeave(d.Workspace, customer, d.ID, d.Attempt)
	return may, nil
}

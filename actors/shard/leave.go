package shard

import (
	"errors"

	"github.com/nudge-engine/nudge/campaign/output"
)

// ErrBehind means that a shard has not replayed up to what it is asked about.
var ErrBehind = errors.New("shard: behind what it is asked about")

// MayLeave answers whether an attempt of a delivery may be made now (R9). effect is the number
// of the message that carried the delivery, end the last log sequence when the program
// started: a shard that has not come to both knows nothing of later results, so it answers
// ErrBehind. When the customer merged into another, into names that customer and the answer
// is MayLeaveMerged of the shard they belong to.
func (o *Owner) MayLeave(d *output.Delivery, effect, end uint64) (may bool, into string, err error) {
	if n, _ := o.Shard.Emitted(); n < effect || o.Shard.Applied().Seq < end {
		return false, "", ErrBehind
	}
	if may, err = o.mayLeave(d, d.Customer); err != nil {
		return false, "", err
	}
	into = o.Shard.forwarded(d.Workspace, d.Customer)
	return may && into == "", into, nil
}

// MayLeaveMerged is MayLeave for a delivery whose customer merged into another, of this shard.
// Until the state of the merged customer has arrived completely the answer is ErrBehind.
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

func (o *Owner) mayLeave(d *output.Delivery, customer string) (bool, error) {
	if err := o.fetch(d.Workspace, customer); err != nil {
		return false, err
	}
	may, _ := o.Shard.MayLeave(d.Workspace, customer, d.ID, d.Attempt)
	return may, nil
}

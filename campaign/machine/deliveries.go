package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
)

// deliveries follows what was handed off until its result is known. Such deliveries are in the
// customer's Pending; one that is not there has ended, so each ends exactly once.
type deliveries struct {
	*turn
}

// settle writes a later status of a delivery, and the decision that says so. The values of the message
// are left out: they were written when it was handed off. It does not remove the delivery.
func (ds *deliveries) settle(d output.Delivery, status output.Status, kind output.Kind, reason output.Reason) {
	d.Status, d.Reason, d.At, d.Values = status, reason, ds.now, nil
	ds.out.delivery(d)
	ds.out.decide(output.Decision{
		Campaign: d.Campaign, Version: d.Version, Key: d.Key, Entry: d.Entry, Step: d.Step,
		Kind: kind, Reason: reason, Detail: d.Channel,
	})
}

// recall takes back what a chain handed off and no channel has taken yet. A channel that is sending
// it at this moment may still deliver it: a recall is not a promise.
func (ds *deliveries) recall(ch *customer.Chain) {
	kept := ds.c.Pending[:0]
	for _, p := range ds.c.Pending {
		if p.Delivery.Campaign != ch.Campaign || p.Delivery.Entry != ch.Entry {
			kept = append(kept, p)
			continue
		}
		ds.settle(p.Delivery, output.StatusRecall, output.Recalled, output.ReasonChainEnd)
	}
	clear(ds.c.Pending[len(kept):])
	ds.c.Pending = kept
}

// remove takes the delivery at an index out of those whose result is not known, and returns it.
func (ds *deliveries) remove(at int) customer.Pending {
	p := ds.c.Pending[at]
	ds.c.Pending = append(ds.c.Pending[:at], ds.c.Pending[at+1:]...)
	return p
}

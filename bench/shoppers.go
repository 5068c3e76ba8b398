package bench

import (
	"fmt"
	"time"
)

// shopChain is the campaign of shoppers: a cart is answered at once and after a day,
// and a purchase ends what waits. Each cart is a chain of its own.
func shopChain() string {
	return fmt.Sprintf(`apiVersion: nudge/v1
kind: Channel
metadata: {name: %[1]s}
spec: {type: console}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: cart}
spec:
  trigger: {event: {name: %[2]s}}
  reentry: {on_active: parallel}
  stop: [{event: %[3]s}]
  steps:
    - {id: now, send: {channel: %[1]s, inline: {body: "Your cart is kept."}}}
    - {id: pause, delay: 24h}
    - {id: remind, send: {channel: %[1]s, inline: {body: "Your cart waits."}}}
`, channelName, cartUpdated, orderCompleted)
}

// shoppers makes the calls of the workload with customers that belong to one connection, so
// that a customer's carts and purchases have one order whatever the connections do. It
// is the model of shopChain too.
type shoppers struct {
	calls                   *Generator
	connection, connections uint64
	waiting                 map[uint64]int // customer to carts without a later purchase
	fresh                   map[uint64]int // those of them that came in the batch being made
	sum                     shopped
}

// shopped is what shopChain must do.
type shopped struct {
	Carts     int `json:"carts"`     // each is answered at once
	Waiting   int `json:"waiting"`   // carts without a later purchase
	Cancelled int `json:"cancelled"` // carts with one
	// SameBatch are those of the cancelled whose purchase is in the cart's own request.
	SameBatch int `json:"cancelled_in_the_same_request"`
}

func newShoppers(w Workload, connection, connections int) *shoppers {
	w.Customers = max(1, w.Customers/connections)
	return &shoppers{
		calls: NewGenerator(w, connection), connection: uint64(connection), connections: uint64(connections),
		waiting: map[uint64]int{}, fresh: map[uint64]int{},
	}
}

// Batch implements source.
func (s *shoppers) Batch(b []byte, n int, now time.Time) (body []byte, deliveries int) {
	clear(s.fresh)
	b = append(b, `{"batch":[`...)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		var name string
		customer := s.calls.zipf.Uint64()*s.connections + s.connection
		b, name, _ = s.calls.callOf(b, customer, now)
		switch name {
		case cartUpdated:
			s.waiting[customer]++
			s.fresh[customer]++
			s.sum.Carts++
			s.sum.Waiting++
			deliveries++
		case orderCompleted:
			s.sum.Waiting -= s.waiting[customer]
			s.sum.Cancelled += s.waiting[customer]
			s.sum.SameBatch += s.fresh[customer]
			delete(s.waiting, customer)
			delete(s.fresh, customer)
		}
	}
	return append(b, `]}`...), deliveries
}

// shopLoad sends what shoppers do to url; sum is the model, after the load ended.
func (o Options) shopLoad(url string) (l *load, sum func() shopped) {
	all := make([]*shoppers, o.Connections)
	for i := range all {
		all[i] = newShoppers(o.Workload, i, o.Connections)
	}
	l = o.load(url, 0)
	l.source = func(connection int) source { return all[connection] }
	return l, func() shopped {
		var sum shopped
		for _, s := range all {
			sum.Carts += s.sum.Carts
			sum.Waiting += s.sum.Waiting
			sum.Cancelled += s.sum.Cancelled
			sum.SameBatch += s.sum.SameBatch
		}
		return sum
	}
}

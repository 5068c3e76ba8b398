package bench

import (
	"fmt"
	"strconv"
	"time"
)

// carts makes one event a customer: connection l of n takes the customers l, l+n, l+2n...
// So a run brings in exactly as many customers as it has events.
type carts struct {
	connection, connections int
	sent                    int
}

// cartChain is the campaign of carts: a chain with one timer, and one delivery after it.
func cartChain(delay time.Duration) string {
	return fmt.Sprintf(`apiVersion: nudge/v1
kind: Channel
metadata: {name: %s}
spec: {type: console}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: waiting}
spec:
  trigger: {event: {name: %s, where: event.properties.value >= 20}}
  steps:
    - {id: pause, delay: %ds}
    - {id: remind, send: {channel: %s, inline: {body: "Your cart waits."}}}
`, channelName, cartUpdated, int(delay.Seconds()), channelName)
}

// Batch implements source.
func (c *carts) Batch(b []byte, n int, now time.Time) (body []byte, deliveries int) {
	b = append(b, `{"batch":[`...)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"track","messageId":"`...)
		b = appendMessageID(b, c.connection, c.sent)
		b = append(b, `","userId":"`...)
		b = append(b, customerID(c.connection+c.sent*c.connections)...)
		b = append(b, `","timestamp":"`...)
		b = now.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
		b = append(b, `","event":"`...)
		b = append(b, cartUpdated...)
		b = append(b, `","properties":{"cart_id":"c`...)
		b = strconv.AppendInt(b, int64(c.sent), 10)
		b = append(b, `","value":42}}`...)
		c.sent++
	}
	return append(b, `]}`...), n
}

// cartLoad sends carts to url.
func (o Options) cartLoad(url string) *load {
	l := o.load(url, 0)
	l.source = func(connection int) source { return &carts{connection: connection, connections: o.Connections} }
	return l
}

// rounds is how many batches each connection sends to bring in at least count customers.
func (o Options) rounds(count int) int {
	each := o.Batch * o.Connections
	return (count + each - 1) / each
}

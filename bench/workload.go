package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// Workload is what is sent: the events of a shop. The same workload makes the
// same events, times apart.
type Workload struct {
	Seed      uint64
	Customers int // Zipf: some come often, most seldom
	Campaigns int
}

// Names of the shop's track calls.
const (
	productViewed  = "Product Viewed"
	cartUpdated    = "Cart Updated"
	orderCompleted = "Order Completed"
)

// Shares of the calls, in per cent; what is left are identify calls (sign-up).
const (
	percentViewed  = 65
	percentUpdated = 20
	percentOrdered = 10
)

// Shape of the Zipf distribution: the most frequent of 100,000 customers makes
// about one event in 500, so that no partition is mostly one customer.
const (
	zipfExponent = 1.1
	zipfOffset   = 100
)

// scores is the range of the property that campaigns look at.
const scores = 1_000_000

// Generator makes the calls of one connection. Connections of one workload never use the
// same message id. It belongs to one goroutine.
type Generator struct {
	rng        *rand.Rand
	zipf       *rand.Zipf
	model      model
	connection int
	sent       int // calls so far
}

// NewGenerator makes the generator of a connection.
func NewGenerator(w Workload, connection int) *Generator {
	rng := rand.New(rand.NewPCG(w.Seed, uint64(connection)))
	return &Generator{
		rng: rng, zipf: rand.NewZipf(rng, zipfExponent, zipfOffset, uint64(w.Customers-1)),
		model: newModel(w.Campaigns), connection: connection,
	}
}

// Batch appends the body of a request with n calls that happen at now, and says
// how many deliveries they cause.
func (g *Generator) Batch(b []byte, n int, now time.Time) (body []byte, deliveries int) {
	b = append(b, `{"batch":[`...)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		var causes bool
		if b, causes = g.call(b, now); causes {
			deliveries++
		}
	}
	return append(b, `]}`...), deliveries
}

func (g *Generator) call(b []byte, now time.Time) ([]byte, bool) {
	b, name, score := g.callOf(b, g.zipf.Uint64(), now)
	return b, g.model.causes(name, score)
}

// callOf appends a call of a customer; name is "" when it is no track call.
func (g *Generator) callOf(b []byte, customer uint64, now time.Time) (body []byte, name string, score int) {
	b = append(b, `{"messageId":"`...)
	b = appendMessageID(b, g.connection, g.sent)
	g.sent++
	b = append(b, `","userId":"customer-`...)
	b = strconv.AppendUint(b, customer, 10)
	b = append(b, `","timestamp":"`...)
	b = now.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","context":{"ip":"198.51.100.7","library":{"name":"analytics.js","version":"2.1.0"},`...)
	b = append(b, `"locale":"de-DE"},`...)
	switch p := g.rng.IntN(100); {
	case p < percentViewed:
		name = productViewed
	case p < percentViewed+percentUpdated:
		name = cartUpdated
	case p < percentViewed+percentUpdated+percentOrdered:
		name = orderCompleted
	default:
		return g.signUp(b, customer), "", 0
	}
	score = g.rng.IntN(scores)
	return g.track(b, name, score), name, score
}

// signUp is an identify call with the traits a shop has.
func (g *Generator) signUp(b []byte, customer uint64) []byte {
	b = append(b, `"type":"identify","traits":{"email":"customer-`...)
	b = strconv.AppendUint(b, customer, 10)
	b = append(b, `@shop.example","plan":"free","newsletter":true,"age":`...)
	b = strconv.AppendInt(b, int64(18+g.rng.IntN(60)), 10)
	return append(b, `}}`...)
}

func (g *Generator) track(b []byte, name string, score int) []byte {
	b = append(b, `"type":"track","event":"`...)
	b = append(b, name...)
	b = append(b, `","properties":{"score":`...)
	b = strconv.AppendInt(b, int64(score), 10)
	b = append(b, `,"value":`...)
	b = strconv.AppendInt(b, int64(g.rng.IntN(300)), 10)
	b = append(b, `.95,"currency":"EUR","product":"product-`...)
	b = strconv.AppendInt(b, int64(g.rng.IntN(5000)), 10)
	return append(b, `","category":"kitchen"}}`...)
}

// appendMessageID names call n of a connection; parseMessageID reads it back.
func appendMessageID(b []byte, connection, n int) []byte {
	b = append(b, "bench-"...)
	b = strconv.AppendInt(b, int64(connection), 10)
	b = append(b, '-')
	return strconv.AppendInt(b, int64(n), 10)
}

func parseMessageID(id string) (connection, n int, err error) {
	if _, err := fmt.Sscanf(id, "bench-%d-%d", &connection, &n); err != nil {
		return 0, 0, fmt.Errorf("bench: message id %q: %w", id, err)
	}
	return connection, n, nil
}

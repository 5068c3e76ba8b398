package campaign

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/internal/wire"
)

// How long an anonymous customer without a record is kept, of log time.
const (
	defaultIdle = 90 * dayMillis
	minIdle     = hourMillis
	neverIdle   = int64(-1) // they are kept for ever
)

// touch notes that a record of the log came about the customer: an anonymous one who
// stays without another is forgotten.
func (m *Machine) touch() {
	if m.deriving || !strings.HasPrefix(m.c.ID, AnonymousPrefix) {
		return
	}
	switch limit := m.set.rules.idle; limit {
	case neverIdle:
		m.c.idleAt = 0
	case 0:
		m.c.idleAt = m.now + defaultIdle
	default:
		m.c.idleAt = m.now + limit
	}
}

// expiry is when the customer is forgotten; 0 while something is under way: a live chain,
// a delivery without its result, an entry that is kept.
func (c *Customer) expiry() int64 {
	if c.idleAt == 0 || len(c.Pending) > 0 || len(c.queue) > 0 {
		return 0
	}
	for _, ch := range c.Chains {
		if ch.live() {
			return 0
		}
	}
	return c.idleAt
}

// Gone says that the customer is to be removed: nothing of them is kept.
func (c *Customer) Gone() bool { return c.gone }

// expire forgets the customer when that is due at or before limit. It is the last of the
// timers of its instant.
func (m *Machine) expire(limit int64) {
	if m.deriving {
		return
	}
	if at := m.c.expiry(); at != 0 && at <= limit {
		m.c.gone = true
		m.decide(Decision{Kind: Forgotten, Reason: ReasonIdle})
	}
}

// outlived says that the customer is to be forgotten before a timer that is due at an
// instant, by what fired so far: a late one of somebody who is gone would not fire.
func (m *Machine) outlived(due int64) bool {
	at := m.c.expiry()
	return at != 0 && at < due && !m.deriving && len(m.derived) == 0 && !m.profileChanged()
}

// anonymousExpiry reads a duration, or never.
func (r *reader) anonymousExpiry(n *yaml.Node, into *int64) {
	if r.drawn(Shape{Kind: ShapeAny, Any: []Shape{
		{Kind: ShapeWord, Words: []string{"never"}}, {Kind: ShapeDuration},
	}}) {
		return
	}
	if n.Value == "never" {
		*into = neverIdle
		return
	}
	if r.duration(n, "anonymous_expiry", into); *into != 0 && *into < minIdle {
		r.fail(n, "anonymous_expiry: must be at least 1h, or never")
	}
}

// idleSection keeps when an anonymous customer is forgotten.
//
//nudge:constant read only
var idleSection = section[*Customer]{
	tag:    40,
	has:    func(c *Customer) bool { return c.idleAt != 0 },
	append: func(c *Customer, b []byte) []byte { return wire.AppendInt(b, c.idleAt) },
	decode: func(c *Customer, d *wire.Decoder, _ Names) { c.idleAt = d.Int() },
}

package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Subject says what a consent is about: a category of messages, a channel, or being
// disturbed at all.
type Subject uint8

// What a consent can be about (Consent.Subject). The numbers are part of the stored format.
const (
	AboutCategory    Subject = iota + 1 // consent to a category
	AboutChannel                        // a channel preference
	AboutDisturbance                    // do not disturb: on a channel, or (empty name) at all
)

// Consent is the last thing that a customer said about a category of messages, about a channel, or
// about being disturbed.
type Consent struct {
	Subject Subject
	// Name names the category or channel; it may be empty for AboutDisturbance.
	Name string
	// Granted is the answer. For AboutDisturbance false means: do not disturb.
	Granted bool
	At      int64  // event time, ms
	Source  string // who or what says so, at most 100 bytes
}

// Consent returns what the customer said about a subject; nil where they said nothing. That is not the
// same as a refusal: whether a category needs consent is a question of the policies.
func (c *Customer) Consent(subject Subject, name string) *Consent {
	i := c.ConsentIndex(subject, name)
	if i < len(c.Consents) && c.Consents[i].Subject == subject && c.Consents[i].Name == name {
		return &c.Consents[i]
	}
	return nil
}

// ConsentIndex returns the index of a subject and name in c.Consents, which is sorted, or the index at
// which it would be inserted.
func (c *Customer) ConsentIndex(subject Subject, name string) int {
	return sort.Search(len(c.Consents), func(i int) bool {
		x := &c.Consents[i]
		return x.Subject > subject || x.Subject == subject && x.Name >= name
	})
}

// Refused reports whether the customer said no. It is false where they said nothing.
func (c *Customer) Refused(subject Subject, name string) bool {
	x := c.Consent(subject, name)
	return x != nil && !x.Granted
}

// Undisturbed reports whether the customer asked not to be disturbed, at all or on this channel.
func (c *Customer) Undisturbed(channel string) bool {
	return c.Refused(AboutDisturbance, "") || c.Refused(AboutDisturbance, channel)
}

// consentSection stores Customer.Consents, what the customer said about categories and channels.
//
//nudge:constant read only
var consentSection = section[*Customer]{
	tag: 10,
	has: func(c *Customer) bool { return len(c.Consents) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.Consents)))
		for i := range c.Consents {
			x := &c.Consents[i]
			b = wire.AppendString(append(b, byte(x.Subject)), x.Name)
			b = wire.AppendInt(wire.AppendBool(b, x.Granted), x.At)
			b = wire.AppendString(b, x.Source)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names event.Names) {
		for range d.Count(5) {
			c.Consents = append(c.Consents, Consent{
				Subject: Subject(d.Byte()), Name: names.Of(d.Bytes()), Granted: d.Bool(), At: d.Int(),
				Source: names.Of(d.Bytes()),
			})
		}
	},
}

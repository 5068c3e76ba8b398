package campaign

import (
	"sort"

	"github.com/nudge-engine/nudge/internal/wire"
)

// maxTags bounds the tags of one customer.
const maxTags = 1000

// Tagged says whether the customer has a tag.
func (c *Customer) Tagged(tag string) bool {
	i := sort.SearchStrings(c.Tags, tag)
	return i < len(c.Tags) && c.Tags[i] == tag
}

// Tag gives the customer a tag; false when they have it, or too many.
func (c *Customer) Tag(tag string) bool {
	i := sort.SearchStrings(c.Tags, tag)
	if i < len(c.Tags) && c.Tags[i] == tag || len(c.Tags) >= maxTags {
		return false
	}
	c.Tags = append(c.Tags, "")
	copy(c.Tags[i+1:], c.Tags[i:])
	c.Tags[i] = tag
	return true
}

// Untag takes a tag away; false when the customer does not have it.
func (c *Customer) Untag(tag string) bool {
	i := sort.SearchStrings(c.Tags, tag)
	if i == len(c.Tags) || c.Tags[i] != tag {
		return false
	}
	if c.Tags = append(c.Tags[:i], c.Tags[i+1:]...); len(c.Tags) == 0 {
		c.Tags = nil
	}
	return true
}

// tagSection keeps the tags.
//
//nudge:constant read only
var tagSection = section[*Customer]{
	tag: 20,
	has: func(c *Customer) bool { return len(c.Tags) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.Tags)))
		for _, tag := range c.Tags {
			b = wire.AppendString(b, tag)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names Names) {
		for range d.Count(1) {
			c.Tags = append(c.Tags, names.of(d.Bytes()))
		}
	},
}

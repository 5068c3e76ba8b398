package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Limits of a customer's tags.
const (
	maxTags     = 1000
	maxTagBytes = 255
)

// Tag gives the customer a tag. It says false when there is no room for it: the tag
// is longer than 255 bytes, or the customer has 1,000 others.
func (c *Customer) Tag(tag string) bool {
	i := sort.SearchStrings(c.Tags, tag)
	if i < len(c.Tags) && c.Tags[i] == tag {
		return true
	}
	if tag == "" || len(tag) > maxTagBytes || len(c.Tags) >= maxTags {
		return false
	}
	tags := make([]string, 0, len(c.Tags)+1) // a new list: the old one is compared with it
	tags = append(append(tags, c.Tags[:i]...), tag)
	c.Tags = append(tags, c.Tags[i:]...)
	return true
}

// Untag takes a tag away; it says whether the customer had it.
func (c *Customer) Untag(tag string) bool {
	i := sort.SearchStrings(c.Tags, tag)
	if i == len(c.Tags) || c.Tags[i] != tag {
		return false
	}
	var tags []string // a new list: the old one is compared with it
	c.Tags = append(append(tags, c.Tags[:i]...), c.Tags[i+1:]...)
	return true
}

// Tagged says whether the customer has a tag.
func (c *Customer) Tagged(tag string) bool {
	i := sort.SearchStrings(c.Tags, tag)
	return i < len(c.Tags) && c.Tags[i] == tag
}

func appendTags(c *Customer, b []byte) []byte {
	b = wire.AppendUint(b, uint64(len(c.Tags)))
	for _, t := range c.Tags {
		b = wire.AppendString(b, t)
	}
	return b
}

func decodeTags(c *Customer, d *wire.Decoder, names event.Names) {
	for range d.Count(1) {
		c.Tags = append(c.Tags, names.Of(d.Bytes()))
	}
}

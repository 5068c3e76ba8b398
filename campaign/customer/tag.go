package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Limits of the tags of one customer. Every record compares all tags before and after it, so they are
// few.
const (
	maxTags = 1000
	// maxTagBytes is the greatest length of one tag in bytes.
	maxTagBytes = 255
)

// Tag adds a tag to the customer. It returns false where it cannot be added: it is empty, longer than
// 255 bytes, or the customer has 1,000 others. A tag that the customer has already gives true.
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

// Untag removes a tag and reports whether the customer had it.
func (c *Customer) Untag(tag string) bool {
	i := sort.SearchStrings(c.Tags, tag)
	if i == len(c.Tags) || c.Tags[i] != tag {
		return false
	}
	var tags []string // a new list: the old one is compared with it
	c.Tags = append(append(tags, c.Tags[:i]...), c.Tags[i+1:]...)
	return true
}

// Tagged reports whether the customer has a tag.
func (c *Customer) Tagged(tag string) bool {
	i := sort.SearchStrings(c.Tags, tag)
	return i < len(c.Tags) && c.Tags[i] == tag
}

// appendTags appends the stored form of c.Tags.
func appendTags(c *Customer, b []byte) []byte {
	b = wire.AppendUint(b, uint64(len(c.Tags)))
	for _, t := range c.Tags {
		b = wire.AppendString(b, t)
	}
	return b
}

// decodeTags reads what appendTags wrote.
func decodeTags(c *Customer, d *wire.Decoder, names event.Names) {
	for range d.Count(1) {
		c.Tags = append(c.Tags, names.Of(d.Bytes()))
	}
}

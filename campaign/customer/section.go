package customer

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// section is a part of the stored form that only some customers, or chains, have. It is stored as a
// tag, the length, and the bytes. A customer without any section is stored in format 1, so that equal
// customers have equal bytes, whichever program version wrote them.
type section[T any] struct {
	tag uint64 // part of the stored format; never used again for something else
	// has reports whether the part is there to be stored.
	has func(T) bool
	// append appends the body of the section to bytes.
	append func(T, []byte) []byte
	// decode reads the body; errors stay in the decoder.
	decode func(T, *wire.Decoder, event.Names)
}

// customerSections are the sections of a customer, in the order of their tags.
//
//nudge:constant read only
var customerSections = []section[*Customer]{
	consentSection, capSection, holdSection,
	{20, func(c *Customer) bool { return len(c.Streaks) > 0 }, appendStreaks, decodeStreaks},
	{21, func(c *Customer) bool { return len(c.Dates) > 0 }, appendDates, decodeDates},
	{22, func(c *Customer) bool { return len(c.Levels) > 0 }, appendLevels, decodeLevels},
	{23, func(c *Customer) bool { return len(c.Windows) > 0 }, AppendWindows, DecodeWindows},
	{24, func(c *Customer) bool { return len(c.Tags) > 0 }, appendTags, decodeTags},
	{25, func(c *Customer) bool { return c.Toured > 0 }, appendToured, decodeToured},
	levelTimerSection,
	queueSection, idleSection,
	tombstoneSection, sourceSection, uncountedSection, unmetSection,
	notedSection, contextZoneSection, stampSection,
}

// chainSections are the sections of a chain, in the order of their tags. Tags of chains and of
// customers are numbered apart.
//
//nudge:constant read only
var chainSections = []section[*Chain]{
	heldOutSection, heldSection,
	variantSection, loopSection, reversalSection, plannedSection, stillSection, replySection,
	exposedSection, behindSection, startSection, firstStartSection,
	currencySection,
	originSection,
	partlySentSection,
}

// extended reports whether the customer has a section and needs format 2. In format 2 every chain has a
// list of sections, if only an empty one.
func (c *Customer) extended() bool {
	if anySection(customerSections, c) {
		return true
	}
	for _, ch := range c.Chains {
		if anySection(chainSections, ch) {
			return true
		}
	}
	return false
}

// anySection reports whether one of the sections has something to store.
func anySection[T any](all []section[T], of T) bool {
	for i := range all {
		if all[i].has(of) {
			return true
		}
	}
	return false
}

// appendSections appends the number of sections that have something to store, and those sections.
func appendSections[T any](b []byte, all []section[T], of T) []byte {
	n := uint64(0)
	for i := range all {
		if all[i].has(of) {
			n++
		}
	}
	b = wire.AppendUint(b, n)
	for i := range all {
		if all[i].has(of) {
			b = wire.AppendUint(b, all[i].tag)
			b = wire.AppendBytes(b, all[i].append(of, nil))
		}
	}
	return b
}

// decodeSections reads what appendSections wrote. An unknown tag is an error and not skipped: it comes
// from a newer program, and state that this one drops would be lost with the next snapshot.
func decodeSections[T any](d *wire.Decoder, all []section[T], of T, names event.Names) error {
	for range d.Count(2) {
		tag, body := d.Uint(), d.Bytes()
		known := false
		for i := range all {
			if all[i].tag != tag {
				continue
			}
			known = true
			inner := wire.NewDecoder(body)
			all[i].decode(of, inner, names)
			if err := inner.Done(); err != nil {
				return fmt.Errorf("section %d: %w", tag, err)
			}
		}
		if !known {
			return fmt.Errorf("%w: section %d is not known to this program", wire.ErrCorrupt, tag)
		}
	}
	return d.Err()
}

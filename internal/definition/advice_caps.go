package definition

import (
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// adviseCaps finds caps that a single chain of the campaign fills, so that its later messages are
// dropped or deferred because of its own earlier ones. For example, a cap of one message a day, and
// a chain that sends two within an hour.
func adviseCaps(p *program.Program, caps map[string]*program.Cap, say func(string, ...any)) {
	for _, name := range p.Policy.Caps {
		c := caps[name]
		if c == nil {
			continue
		}
		// The most that one chain can send within the window of the cap, whichever way it
		// takes.
		window := span(c)
		// Count what falls under the cap: the step's category, or the campaign's, or
		// marketing as the default. Transactional messages are never capped.
		most := p.MostSends(window, func(_ string, s *program.Send) int {
			category := s.Category
			if category == "" {
				category = p.Policy.Category
			}
			if category == "" {
				category = program.Marketing
			}
			if category == program.Transactional || c.Category != "" && c.Category != category {
				return 0
			}
			// A step sends on each of its channels, so it can count more than once.
			n := 0
			for _, channel := range s.Channels {
				if c.Channel == "" || c.Channel == channel {
					n++
				}
			}
			return n
		})
		if most > c.Limit {
			say("cap %s lets %d through in %s, and a chain sends up to %d in that time to a customer who does not "+
				"react: its own messages keep each other out", name, c.Limit, unit.FormatDuration(window), most)
		}
	}
}

// span returns the time over which a cap counts, in ms; for a calendar month that of the shortest,
// 28 days.
func span(c *program.Cap) int64 {
	const day = 24 * 3600 * 1000
	switch {
	case c.Window > 0:
		return c.Window
	case c.Per == zone.Week:
		return 7 * day
	case c.Per == zone.Month:
		return 28 * day
	}
	return day
}

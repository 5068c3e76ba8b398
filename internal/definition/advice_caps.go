package definition

import (
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// adviseCaps finds caps that a chain of the campaign fills alone, so that its own later
// messages do not pass.
func adviseCaps(p *program.Program, caps map[string]*program.Cap, say func(string, ...any)) {
	for _, name := range p.Policy.Caps {
		c := caps[name]
		if c == nil {
			continue
		}
		window := span(c)
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

// span is how long a cap counts, ms; of a month the shortest.
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

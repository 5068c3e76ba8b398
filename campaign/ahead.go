package campaign

// Ahead says whether a timer of the customer is ahead that does not come round for ever:
// any but those of dates that repeat.
func (s *Set) Ahead(c *Customer) bool {
	for _, ch := range c.Chains {
		if at := ch.wakeAt(); ch.live() && at != 0 && at < Never {
			return true
		}
	}
	for i := range c.Dates {
		if c.Dates[i].Due == 0 {
			continue
		}
		p := s.byName[c.Dates[i].Campaign]
		if p == nil {
			return true
		}
		if t, ok := p.Trigger.(*DateTrigger); !ok || t.Repeat == NoRepeat {
			return true
		}
	}
	for i := range c.Levels {
		if c.Levels[i].Due != 0 {
			return true
		}
	}
	return len(c.Watches) > 0 || len(c.Pending) > 0
}

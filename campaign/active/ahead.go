package active

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/program"
)

// HasOneShotTimers reports whether the customer has an armed timer that does not recur: a chain
// that will wake up, a date that is not repeated, a segment or threshold that is due for a look, a
// watched inactivity, or a delivery whose result is open. Recurring dates do not count, since they
// would be ahead forever. A simulation goes on while a customer has one.
func (s *Set) HasOneShotTimers(c *customer.Customer) bool {
	for _, ch := range c.Chains {
		if at := ch.WakeAt(); ch.Live() && at != 0 && at < customer.Never {
			return true
		}
	}
	for i := range c.Dates {
		if c.Dates[i].Due == 0 {
			continue
		}
		p := s.ByName[c.Dates[i].Campaign]
		// The campaign is gone, so it is not known whether the date recurs; a timer is assumed.
		if p == nil {
			return true
		}
		if t, ok := p.Trigger.(*program.DateTrigger); !ok || t.Repeat == program.NoRepeat {
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

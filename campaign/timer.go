package campaign

// timer is one due timer of the customer: of a chain, a watch, a date, a value that changes
// with time, or a pending delivery.
type timer struct {
	due      int64
	campaign string // empty for a delivery
	chain    *Chain
	watch    string
	date     int // index + 1
	level    bool
	pending  int // index
}

// before orders timers of one instant: deliveries, then campaigns by name, where the
// trigger stands behind the chains; those of equal rank in the order of their lists.
func (t *timer) before(other *timer) bool {
	if t.due != other.due {
		return t.due < other.due
	}
	if t.campaign != other.campaign {
		return t.campaign < other.campaign
	}
	return t.chain != nil && other.chain == nil
}

// nextTimer is the earliest timer due at or before limit.
func (m *Machine) nextTimer(limit int64) (best timer, found bool) {
	consider := func(t timer) {
		if t.due != 0 && t.due <= limit && (!found || t.before(&best)) {
			best, found = t, true
		}
	}
	for i := range m.c.Pending {
		consider(timer{due: m.c.Pending[i].wakeAt(), pending: i})
	}
	for _, ch := range m.c.Chains {
		consider(timer{due: ch.wakeAt(), campaign: ch.Campaign, chain: ch})
	}
	for i := range m.c.Watches {
		w := &m.c.Watches[i]
		consider(timer{due: w.Due, campaign: w.Campaign, watch: w.Campaign})
	}
	for i := range m.c.Dates {
		w := &m.c.Dates[i]
		consider(timer{due: w.Due, campaign: w.Campaign, date: i + 1})
	}
	for i := range m.c.Levels {
		l := &m.c.Levels[i]
		consider(timer{due: l.Due, campaign: l.Campaign, level: true})
	}
	return best, found
}

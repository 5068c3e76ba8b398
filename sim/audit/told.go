package audit

// told is when a trait was set: the event time, and the log time.
type told struct{ at, came int64 }

// What an identify call says is too old for a trait that a newer one set lately: by more than
// oldBy, since clients' clocks differ, within toldFor of log time. Both in ms.
const (
	oldBy   = 60_000
	toldFor = 24 * 3_600_000
)

// overwrites says whether an identify call may set a trait.
func (c *customer) overwrites(name string, e *Event) bool {
	known, ok := c.told[name]
	if !ok || e.Time >= known.at {
		return true
	}
	if e.Time < known.at-oldBy && c.a.now < known.came+toldFor {
		c.a.note(NoteOldTrait)
		return false
	}
	c.a.note(NoteOldTraitSet)
	return true
}

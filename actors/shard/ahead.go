package shard

// HasOneShotTimers says whether time alone will still bring something that does not come round for
// ever: not just schedules and dates that repeat. It looks at all customers.
func (s *Shard) HasOneShotTimers() bool {
	if s.HasBulkScan() || len(s.migration.slots) > 0 {
		return true
	}
	for _, h := range s.customers.all { //nudge:unordered it only matters whether there is one
		if h.c == nil && h.timer.Armed() || h.c != nil && s.defs.set(h.c.Workspace).HasOneShotTimers(h.c) {
			return true
		}
	}
	return false
}

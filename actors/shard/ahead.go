package shard

// HasOneShotTimers reports whether time alone will still bring something that does not
// recur: more than schedules and dates that repeat. A test or simulation asks whether it
// may stop. It looks at all customers; one that is not decoded counts if it has any
// timer.
func (s *Shard) HasOneShotTimers() bool {
	if s.HasBulkScan() || s.migration.pending() {
		return true
	}
	found := false
	s.customers.each(func(_ string, h *resident) {
		found = found || h.c == nil && h.timer.Armed() || h.c != nil && s.defs.set(h.c.Workspace).HasOneShotTimers(h.c)
	})
	return found
}

package customer

// MergeCounter adds what another customer, who merged into c, counted to c's counter of the same id.
func (c *Customer) MergeCounter(from *Counter) {
	to := c.EnsureCounter(from.ID)
	if from.Count > 0 && (to.Count == 0 || from.First < to.First) {
		to.First = from.First
	}
	if from.Count > 0 && (to.Count == 0 || from.Last > to.Last) {
		to.Last = from.Last
	}
	to.Count += from.Count
	to.Sums = addSums(to.Sums, from.Sums)
}

// MergeWindow adds the occurrences that another customer, who merged into c, has in a window to c's
// window of the same counter. The coarser of the two resolutions holds for both.
func (c *Customer) MergeWindow(from *Window) {
	to := c.EnsureWindow(from.Event)
	// Count what c has in the wider slots of the other before adding.
	if from.Width > to.Width {
		items := to.Items
		to.Width, to.Items = from.Width, nil
		for _, o := range items {
			o.Time = to.slot(o.Time)
			to.put(o)
		}
	}
	for _, o := range from.Items {
		o.Time = to.slot(o.Time)
		to.put(o)
	}
	for len(to.Items) > maxOccurrences {
		to.widen()
	}
}

// MergeEntries adds the entries into campaigns of other, who merged into c, to those of c: numbers are
// added, the times of the last entry and end are the later ones. Keys beyond MaxKeys of a campaign are
// left out.
func (c *Customer) MergeEntries(other *Customer) {
	keys := map[string]int{}
	for i := range c.Entries {
		if c.Entries[i].Keyed {
			keys[c.Entries[i].Campaign]++
		}
	}
	for i := range other.Entries {
		from := &other.Entries[i]
		if from.Keyed && c.Entry(from.Campaign, from.Key, true) == nil {
			if keys[from.Campaign] >= MaxKeys {
				continue // the known one has no room for new keys either
			}
			keys[from.Campaign]++
		}
		to := c.EnsureEntry(from.Campaign, from.Key, from.Keyed)
		to.Number += from.Number
		to.LastIn, to.LastOut = max(to.LastIn, from.LastIn), max(to.LastOut, from.LastOut)
	}
}

package audit

import (
	"cmp"
	"slices"
)

// Apply puts campaigns in force at this position of the log; they replace those of the same names.
// Live chains follow the new text from the step of the id at which they are, and a timer that runs
// goes by it too, but is not due before the customer's migration slot.
func (a *Auditor) Apply(campaigns []Campaign) {
	a.position++
	applied := map[string]bool{}
	startsWatching := map[string]bool{} // campaigns that begin to observe inactivity
	var begun []activation
	dropsStates := false // what triggers know of customers is dropped
	for i := range campaigns {
		next := campaigns[i]
		applied[next.Name] = true
		at, found := slices.BinarySearchFunc(a.campaigns, next.Name, func(c *Campaign, name string) int {
			return cmp.Compare(c.Name, name)
		})
		previous := Campaign{Status: Draft}
		if found {
			previous = *a.campaigns[at]
		}
		watched := previous.observes() && previous.Trigger.Kind == KindInactivity
		startsWatching[next.Name] = !watched && next.observes() && next.Trigger.Kind == KindInactivity
		begun = a.noteActivation(begun, at, found, previous, next)
		keepsState := next.observes() && sameTrigger(previous.Trigger, next.Trigger)
		dropsStates = dropsStates || previous.isStateful() && !keepsState
		if found {
			old := *a.campaigns[at]
			*a.campaigns[at] = next
			a.keepVersion(old, next)
			a.applyVersion(at, old)
			continue
		}
		a.campaigns = slices.Insert(a.campaigns, at, &next)
		for _, c := range a.customers {
			c.states = slices.Insert(c.states, at, campaignState{})
			for _, ch := range c.chains {
				if ch.campaign >= at {
					ch.campaign++
				}
			}
		}
	}
	before := a.counters
	a.updateRecordedNames()
	a.updateCounters()
	a.dropCounters(before, dropsStates)
	a.restartCounts()
	a.reschedule()
	scan, needed := &bulkScan{activates: true, due: a.now}, false
	for i := range a.campaigns {
		if startsWatching[a.campaigns[i].Name] {
			needed = true
			a.armForExisting(i, scan)
		}
		if a.campaigns[i].Trigger.Kind == KindDate && applied[a.campaigns[i].Name] && a.campaigns[i].observes() {
			needed = true
			a.redateExisting(i, scan)
		}
	}
	a.activate(begun, scan, needed)
}

// redateExisting plans the dates of a campaign that was applied for the customers who are there. What
// it newly plans counts from when the bulk scan reaches the customer.
func (a *Auditor) redateExisting(i int, scan *bulkScan) {
	for _, c := range a.customers {
		d := &c.states[i].dates
		old := d.planned
		a.redate(c, i)
		for k, p := range d.planned {
			stays := func(o occurrence) bool { return p.same(o) && p.due == o.due && !o.plannedBy.isAhead(c) }
			if !slices.ContainsFunc(old, stays) {
				d.planned[k].plannedBy = scan
			}
		}
	}
}

// armForExisting arms the inactivity timers of a campaign that begins to observe, for the customers
// who are there and whose instant is still ahead. plan is the bulk scan that reaches them.
func (a *Auditor) armForExisting(i int, scan *bulkScan) {
	t := a.campaigns[i].Trigger
	for _, c := range a.customers {
		s, latest := &c.states[i], a.latest(c, i)
		if s.armed || latest == nil || latest.Time+t.For.Milliseconds() <= a.now {
			continue
		}
		s.armedBy = scan
		s.armed, s.due, s.latest = true, latest.Time+t.For.Milliseconds(), latest
	}
}

// Campaigns returns the campaigns in force, by name.
func (a *Auditor) Campaigns() []Campaign {
	var all []Campaign
	for _, c := range a.campaigns {
		all = append(all, *c)
	}
	return all
}

// maxVersions is how many older versions of a campaign chains may keep.
const maxVersions = 16

// keepVersion keeps the version that a pin leaves to the chains of old. Any other new version takes
// all chains along, so no version is kept then.
func (a *Auditor) keepVersion(old, next Campaign) {
	kept := append(a.versions[next.Name], old)
	if next.InFlight != Pin {
		kept = nil
	}
	a.versions[next.Name] = kept[max(0, len(kept)-maxVersions):]
}

// indexOf returns the index of the campaign in a.campaigns.
func (a *Auditor) indexOf(campaign string) int {
	return slices.IndexFunc(a.campaigns, func(d *Campaign) bool { return d.Name == campaign })
}

package audit

import (
	"cmp"
	"slices"
)

// maxSlice is how many customers one step of a frame scans.
const maxSlice = 2000

// bulkScan is work for all customers who were there when it began. It reaches each customer in the
// order of ids, or earlier if something else does.
type bulkScan struct {
	due       int64
	remaining []*customer // whom it has still to reach, by id
	cursor    string      // the last id that it passed in its order

	// What it is for.
	event         *Event       // a broadcast, or the record that schedules make
	campaigns     []string     // whose schedules came; none: a broadcast
	activates     bool         // campaigns that begin to observe
	activations   []activation // of those, the ones that existing customers enter
	dropsCounters bool         // customers forget counters
}

// isAhead reports whether the scan has still to reach the customer.
func (t *bulkScan) isAhead(c *customer) bool { return t != nil && slices.Contains(t.remaining, c) }

// BulkScans reports whether a scan is under way.
func (a *Auditor) BulkScans() bool {
	return len(a.bulkScans) > 0
}

// isScanAhead reports whether any scan has still to reach the customer.
func (a *Auditor) isScanAhead(c *customer) bool {
	return slices.ContainsFunc(a.bulkScans, func(t *bulkScan) bool { return slices.Contains(t.remaining, c) })
}

// scanSlice goes on with the first of the scans.
func (a *Auditor) scanSlice() {
	if len(a.bulkScans) == 0 {
		return
	}
	t, passed := a.bulkScans[0], 0
	for _, c := range a.customers {
		if c.id <= t.cursor || passed == maxSlice {
			continue
		}
		passed++
		t.cursor = c.id
		a.applyScan(c, t)
	}
	if passed < maxSlice {
		a.bulkScans = a.bulkScans[1:]
	}
}

// applyScans has all scans reach the customer now.
func (a *Auditor) applyScans(c *customer) {
	for _, scan := range a.bulkScans {
		a.applyScan(c, scan)
	}
}

// applyScan has a scan reach a customer, unless it did already.
func (a *Auditor) applyScan(c *customer, scan *bulkScan) {
	at, found := slices.BinarySearchFunc(scan.remaining, c, func(x, y *customer) int { return cmp.Compare(x.id, y.id) })
	if !found {
		return
	}
	scan.remaining = slices.Delete(scan.remaining, at, at+1)
	if scan.dropsCounters {
		return // the counters ended when the definitions came
	}
	if scan.activates {
		a.enterExisting(c, scan)
		return
	}
	for _, ch := range c.chains {
		if ch.live() && ch.exiting && ch.def.Trigger.Kind == KindBroadcast && ch.def.Trigger.Event == scan.event.Name {
			a.note(NoteBulkScanExit) // the chain would keep the next from starting
		}
	}
	a.endExiting(c)
	a.startByScan(c, scan)
}

// Broadcast applies an event without a customer: it begins a scan of all customers if a campaign
// waits for it.
func (a *Auditor) Broadcast(in Event) {
	a.position++
	if a.broadcasts[in.ID] {
		return
	}
	a.broadcasts[in.ID] = true // also if no campaign waits for it
	e := &in
	e.Time = min(e.Time, a.now)
	for i := range a.campaigns {
		t := &a.campaigns[i].Trigger
		if a.campaigns[i].observes() && t.Kind == KindBroadcast && t.Event == e.Name {
			a.bulkScans = append(a.bulkScans, &bulkScan{event: e, due: a.now, remaining: slices.Clone(a.customers)})
			return
		}
	}
}

// startByScan starts the chains of a broadcast or of schedules for one customer.
func (a *Auditor) startByScan(c *customer, scan *bulkScan) {
	var all []candidate
	for i, def := range a.campaigns {
		s := scene{event: scan.event, trigger: scan.event, customer: c}
		switch {
		case len(scan.campaigns) == 0 && !def.observes():
			continue
		case len(scan.campaigns) == 0 && def.Trigger.Kind == KindBroadcast && def.Trigger.Event == scan.event.Name &&
			def.Trigger.When.holds(s): // the audience of the campaign is checked at the entry
			a.note(NoteBroadcast)
			if age := scan.due - scan.event.Time; age > a.maxAge(i) { // when the record came, not when the scan does
				a.refuse(i, "max_event_age")
				continue
			}
		case slices.Contains(scan.campaigns, def.Name) && def.Trigger.Kind == KindSchedule && def.Audience.holds(s):
			a.note(NoteSchedule)
			if def.Trigger.Calendar != "" {
				a.note(NoteCalendar)
			}
		default:
			continue
		}
		late := a.now-scan.due > lateAfter
		all = append(all, candidate{campaign: i, trigger: scan.event, planned: scan.due, late: late})
	}
	a.admit(c, all)
	a.runToQuiescence(c)
	a.applyEmitted(c)
	c.forgetChains()
}

package shard

import (
	"cmp"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/active"
)

// maxMissed bounds the occurrences of one schedule that are gone through after a
// downtime: one for every minute has 10,000 in a week. If there are more, the 10,000th is
// made up for instead of the last.
const maxMissed = 10_000

// dueSchedule is a schedule with an occurrence that has come.
type dueSchedule struct {
	of   *occurrence
	due  int64 // log time of the occurrence, ms
	next int64 // log time of the one after it, ms; 0: none
}

// startSchedules starts a bulk scan for each instant at which schedules of a workspace
// are due, in order. Schedules of one instant share a scan, so that their deliveries
// compete by priority at each customer. If a downtime missed several occurrences of a
// schedule, only the last is made up for, so that a daily message comes once and not once
// for each day.
func (t *bulkScans) startSchedules() {
	if due := t.nextOccurrence(); due == 0 || due > t.now {
		return
	}
	t.known = false
	all := t.dueSchedules()
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].due == all[0].due && all[n].of.Workspace == all[0].of.Workspace {
			n++
		}
		v := active.BulkTask{Kind: active.BulkSchedule, Due: all[0].due}
		for _, d := range all[:n] {
			v.Campaigns = append(v.Campaigns, d.of.Campaign)
		}
		if !t.start(all[0].of.Workspace, v) {
			// Too many scans are queued; the next Step tries again.
			return
		}
		for _, d := range all[:n] {
			d.of.Next = d.next
		}
		all = all[n:]
	}
}

// dueSchedules returns the schedules that are due, sorted by instant, then workspace,
// then campaign.
func (t *bulkScans) dueSchedules() []dueSchedule {
	var all []dueSchedule
	var schedules []active.Schedule
	of := ""
	for i := range t.Schedules {
		o := &t.Schedules[i]
		if o.Next == 0 || o.Next > t.now {
			continue
		}
		if schedules == nil || of != o.Workspace {
			schedules, of = t.runner.use(o.Workspace).Schedules(), o.Workspace
		}
		at := sort.Search(len(schedules), func(i int) bool { return schedules[i].Campaign >= o.Campaign })
		d := dueSchedule{of: o, due: o.Next}
		// Go on to the last occurrence that has come.
		for range maxMissed {
			if d.next, _ = schedules[at].Next(d.due); d.next == 0 || d.next > t.now {
				break
			}
			d.due = d.next
		}
		if d.next <= t.now {
			d.next, _ = schedules[at].Next(t.now)
		}
		all = append(all, d)
	}
	slices.SortStableFunc(all, func(a, b dueSchedule) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.of.Workspace, b.of.Workspace))
	})
	return all
}

package shard

import (
	"cmp"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/active"
)

// maxMissed is how many occurrences of a schedule are looked at after a downtime.
const maxMissed = 10_000

// dueSchedule is a schedule whose occurrence has come.
type dueSchedule struct {
	of   *occurrence
	due  int64 // ms
	next int64 // ms; 0: none
}

// startSchedules starts a bulk scan for each instant at which schedules of a workspace are due,
// the earlier first. Those of one instant come to a customer together, so that their
// deliveries compete by priority. Of several occurrences that a downtime missed only the
// last is made up for.
func (s *Shard) startSchedules() {
	if due := s.bulkScans.nextOccurrence(); due == 0 || due > s.now {
		return
	}
	s.bulkScans.known = false
	all := s.dueSchedules()
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].due == all[0].due && all[n].of.Workspace == all[0].of.Workspace {
			n++
		}
		v := active.BulkTask{Kind: active.BulkSchedule, Due: all[0].due}
		for _, d := range all[:n] {
			v.Campaigns = append(v.Campaigns, d.of.Campaign)
		}
		if !s.bulkScans.start(all[0].of.Workspace, v) {
			return // the next step tries again
		}
		for _, d := range all[:n] {
			d.of.Next = d.next
		}
		all = all[n:]
	}
}

// dueSchedules are the schedules that are due, by instant, workspace and campaign.
func (s *Shard) dueSchedules() []dueSchedule {
	var all []dueSchedule
	var schedules []active.Schedule
	of := ""
	for i := range s.bulkScans.Schedules {
		o := &s.bulkScans.Schedules[i]
		if o.Next == 0 || o.Next > s.now {
			continue
		}
		if schedules == nil || of != o.Workspace {
			s.machine.Use(s.defs.set(o.Workspace))
			schedules, of = s.machine.Schedules(), o.Workspace
		}
		at := sort.Search(len(schedules), func(i int) bool { return schedules[i].Campaign >= o.Campaign })
		d := dueSchedule{of: o, due: o.Next}
		for range maxMissed {
			if d.next, _ = schedules[at].Next(d.due); d.next == 0 || d.next > s.now {
				break
			}
			d.due = d.next
		}
		if d.next <= s.now {
			d.next, _ = schedules[at].Next(s.now)
		}
		all = append(all, d)
	}
	slices.SortStableFunc(all, func(a, b dueSchedule) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.of.Workspace, b.of.Workspace))
	})
	return all
}

package audit

import (
	"cmp"
	"slices"
)

// maxQueued is how many entries pauses queue for one customer.
const maxQueued = 100

// queuedEntry is an entry that a campaign paused with `entries: queue` kept.
type queuedEntry struct {
	trigger  *Event
	campaign int // set when it is offered
	order    int // among all that pauses queued
}

// queueEntry keeps the entry. It is refused if there are too many, or if there is no event to keep
// it with.
func (a *Auditor) queueEntry(c *customer, t *candidate) {
	s := &c.states[t.campaign]
	n := 0
	for i := range c.states {
		n += len(c.states[i].queued)
	}
	if n == maxQueued || t.noEvent {
		a.refuse(t.campaign, Paused)
		return
	}
	a.note(NoteQueued)
	a.queuedSoFar++
	s.queued = append(s.queued, queuedEntry{trigger: t.trigger, order: a.queuedSoFar})
}

// enterQueued offers the queued entries of active campaigns in the order in which they came, each
// as a record of its own, and drops those of archived campaigns.
func (a *Auditor) enterQueued(c *customer) {
	var all []queuedEntry
	for i := range c.states {
		switch s := &c.states[i]; a.campaigns[i].Status {
		case Archived:
			s.queued = nil
		case "":
			for _, k := range s.queued {
				k.campaign = i
				all = append(all, k)
			}
			s.queued = nil
		}
	}
	slices.SortFunc(all, func(x, y queuedEntry) int { return cmp.Compare(x.order, y.order) })
	for _, k := range all {
		// Of an inactivity trigger the entry is as old as the end of the silence.
		happened, silence := k.trigger.Time, int64(0)
		if t := a.campaigns[k.campaign].Trigger; t.Kind == KindInactivity && t.Event == k.trigger.Name {
			happened += t.For.Milliseconds()
			silence = happened
		}
		if a.now-happened > a.maxAge(k.campaign) {
			a.note(NoteQueuedOld)
			a.refuse(k.campaign, "max_event_age")
			continue
		}
		a.note(NoteQueuedOffered)
		a.admit(c, []candidate{{campaign: k.campaign, trigger: k.trigger, planned: a.now, silenceEnd: silence}})
		a.runToQuiescence(c)
	}
	a.applyEmitted(c)
}

package machine

import (
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
)

// maxFollows bounds how often the profile may change again through the chains that a change of it
// started, so that two campaigns which set each other off come to an end. Triggers do not see
// later changes of the same input until the next one.
const maxFollows = 8

// Apply applies an event to its customer at log time now, in the order of L1.
// created says that it is the customer's first record.
//
// The order is part of the language: first the profile changes, then the chains that are live see
// the event, then the triggers. So conditions read the customer including this event, a chain
// cannot be ended by the event that started it, and a trigger finds the place of a chain
// that the same event has just ended.
//
// REQUIRES: all timers of c due at or before now have fired; c belongs to e; e is
// not from after now.
func (m *Machine) Apply(c *customer.Customer, e *event.Event, now int64, created bool, out *output.Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.recorded(e)
	}
	// The customer as they are before it.
	m.chains.follow()
	m.markActive()
	m.eventID = e.ID
	m.scope.Event.Set(e)
	watch := m.watching(e, created)
	m.triggers.observeBefore(watch, created)
	// What it says about them.
	m.identify(e)
	m.noteZone(e)
	m.profile.consents(e)
	m.profile.count(e)
	m.profile.countWindows(e)
	// What it means for their chains, and what it starts.
	m.chains.apply(e)
	if created {
		m.triggers.watchProfiles(e)
	}
	m.rezone(e)
	m.askTriggers(watch, e)
	m.rest()
	// What follows from that.
	m.followProfile(e)
	m.applyEmitted(out)
	m.chains.prune()
}

// watching returns the triggers that an event of the customer concerns. An event that tells a new
// time zone concerns more than those that name it: values that depend on the local time.
func (m *Machine) watching(e *event.Event, created bool) *active.TriggerIndex {
	if !created && len(m.set.Zoned) > 0 && saysZone(e) {
		return m.set.WatchingMoved(e.Name)
	}
	return m.set.TriggersOn(e.Name, created)
}

// askTriggers asks the triggers about an event and remembers it afterwards, so that what looks back
// at remembered events does not find the current one among them. Groups are settled when all
// triggers were asked, so that the highest priority wins; the rows stay in the order of campaigns.
func (m *Machine) askTriggers(watch *active.TriggerIndex, e *event.Event) {
	since := m.rows.mark()
	m.recording = m.set.Recorded[e.Name]
	m.triggers.apply(watch, e)
	if m.entries.hasCandidates() {
		m.entries.settleGroups()
		m.rows.orderTriggers(since)
	}
	if m.recording {
		m.c.Remember(e)
		m.recording = false
	}
}

// identify applies the traits of an identify call, except those that a call with a newer event time
// has set. Traits that would become too large change nothing, and get no time stamp.
func (m *Machine) identify(e *event.Event) {
	if e.Type == event.Identify && len(e.Traits) > 0 {
		update := m.profile.notOlder(e.Traits, e.Time)
		if m.chains.changeTraits(update) {
			m.profile.stampTraits(update, e.Time)
		}
	}
}

// followProfile lets the triggers that watch the profile see what steps changed in it;
// e is the current record, nil for a timer. What they start was due when the step was,
// whichever timers fired since, and is attributed to no timer.
func (m *Machine) followProfile(e *event.Event) {
	for range maxFollows {
		if !m.triggers.askChanged(e) {
			return
		}
		m.cause = 0
		m.rest()
	}
}

// applyEmitted applies the events and starts that steps made during the current input, in the order
// made, each after the timers that are due by now. It is called at the end of each input.
//
// It calls Apply and Fire, which come back here: deriving makes the inner calls return at once, so
// that the outermost loop keeps the order. Timers do not fire while they are held (see Hold).
func (m *Machine) applyEmitted(out *output.Output) {
	if m.deriving {
		return
	}
	m.deriving = true
	for m.emitter.pending() {
		d := m.emitter.next()
		m.depth = 0
		if !m.held() {
			m.Fire(m.c, m.now, m.now, out)
		}
		m.depth = d.depth
		if d.campaign == "" {
			m.Apply(m.c, &d.event, m.now, false, out)
			continue
		}
		m.begin(m.c, m.now, out)
		if m.eventID = d.event.ID; m.trace != nil {
			m.recorded(&d.event)
		}
		m.scope.Event.Set(&d.event)
		m.scope.Trigger.Set(&d.event)
		if p := m.set.ByName[d.campaign]; p != nil {
			m.entries.enterIfAllowed(m.entries.entry(p, &d.event))
		} else {
			m.rows.decide(output.Decision{Campaign: d.campaign, Kind: output.Refused, Reason: output.ReasonNoCampaign})
		}
		m.rest()
		m.followProfile(&d.event)
	}
	m.emitter.reset()
	m.deriving, m.depth = false, 0
}

// held reports whether the timers of the current customer wait, see Hold.
func (m *Machine) held() bool {
	due := m.c.NextDue()
	return due != 0 && due <= m.holdMark
}

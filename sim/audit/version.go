package audit

import (
	"cmp"
	"fmt"
	"slices"
)

// Apply puts campaigns in force at this place of the log, replacing those of the same
// names. Chains follow: from now on they go by the new text, at the step of the id at
// which they are, and a timer that runs goes by it too. It is not due before the
// customer's turn.
func (a *Auditor) Apply(campaigns []Campaign) {
	a.place++
	applied := map[string]bool{}
	watching := map[string]bool{} // campaigns that begin to look at inactivity
	var begun []begun
	states := false // of triggers are forgotten
	for i := range campaigns {
		next := campaigns[i]
		applied[next.Name] = true
		at, found := slices.BinarySearchFunc(a.campaigns, next.Name, func(c *Campaign, name string) int {
			return cmp.Compare(c.Name, name)
		})
		before := Campaign{Status: Draft}
		if found {
			before = *a.campaigns[at]
		}
		watched := before.looks() && before.Trigger.Kind == KindInactivity
		watching[next.Name] = !watched && next.looks() && next.Trigger.Kind == KindInactivity
		begun = a.begins(begun, at, found, before, next)
		states = states || before.remembers() && (!next.looks() || !alike(before.Trigger, next.Trigger))
		if found {
			old := *a.campaigns[at]
			*a.campaigns[at] = next
			a.keepVersion(old, next)
			a.succeed(at, old)
			continue
		}
		a.campaigns = slices.Insert(a.campaigns, at, &next)
		for _, c := range a.customers {
			c.per = slices.Insert(c.per, at, standing{})
			for _, ch := range c.chains {
				if ch.campaign >= at {
					ch.campaign++
				}
			}
		}
	}
	asked := a.asked
	a.names()
	a.ask()
	a.drop(asked, states)
	a.compared()
	a.reschedule()
	plan, plans := &bulkScan{plans: true, due: a.now}, false
	for i := range a.campaigns {
		if watching[a.campaigns[i].Name] {
			plans = true
			a.watch(i, plan)
		}
		if a.campaigns[i].Trigger.Kind == KindDate && applied[a.campaigns[i].Name] && a.campaigns[i].looks() {
			plans = true
			for _, c := range a.customers {
				d := &c.per[i].dates
				old := d.next
				a.redate(c, i)
				for k, p := range d.next {
					stays := func(o planned) bool { return p.same(o) && p.due == o.due && !o.by.ahead(c) }
					if !slices.ContainsFunc(old, stays) {
						d.next[k].by = plan
					}
				}
			}
		}
	}
	a.activate(begun, plan, plans)
}

// watch arms a campaign that begins to look at inactivity for the customers who are
// there, where the instant is still ahead. Its trigger is the event as far as it is
// remembered.
func (a *Auditor) watch(i int, plan *bulkScan) {
	t := a.campaigns[i].Trigger
	for _, c := range a.customers {
		s, latest := &c.per[i], a.latest(c, i)
		if s.armed || latest == nil || latest.Time+t.For.Milliseconds() <= a.now {
			continue
		}
		s.armedBy = plan
		s.armed, s.due, s.latest = true, latest.Time+t.For.Milliseconds(), latest
	}
}

// replan gives a chain that rests the timer that its step now asks for, counted from when
// the timer began. Where the step is gone or rests no longer, it stays.
func (ch *chain) replan(a *Auditor) {
	unmet := ch.replanned > ch.customer.reached // the version before was in force at no turn of theirs
	if unmet && ch.live() && ch.resting {
		ch.due, ch.timed = ch.dueBefore, ch.timedBefore
	}
	s, ok := ch.step()
	if !ok || !ch.live() || !ch.resting {
		return
	}
	due, timed := ch.opened, true
	switch {
	case s.Delay != nil && s.Delay.FromEntry:
		due = ch.enteredAt + s.Delay.For.Milliseconds()
	case s.Delay != nil:
		due += s.Delay.For.Milliseconds()
	case s.Send != nil:
		return // held, and still to be sent
	case s.Until != nil:
		due = a.next(ch, s.Until, ch.opened) // not the instant at which it went back
	case s.Wait != nil:
		due += s.Wait.Timeout.Milliseconds()
		timed = s.Wait.Timeout != 0
	case s.Call != nil && s.Call.Wait && ch.timed:
		due += s.Call.timeout()
	default:
		return
	}
	if timed == ch.timed && (!timed || due == ch.due) {
		return
	}
	ch.dueBefore, ch.timedBefore = ch.due, ch.timed
	ch.raw, ch.replanned, ch.replanTurn = due, a.place, a.turn(ch.customer)
	ch.due, ch.timed, ch.wake = max(due, ch.replanTurn), timed, 0
}

// ofStreak marks what is kept for a streak of a campaign, which is no count.
func (c Campaign) ofStreak() string {
	t := c.Trigger
	return fmt.Sprint("streak ", c.Name, t.Length, t.MaxGap, t.BreakOn)
}

// counter is what some campaign asks to be counted, from when on.
type counter struct {
	event string
	where string
	of    string // what is kept: the count, or a sum or the windows of it
	since int    // place in the log
}

// ask takes stock of the counters: those that are asked for already go on, new ones
// begin here, the others end.
func (a *Auditor) ask() {
	var next []counter
	a.longest = map[string]int64{}
	want := func(event string, where *Pred, of string) {
		c := counter{event: event, where: where.text(), of: of}
		if a.sinceIn(next, c) < 0 {
			c.since = max(a.sinceIn(a.asked, c), 0)
			if a.sinceIn(a.asked, c) < 0 {
				c.since = a.place
				a.askedAgain(c)
			}
			next = append(next, c)
		}
	}
	for _, c := range a.campaigns {
		switch kind := c.Trigger.Kind; {
		case !c.looks():
		case kind == KindCount, kind == KindInactivity:
			want(c.Trigger.Event, c.Trigger.Where, "")
		case kind == KindStreak:
			want(c.Trigger.Event, c.Trigger.Where, c.ofStreak())
		}
		for _, of := range append([]Campaign{*c}, a.versions[c.Name]...) {
			for _, p := range of.preds() {
				for _, comparison := range p.All {
					for _, of := range comparison.keeps() {
						if comparison.Count != "" {
							want(comparison.Count, nil, of)
						}
					}
					if comparison.Last != "" {
						want(comparison.Last, nil, "")
					}
					if w := comparison.Window.Milliseconds(); w != 0 && comparison.Last == "" {
						a.longest[comparison.Count] = max(a.longest[comparison.Count], w)
					}
				}
			}
		}
	}
	a.asked = next
}

// Campaigns are those in force, by name.
func (a *Auditor) Campaigns() []Campaign {
	var all []Campaign
	for _, c := range a.campaigns {
		all = append(all, *c)
	}
	return all
}

// Counters names what is counted.
func (a *Auditor) Counters() []string {
	var all []string
	for _, c := range a.asked {
		all = append(all, c.event+"\x00"+c.where+"\x00"+c.of)
	}
	return all
}

// sinceIn is from when on a counter counts, -1 when it is not in the list.
func (a *Auditor) sinceIn(list []counter, c counter) int {
	for _, o := range list {
		if o.event == c.event && o.where == c.where && o.of == c.of {
			return o.since
		}
	}
	return -1
}

func (a *Auditor) since(event string, where *Pred) int {
	return a.sinceIn(a.asked, counter{event: event, where: where.text()})
}

// counted are the customer's events of a name that match, since somebody asks.
func (c *customer) counted(event string, where *Pred) []*Event {
	return c.since(c.a.since(event, where), event, where)
}

func (c *customer) since(since int, event string, where *Pred) []*Event {
	var all []*Event
	for _, e := range c.events {
		if e.place > since && (Match{Event: event, Where: where}).holds(e, e, c) {
			all = append(all, e)
		}
	}
	return all
}

func (p *Pred) text() string {
	if p == nil {
		return ""
	}
	return p.CEL()
}

// matches are those of the goals, stops and waits.
func (c Campaign) matches() []Match {
	all := slices.Clone(c.Stops)
	for _, g := range c.Goals {
		all = append(all, g.Match)
	}
	for _, s := range c.Steps {
		if s.Wait != nil {
			for _, w := range s.Wait.For {
				all = append(all, w.Match)
			}
			if s.Wait.RestartOn != nil {
				all = append(all, *s.Wait.RestartOn)
			}
		}
	}
	return all
}

// preds are all the predicates of a campaign.
func (c Campaign) preds() []*Pred {
	all := []*Pred{c.Trigger.Where, c.Audience, c.Trigger.When}
	if c.Trigger.Value != nil {
		all = append(all, P(*c.Trigger.Value))
	}
	for _, m := range c.matches() {
		all = append(all, m.Where)
	}
	for _, s := range c.Steps {
		if s.Branch != nil {
			for _, arm := range s.Branch.Arms {
				all = append(all, arm.When)
			}
		}
	}
	return slices.DeleteFunc(all, func(p *Pred) bool { return p == nil })
}

// names takes stock of the events that a goal, its reversal, a stop or wait names.
func (a *Auditor) names() {
	a.ringed = map[string]bool{}
	for _, c := range a.campaigns {
		for _, of := range append([]Campaign{*c}, a.versions[c.Name]...) {
			for _, m := range of.matches() {
				a.ringed[m.Event] = true
			}
			for _, g := range of.Goals {
				a.ringed[g.ReverseOn] = true
			}
		}
	}
}

// mostVersions is how many older versions of a campaign chains may keep.
const mostVersions = 16

// keepVersion keeps the version by which the chains of old go on, as long as they do.
func (a *Auditor) keepVersion(old, next Campaign) {
	kept := append(a.versions[next.Name], old)
	if next.InFlight != Pin {
		kept = nil
	}
	a.versions[next.Name] = kept[max(0, len(kept)-mostVersions):]
}

// SetPolicies puts a policy of the workspace in force.
func (a *Auditor) SetPolicies(h WorkspacePolicy) {
	a.place++
	a.house = h
	for _, c := range a.customers {
		for _, ch := range c.chains {
			if ch.holds() {
				a.note(NotePolicyHeld)
			}
		}
		for _, limit := range h.Caps {
			if a.free(c, limit) > a.now && c.used(limit.Name) > limit.Limit {
				a.note(NotePolicyCap)
			}
		}
	}
}

// used is how often the customer took a place under a cap.
func (c *customer) used(limit string) int {
	n := 0
	for _, u := range c.uses {
		if u.cap == limit {
			n++
		}
	}
	return n
}

package machine

import (
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// zoneSlack is how much earlier, in ms, a calendar period may begin when the customer moves to
// another zone: uses that are younger are kept. Zones lie at most 26 hours apart, less than 2 days.
const zoneSlack = 2 * unit.DayMillis

// capsOf calls f with each cap that counts a campaign's deliveries on that channel
// and of that category, in the order in which the campaign names them. A cap that no policy
// document defines any more does not count.
func (sd *sends) capsOf(p *program.Program, channel, category string, f func(*program.Cap)) {
	for _, name := range p.Policy.Caps {
		c := sd.set.Rules.Caps[name]
		if c != nil && (c.Channel == "" || c.Channel == channel) && (c.Category == "" || c.Category == category) {
			f(c)
		}
	}
}

// capped returns the name of the first cap that is full, empty when none is. until is the first
// instant (ms) at which all of them allow the delivery, if nothing else takes the place.
func (sd *sends) capped(p *program.Program, channel, category string) (name string, until int64) {
	sd.capsOf(p, channel, category, func(c *program.Cap) {
		if free := sd.freeAt(c); free > sd.now {
			if name == "" {
				name = c.Name
			}
			until = max(until, free)
		}
	})
	return name, until
}

// freeAt returns the first instant (ms) from now on at which a cap has room; now when it has some.
func (sd *sends) freeAt(c *program.Cap) int64 {
	u := sd.c.CapUse(c.Name)
	if u == nil {
		return sd.now
	}
	from := sd.countsFrom(c)
	counted := u.Uses[sort.Search(len(u.Uses), func(i int) bool { return u.Uses[i].At >= from }):]
	if len(counted) < c.Limit {
		return sd.now
	}
	if c.Window > 0 {
		return counted[len(counted)-c.Limit].At + c.Window
	}
	// Never now: a period that does not move forward would defer the send without end.
	return max(sd.now+1, sd.nextPeriod(c))
}

// countsFrom returns the first instant (ms) that a cap counts at now: a use that is exactly as old
// as the window no longer counts. Periods of the calendar go by the customer's zone.
func (sd *sends) countsFrom(c *program.Cap) int64 {
	if c.Window > 0 {
		return sd.now - c.Window + 1
	}
	return zone.Start(sd.zones.zone(nil), sd.now, c.Per)
}

// nextPeriod returns when the calendar period after the present one begins (ms). It steps from the
// start of the period to some instant well inside of the next: days have up to 25 hours, months 28 to
// 31 days, so the distances 36 hours, 8 and 32 days always end there.
func (sd *sends) nextPeriod(c *program.Cap) int64 {
	loc := sd.zones.zone(nil)
	into := [...]int64{
		zone.Day: 36 * unit.HourMillis, zone.Week: 8 * unit.DayMillis, zone.Month: 32 * unit.DayMillis,
	}[c.Per]
	return zone.Start(loc, zone.Start(loc, sd.now, c.Per)+into, c.Per)
}

// consume counts a delivery under all its caps, and drops uses that no longer count.
//
// REQUIRES: capped named none for it.
func (sd *sends) consume(p *program.Program, d *output.Delivery, category string) {
	sd.forgetCaps()
	sd.capsOf(p, d.Channel, category, func(c *program.Cap) {
		u := sd.c.EnsureCapUse(c.Name)
		from := sd.countsFrom(c)
		if c.Window == 0 {
			from -= zoneSlack
		}
		old := sort.Search(len(u.Uses), func(i int) bool { return u.Uses[i].At >= from })
		u.Uses = append(slices.Delete(u.Uses, 0, old), customer.Use{At: sd.now, ID: d.ID})
	})
}

// forgetCaps drops the uses of caps that are no longer in force.
func (sd *sends) forgetCaps() {
	gone := func(u customer.CapUse) bool { return sd.set.Rules.Caps[u.Cap] == nil }
	sd.c.CapUses = slices.DeleteFunc(sd.c.CapUses, gone)
}

// refund gives back what a failed delivery took from its caps; given reports whether it took
// anything. Uses are found by the delivery's id, so that nothing is given back twice.
func (sd *sends) refund(id output.ID) (given bool) {
	for i := range sd.c.CapUses {
		u := &sd.c.CapUses[i]
		before := len(u.Uses)
		u.Uses = slices.DeleteFunc(u.Uses, func(use customer.Use) bool { return use.ID == id })
		given = given || len(u.Uses) < before
	}
	sd.c.CapUses = slices.DeleteFunc(sd.c.CapUses, func(u customer.CapUse) bool { return len(u.Uses) == 0 })
	return given
}

// usedOf returns how many deliveries a cap counts at present, and from which instant (ms) on.
func (sd *sends) usedOf(c *program.Cap) (used int, from int64) {
	from = sd.countsFrom(c)
	if u := sd.c.CapUse(c.Name); u != nil {
		used = len(u.Uses) - sort.Search(len(u.Uses), func(i int) bool { return u.Uses[i].At >= from })
	}
	return used, from
}

// refusesCap refuses a delivery while one of its caps is full. The step's on_cap says what becomes of
// it: it is dropped, deferred until the caps have room, or the chain ends.
func refusesCap(q *sendQuestion) refusal {
	name, until := q.sd.capped(q.t.program, q.channel, q.category)
	r := refuseIf(name != "", output.ReasonCap, name)
	if name == "" {
		return r
	}
	if r.exit = q.send.OnCap == program.CapExit; q.send.OnCap == program.CapDefer {
		r.until = until
	}
	return r
}

// noteCaps writes a row for each cap up to the one that is full.
func noteCaps(q *sendQuestion, rule trace.Rule, r refusal) {
	free := true
	q.sd.capsOf(q.t.program, q.channel, q.category, func(c *program.Cap) {
		if !free {
			return
		}
		used, from := q.sd.usedOf(c)
		facts := []trace.Fact{
			trace.NumberFact("used", used),
			trace.NumberFact("limit", c.Limit),
			trace.TimeFact("counted from", from),
		}
		if free = r.detail != c.Name; !free {
			facts = append(facts, trace.TimeFact("free at", q.sd.freeAt(c)))
		}
		q.note(rule, trace.AnswerOf(free), c.Name, facts...)
	})
}

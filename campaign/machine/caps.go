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

// zoneSlack is how much earlier a calendar period may begin when the customer moves to
// another zone, in ms: what is younger is remembered.
const zoneSlack = 2 * unit.DayMillis

// capsOf calls f with each cap that counts a campaign's deliveries of that channel
// and category.
func (m *Machine) capsOf(p *program.Program, channel, category string, f func(*program.Cap)) {
	for _, name := range p.Policy.Caps {
		c := m.set.Rules.Caps[name]
		if c != nil && (c.Channel == "" || c.Channel == channel) && (c.Category == "" || c.Category == category) {
			f(c)
		}
	}
}

// capped names the first cap that is full, empty when none is. until is the first
// instant at which all of them allow the delivery, if nothing else takes the place.
func (m *Machine) capped(p *program.Program, channel, category string) (name string, until int64) {
	m.capsOf(p, channel, category, func(c *program.Cap) {
		if free := m.freeAt(c); free > m.now {
			if name == "" {
				name = c.Name
			}
			until = max(until, free)
		}
	})
	return name, until
}

// freeAt is the first instant from now on at which a cap has room.
func (m *Machine) freeAt(c *program.Cap) int64 {
	u := m.c.CapUse(c.Name)
	if u == nil {
		return m.now
	}
	from := m.countsFrom(c)
	counted := u.Uses[sort.Search(len(u.Uses), func(i int) bool { return u.Uses[i].At >= from }):]
	if len(counted) < c.Limit {
		return m.now
	}
	if c.Window > 0 {
		return counted[len(counted)-c.Limit].At + c.Window
	}
	return max(m.now+1, nextPeriod(m, c))
}

// countsFrom is the first instant that a cap counts at now: one that is exactly the
// window old counts no longer.
func (m *Machine) countsFrom(c *program.Cap) int64 {
	if c.Window > 0 {
		return m.now - c.Window + 1
	}
	return zone.Start(m.zone(nil), m.now, c.Per)
}

// nextPeriod is when the calendar period after the present one begins.
func nextPeriod(m *Machine, c *program.Cap) int64 {
	loc := m.zone(nil)
	into := [...]int64{
		zone.Day: 36 * unit.HourMillis, zone.Week: 8 * unit.DayMillis, zone.Month: 32 * unit.DayMillis,
	}[c.Per]
	return zone.Start(loc, zone.Start(loc, m.now, c.Per)+into, c.Per)
}

// consume counts a delivery under all its caps.
//
// REQUIRES: capped named none for it.
func (m *Machine) consume(p *program.Program, d *output.Delivery, category string) {
	m.forgetCaps()
	m.capsOf(p, d.Channel, category, func(c *program.Cap) {
		u := m.c.EnsureCapUse(c.Name)
		from := m.countsFrom(c)
		if c.Window == 0 {
			from -= zoneSlack
		}
		old := sort.Search(len(u.Uses), func(i int) bool { return u.Uses[i].At >= from })
		u.Uses = append(slices.Delete(u.Uses, 0, old), customer.Use{At: m.now, ID: d.ID})
	})
}

// forgetCaps drops what is kept of caps that are no longer in force.
func (m *Machine) forgetCaps() {
	m.c.CapUses = slices.DeleteFunc(m.c.CapUses, func(u customer.CapUse) bool { return m.set.Rules.Caps[u.Cap] == nil })
}

// refund gives back what a failed delivery took from its caps. What it took is found
// by its id, so that nothing is given back twice; given says whether it took something.
func (m *Machine) refund(id output.ID) (given bool) {
	for i := range m.c.CapUses {
		u := &m.c.CapUses[i]
		before := len(u.Uses)
		u.Uses = slices.DeleteFunc(u.Uses, func(use customer.Use) bool { return use.ID == id })
		given = given || len(u.Uses) < before
	}
	m.c.CapUses = slices.DeleteFunc(m.c.CapUses, func(u customer.CapUse) bool { return len(u.Uses) == 0 })
	return given
}

// usedOf is how many deliveries a cap counts at present, and from which instant on.
func (m *Machine) usedOf(c *program.Cap) (used int, from int64) {
	from = m.countsFrom(c)
	if u := m.c.CapUse(c.Name); u != nil {
		used = len(u.Uses) - sort.Search(len(u.Uses), func(i int) bool { return u.Uses[i].At >= from })
	}
	return used, from
}

func refusesCap(q *sendQuestion) refusal {
	name, until := q.m.capped(q.t.program, q.channel, q.category)
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
	q.m.capsOf(q.t.program, q.channel, q.category, func(c *program.Cap) {
		if !free {
			return
		}
		used, from := q.m.usedOf(c)
		facts := []trace.Fact{
			trace.NumberFact("used", used),
			trace.NumberFact("limit", c.Limit),
			trace.TimeFact("counted from", from),
		}
		if free = r.detail != c.Name; !free {
			facts = append(facts, trace.TimeFact("free at", q.m.freeAt(c)))
		}
		q.note(rule, trace.AnswerOf(free), c.Name, facts...)
	})
}

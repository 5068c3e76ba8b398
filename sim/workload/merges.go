package workload

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// Identity says what becomes of the customers of a workload.
type Identity struct {
	Merges bool // some are anonymous and become known ones
	Erases bool // some are erased
	Large  bool // the state of some is larger than one transfer
}

// Erasure is a request to erase a known customer.
type Erasure struct {
	At       int64
	Customer string
}

// largeNote makes states of some tens of KiB.
const largeNote = 6000

// Anonymous begins the ids of those who are known by an anonymous id only.
const Anonymous = "anon:"

// Identify makes some of the customers anonymous, and known later. Most do something in
// between and some afterwards, too, under the anonymous id.
func Identify(rng *rand.Rand, w *Workload, o Identity) {
	if !o.Merges || len(w.Calls) == 0 {
		return
	}
	m := identify{rng: rng, o: o, w: w, begin: w.Calls[0].At, end: w.Calls[len(w.Calls)-1].At}
	for i := range w.Campaigns {
		m.plain(&w.Campaigns[i])
		m.easy(&w.Campaigns[i], i)
	}
	if w.Policy == nil {
		w.Policy = &audit.WorkspacePolicy{}
	}
	w.Policy.Keep = true
	m.rename()
	for i, id := range m.anonymous {
		m.merge(id, i)
	}
	if o.Erases {
		m.erase()
	}
	sort := func(x, y Call) int { return cmp.Compare(x.At, y.At) }
	slices.SortStableFunc(w.Calls, sort)
}

type identify struct {
	rng              *rand.Rand
	o                Identity
	w                *Workload
	begin, end       int64
	anonymous, known []string
}

// plain takes out what is not decided for customers who merge: how far a wait with
// "since: entry" looks back.
func (m *identify) plain(c *audit.Campaign) {
	for i := range c.Steps {
		if c.Steps[i].Wait != nil {
			c.Steps[i].Wait.FromEntry = false
		}
	}
}

// easy has many chains run for a while, so that merges meet some: half of the campaigns let
// nearly everybody in, and rest first.
func (m *identify) easy(c *audit.Campaign, i int) {
	if m.rng.IntN(2) == 0 {
		return
	}
	names := eventNames()
	if c.Trigger.Kind == audit.KindEvent {
		c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: names[m.rng.IntN(4)]}
	}
	c.Audience, c.Recheck = nil, false
	if m.w.Policy != nil && len(m.w.Policy.Caps) > 0 && m.rng.IntN(3) > 0 {
		m.capped(c)
		return
	}
	if c.Reentry.Mode == audit.ModeOnce {
		c.Reentry.Mode = audit.ModeAlways
	}
	if m.rng.IntN(3) > 0 {
		all := durations()
		rest := audit.Step{ID: "rest" + strconv.Itoa(i), Delay: &audit.Delay{For: all[m.rng.IntN(len(all)-1)]}}
		c.Steps = append([]audit.Step{rest}, c.Steps...)
	}
}

// capped has a campaign send at once under a cap that a few messages fill for days: what both
// got before they merged counts.
func (m *identify) capped(c *audit.Campaign) {
	caps := m.w.Policy.Caps
	for i := range caps {
		if caps[i].Name == "rolling" {
			caps[i].Limit, caps[i].Window = 1+m.rng.IntN(2), time.Duration(1+m.rng.IntN(7))*24*time.Hour
		}
	}
	c.Policy.Category, c.Policy.Caps, c.Policy.Quiet = "", []string{"rolling"}, nil
	c.Policy.Group, c.Policy.Preempt, c.Policy.Holdout = "", false, 0
	c.Reentry = audit.Reentry{OnActive: audit.ActiveParallel}
	if m.rng.IntN(2) == 0 {
		send := audit.Step{ID: "now", Send: &audit.Send{Channels: []string{"email"}}}
		c.Steps = append([]audit.Step{send}, c.Steps...)
	}
}

// busy has both do something that campaigns look at, shortly before they merge or after.
func (m *identify) busy(id, into string, at int64, i int) {
	names := eventNames()
	for k := range m.rng.IntN(10) {
		who := id
		if m.rng.IntN(2) == 0 {
			who = into
		}
		when := at - []int64{-60_000, -1, 1, 20, 1000, 10_000, 600_000, 3_600_000}[m.rng.IntN(8)]
		if when < m.begin {
			continue
		}
		m.add(when, audit.Event{
			Customer: who, ID: "busy-" + strconv.Itoa(i) + "-" + strconv.Itoa(k), Type: audit.TypeTrack,
			Name: names[m.rng.IntN(4)], Time: when,
			Properties: map[string]any{
				"color": "red", "value": float64(5 * (1 + m.rng.IntN(4))), "cart_id": []string{"A", "B"}[m.rng.IntN(2)],
			},
		})
	}
}

// rename makes about half of the customers anonymous.
func (m *identify) rename() {
	is := map[string]bool{}
	var ids []string
	for i := range m.w.Calls {
		if id := m.w.Calls[i].Event.Customer; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for i, id := range ids {
		switch {
		case i == 0:
			m.known = append(m.known, id)
		case i == 1 || m.rng.IntN(2) == 0:
			is[id] = true
			m.anonymous = append(m.anonymous, Anonymous+id)
		default:
			m.known = append(m.known, id)
		}
	}
	for i := range m.w.Calls {
		e := &m.w.Calls[i].Event
		if m.o.Large && e.Type == audit.TypeTrack {
			e.Properties["note"] = strings.Repeat("n", largeNote)
		}
		if is[e.Customer] {
			e.Customer = Anonymous + e.Customer
		}
	}
	m.anonymous = append(m.anonymous, Anonymous+"nobody") // no record of theirs ever came
}

// merge has an anonymous customer become a known one, mostly at about the time of a call,
// and sometimes says so again or says something else later.
func (m *identify) merge(id string, i int) {
	into := m.known[m.rng.IntN(len(m.known))]
	if m.rng.IntN(3) == 0 {
		into = m.known[0] // several into one
	}
	at := m.begin + m.rng.Int64N(m.end-m.begin+1)
	if m.rng.IntN(4) > 0 {
		at = m.near(id, into)
	}
	at = max(at, m.begin)
	if id != Anonymous+"nobody" {
		m.busy(id, into, at, i)
	}
	m.alias(at, id, into, "alias-"+strconv.Itoa(i))
	if m.rng.IntN(2) == 0 { // an identify with both ids
		m.add(at, audit.Event{
			Customer: into, ID: "both-" + strconv.Itoa(i), Type: audit.TypeIdentify, Time: at,
			Traits: map[string]any{"level": "gold"},
		})
	}
	switch again := at + 1 + m.rng.Int64N(duplicateWithin); m.rng.IntN(5) {
	case 0:
		m.alias(again, id, into, "alias-"+strconv.Itoa(i))
	case 1:
		m.alias(again, id, into, "again-"+strconv.Itoa(i))
	case 2:
		m.alias(again, id, m.known[m.rng.IntN(len(m.known))], "other-"+strconv.Itoa(i))
	}
}

// near is about when one of the two did something.
func (m *identify) near(who ...string) int64 {
	var all []int64
	for i := range m.w.Calls {
		if slices.Contains(who, m.w.Calls[i].Event.Customer) {
			all = append(all, m.w.Calls[i].At)
		}
	}
	if len(all) == 0 {
		return m.begin
	}
	return all[m.rng.IntN(len(all))] + []int64{-1, 0, 1, 500, 5000, 60_001, 3_600_001}[m.rng.IntN(7)]
}

func (m *identify) alias(at int64, id, into, event string) {
	m.add(at, audit.Event{
		Customer: id, ID: event, Type: audit.TypeAlias, Name: "$alias", Time: at,
		Properties: map[string]any{"userId": into},
	})
}

func (m *identify) add(at int64, e audit.Event) {
	m.w.Calls = append(m.w.Calls, Call{At: at, Event: e})
}

// erase erases some of the known ones: at about the time of a merge into them, at that of
// a call, again later.
func (m *identify) erase() {
	for i, id := range m.known {
		if i > 0 && m.rng.IntN(2) == 0 || i == 0 && m.rng.IntN(3) > 0 {
			continue
		}
		at := m.near(id)
		for k := range m.w.Calls {
			c := &m.w.Calls[k]
			if c.Event.Type == audit.TypeAlias && c.Event.Properties["userId"] == id && m.rng.IntN(3) == 0 {
				at = c.At + m.rng.Int64N(3)
			}
		}
		m.busy(id, id, at, 1000+i)
		m.w.Erasures = append(m.w.Erasures, Erasure{at, id})
		if m.rng.IntN(2) == 0 {
			m.w.Erasures = append(m.w.Erasures, Erasure{at + 1 + m.rng.Int64N(60_000), id})
		}
	}
}

package audit

import (
	"cmp"
	"math"
	"slices"
)

// Record types.
const (
	TypeTrack    = "track"
	TypeIdentify = "identify"
)

const (
	remembered    = 32             // events of one name a customer remembers
	customerLimit = 100            // live chains of one customer
	defaultMaxAge = 24 * 3_600_000 // max_event_age when not given, ms
)

// Event is one record of the log. Time is the event time in Unix ms; the log
// time is the Auditor's.
type Event struct {
	Customer   string
	ID         string
	Name       string
	Time       int64
	Type       string
	Properties map[string]any
	Traits     map[string]any
	Historical bool

	place  int  // among all records and definitions of the log
	ringed bool // a goal, stop or wait named it when it came
}

// Auditor folds one partition's log.
type Auditor struct {
	// Turn is when a customer's turn comes to follow a new version that came at an
	// instant: which instant of the minute after it is not in the text. nil: at once.
	Turn func(at int64, customer string) int64

	campaigns  []*Campaign // by name; what is applied again is replaced in place
	asked      []counter
	place      int         // records and definitions so far
	customers  []*customer // by id, bytes
	now        int64
	holdUntil  int64 // timers due at or before holdMark wait until then; 0: none
	holdMark   int64
	late       bool // the timer in hand is more than lateAfter late
	deliveries []Delivery
	states     []State
	refused    []Refusal
}

// customer is everything known of one customer.
type customer struct {
	a      *Auditor
	id     string
	place  int             // of its first record
	seen   map[string]bool // ids of its records, asked by key only
	traits map[string]any
	events []*Event // every track record, in log order
	per    []standing
	chains []*chain // every chain ever, in order of entry

	pending []*pending // deliveries without a final state, oldest first
}

// standing is one customer's standing with one campaign.
type standing struct {
	entries int    // chains so far: the last entry number
	latest  *Event // inactivity: what its instant counts from
	armed   bool
	due     int64
}

// New has all campaigns active before the first record.
func New(campaigns []Campaign) *Auditor {
	a := &Auditor{}
	a.Apply(campaigns)
	return a
}

// Frame moves log time to t, never back, and fires every timer due by then, one
// at a time; those that arise meanwhile and are due take their place in order.
func (a *Auditor) Frame(t int64) {
	before := a.now
	a.now = max(a.now, t)
	a.hold(before)
	for {
		first, ok := a.first(a.held())
		if !ok || first.due > a.now {
			return
		}
		a.fire(first)
	}
}

// After a downtime timers that are more than lateAfter late wait until log time has
// moved on by holdFor, so that the backlog is applied first.
const (
	lateAfter = 5 * 60_000
	holdFor   = 60_000
)

// hold ends a wait that is over, and begins one when log time jumped from before
// over a timer.
func (a *Auditor) hold(before int64) {
	if a.now >= a.holdUntil {
		a.holdUntil = 0
	}
	if a.holdUntil != 0 || a.now-before <= lateAfter {
		return
	}
	if first, ok := a.first(math.MinInt64); ok && first.due <= a.now-lateAfter {
		a.holdUntil, a.holdMark = a.now+holdFor, a.now-lateAfter
	}
}

// held is the instant up to which timers wait.
func (a *Auditor) held() int64 {
	if a.holdUntil == 0 {
		return math.MinInt64
	}
	return a.holdMark
}

// Next is the instant of the first armed timer.
func (a *Auditor) Next() (due int64, ok bool) {
	t, ok := a.first(math.MinInt64)
	return t.due, ok
}

// timer is the timer of a pending delivery, of a chain or, without either, an
// inactivity instant.
type timer struct {
	due      int64
	customer *customer
	campaign int
	entry    int
	chain    *chain
	pending  *pending
}

// first is the armed timer that fires before all others: by due, customer,
// campaign, entry number. An inactivity instant has the entry number it would
// give, so it comes after the chains that are there. A customer with a timer due
// at or before held waits as a whole, so that their steps keep their order.
func (a *Auditor) first(held int64) (first timer, ok bool) {
	for _, c := range a.customers {
		t, has := c.first()
		if has && t.due > held && (!ok || t.compare(first) < 0) {
			first, ok = t, true
		}
	}
	return first, ok
}

// first is the customer's first armed timer.
func (c *customer) first() (first timer, ok bool) {
	ask := func(t timer) {
		if !ok || t.compare(first) < 0 {
			first, ok = t, true
		}
	}
	for _, ch := range c.chains {
		if ch.live() && ch.timed {
			ask(timer{max(ch.due, ch.wake), c, ch.campaign, ch.entry, ch, nil})
		}
	}
	for i, p := range c.pending { // before all campaigns
		ask(timer{p.due(), c, -1, i, nil, p})
	}
	for i, s := range c.per {
		if s.armed {
			ask(timer{s.due, c, i, s.entries + 1, nil, nil})
		}
	}
	return first, ok
}

func (t timer) compare(o timer) int {
	return cmp.Or(cmp.Compare(t.due, o.due), cmp.Compare(t.customer.id, o.customer.id),
		cmp.Compare(t.campaign, o.campaign), cmp.Compare(t.entry, o.entry))
}

func (a *Auditor) fire(t timer) {
	if t.pending != nil {
		t.pending.fire(a)
		t.customer.forget()
		return
	}
	if t.chain != nil {
		a.late = a.now-t.chain.due > lateAfter
		t.chain.timeout(a)
		a.late = false
		t.customer.forget()
		return
	}
	a.late = a.now-t.due > lateAfter
	defer func() { a.late = false }()
	s := &t.customer.per[t.campaign]
	s.armed = false
	if a.campaigns[t.campaign].Trigger.Kind == KindInactivity { // else a later version has another trigger
		a.enter(t.customer, t.campaign, s.latest, t.due)
		a.runMoved(t.customer)
	}
	t.customer.forget()
}

// Event applies one record at the current log time, in the order of the text.
func (a *Auditor) Event(in Event) {
	a.place++
	c, first := a.customer(in.Customer)
	if c.seen[in.ID] {
		return
	}
	c.seen[in.ID] = true
	e := &in
	e.Time = min(e.Time, a.now) // event time is at most log time
	e.place, e.ringed = a.place, a.names(in.Name)
	c.update(e)
	for _, ch := range c.ordered() {
		ch.observe(a, e)
	}
	for i := range a.campaigns {
		a.trigger(c, i, e, first)
	}
	a.runMoved(c)
	c.forget()
}

func (c *customer) forget() {
	for _, ch := range c.chains {
		ch.forget(c.a)
	}
}

func (a *Auditor) customer(id string) (c *customer, first bool) {
	at, found := slices.BinarySearchFunc(a.customers, id, func(c *customer, id string) int {
		return cmp.Compare(c.id, id)
	})
	if found {
		return a.customers[at], false
	}
	c = &customer{a: a, id: id, place: a.place, seen: map[string]bool{}, traits: map[string]any{}}
	c.per = make([]standing, len(a.campaigns))
	a.customers = slices.Insert(a.customers, at, c)
	return c, true
}

// update is "update profile and counters". The record is remembered here, so a
// wait that it opens further on can look back at it.
func (c *customer) update(e *Event) {
	if e.Type == TypeIdentify {
		for name, value := range e.Traits { // each member on its own: no order shows
			if value == nil {
				delete(c.traits, name)
			} else {
				c.traits[name] = value
			}
		}
		return
	}
	c.events = append(c.events, e)
}

// memory is the last 32 events of each name that were remembered, in log order.
func (c *customer) memory() []*Event {
	var kept []*Event
	later := map[string]int{}
	for _, e := range slices.Backward(c.events) {
		if !e.ringed {
			continue
		}
		if later[e.Name] < remembered {
			kept = append(kept, e)
		}
		later[e.Name]++
	}
	slices.Reverse(kept)
	return kept
}

// ordered is every chain, ended ones too, by (campaign name, entry number).
func (c *customer) ordered() []*chain {
	all := slices.Clone(c.chains)
	slices.SortFunc(all, func(x, y *chain) int {
		return cmp.Or(cmp.Compare(x.campaign, y.campaign), cmp.Compare(x.entry, y.entry))
	})
	return all
}

// runMoved runs the chains that entered or were advanced until each rests.
func (a *Auditor) runMoved(c *customer) {
	for _, ch := range c.ordered() {
		if ch.live() && !ch.resting {
			ch.run(a)
		}
	}
}

// trigger asks one campaign whether the record starts a chain.
func (a *Auditor) trigger(c *customer, i int, e *Event, first bool) {
	t, s := a.campaigns[i].Trigger, &c.per[i]
	hit := Match{Event: t.Event, Where: t.Where}.holds(e, e, c)
	switch t.Kind {
	case KindEvent:
		if hit {
			a.enterBy(c, i, e)
		}
	case KindCount:
		known := c.place > a.since(t.Event, t.Where) // else some of the history was not counted
		if hit && known && len(c.counted(t.Event, t.Where)) == t.Reaches {
			a.enterBy(c, i, e)
		}
	case KindInactivity:
		later := func(o *Event) bool { return o.Time > e.Time }
		switch {
		case hit && !slices.ContainsFunc(c.counted(t.Event, t.Where), later):
			a.arm(s, i, e)
		case first && t.FromProfile && !hit:
			a.arm(s, i, e)
		}
	}
}

// arm sets the inactivity instant from e. One already past is armed only where
// the event itself could still start something.
func (a *Auditor) arm(s *standing, i int, e *Event) {
	s.latest = e
	s.due = e.Time + a.campaigns[i].Trigger.For.Milliseconds()
	s.armed = s.due > a.now || (!e.Historical && !a.tooOld(i, e))
}

func (a *Auditor) tooOld(i int, e *Event) bool {
	limit := a.campaigns[i].MaxEventAge.Milliseconds()
	if limit == 0 {
		limit = defaultMaxAge
	}
	return a.now-e.Time > limit
}

// enterBy enters by a record that arrives now, which must be fresh.
func (a *Auditor) enterBy(c *customer, i int, e *Event) {
	switch {
	case e.Historical:
		a.refuse(i, "historical")
	case a.tooOld(i, e):
		a.refuse(i, "max_event_age")
	default:
		a.enter(c, i, e, a.now)
	}
}

func (a *Auditor) refuse(i int, reason string) {
	name := a.campaigns[i].Name
	for k := range a.refused {
		if a.refused[k].Campaign == name && a.refused[k].Reason == reason {
			a.refused[k].Count++
			return
		}
	}
	a.refused = append(a.refused, Refusal{name, reason, 1})
}

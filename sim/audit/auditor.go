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
	Context    map[string]any
	Historical bool

	place  int             // among all records and definitions of the log
	ringed bool            // a goal, stop or wait named it when it came
	met    map[string]bool // campaigns whose streak it counted for when it came
	past   bool            // the windows that looked at it had become too old for it
}

// Auditor folds one partition's log.
type Auditor struct {
	// Turn is when a customer's turn comes to follow a new version that came at an
	// instant: which instant of the minute after it is not in the text. nil: at once.
	Turn func(at int64, customer string) int64

	campaigns  []*Campaign // by name; what is applied again is replaced in place
	asked      []counter
	longest    map[string]int64 // windows of an event, ms, asked by key only
	place      int              // records and definitions so far
	customers  []*customer      // by id, bytes
	now        int64
	asOf       int64 // of values that are looked at; 0: now
	holdUntil  int64 // timers due at or before holdMark wait until then; 0: none
	holdMark   int64
	deliveries []Delivery
	states     []State
	refused    []Refusal

	house       WorkspacePolicy
	bulkScans   []*bulkScan
	schedules   []schedule
	broadcasts  map[string]bool // ids, asked by key only
	conversions []Conversion
	faults      []Fault
	notes       []string

	turned    int64 // up to here the turns are over
	succeeded int64 // when a campaign last got a new version
	// succeededAt is when each did, asked by key only.
	succeededAt map[string]int64
	keptSoFar   int                   // entries that pauses kept
	versions    map[string][]Campaign // older ones that chains keep, asked by key only
	everAsked   map[string]bool       // counters, asked by key only
	ringed      map[string]bool       // events that a goal, stop or wait names, asked by key only
	zones       zones
	decided     decided
	ids         map[string]map[string]int64 // of the records of customers who were forgotten, asked by key only

	erased map[string]bool // asked by key only
	left   []Chain         // rows of chains that went on elsewhere or were erased
	past   bool            // what is observed was done by the other of two who merged: waits do not see it
}

// customer is everything known of one customer.
type customer struct {
	a      *Auditor
	id     string
	place  int              // of its first record
	seen   map[string]int64 // ids of its records and when they were new, asked by key only
	traits map[string]any
	device device
	told   map[string]told // when the traits were set, asked by key only
	events []*Event        // every track record, in log order
	per    []standing
	chains []*chain // every chain ever, in order of entry

	pending []*pending // deliveries without a final state, oldest first

	tags        map[string]bool
	changes     []change // of the current record
	dirty       bool     // a step has changed the profile
	dirtyDue    int64    // when that was due
	dirtyLate   bool     // and it came late
	made        []made   // by steps, to be applied
	depth       int      // of the current record
	hand        *Event   // the current record; nil for a timer
	uses        []use
	keys        map[string]holder // dedupe keys, asked by key only
	consent     map[string]said
	preferences map[string]said
	disturb     map[string]said // by channel; "" is all

	reached int // place of the log at which a record or timer reached them last

	into  string // the known customer that they became
	unmet bool   // no record of theirs said anything yet

	leavesAt int64 // when an anonymous one is forgotten
	gone     bool  // they were
	making   bool  // what steps made is being applied
	begins   int   // the first of the deliveries that can be theirs
}

// standing is one customer's standing with one campaign.
type standing struct {
	entries int    // chains so far: the last entry number
	latest  *Event // inactivity: what its instant counts from
	armed   bool
	armedBy *bulkScan // it does so when it comes to the customer
	due     int64
	inside  bool        // a segment, or high of a threshold
	valued  bool        // a threshold has had a value
	asked   bool        // a watch of a group that only has to be settled
	waiting []candidate // slides of which that is so
	spent   []*Event    // of streaks that are complete
	kept    []kept      // by a pause that queues
	turn    int64       // the customer's, to follow the version in force
	dates   dates
	seen    bool      // its segment was looked at
	looked  int64     // as of when
	seenBy  *bulkScan // by which; nil: a record or timer
}

// New has all campaigns active before the first record.
func New(campaigns []Campaign) *Auditor {
	a := &Auditor{
		broadcasts: map[string]bool{}, everAsked: map[string]bool{}, versions: map[string][]Campaign{},
		succeededAt: map[string]int64{}, zones: zones{},
	}
	a.Apply(campaigns)
	return a
}

// Frame moves log time to t, never back, and fires every timer due by then, one
// at a time; those that arise meanwhile and are due take their place in order.
func (a *Auditor) Frame(t int64) {
	before := a.now
	a.now = max(a.now, t)
	a.hold(before)
	a.steps()
	a.stir()
	a.fireAll()
	a.occur() // an occurrence is found when the timers have fired
}

// fireAll fires what is due. What happens to one customer changes no other's timers.
func (a *Auditor) fireAll() {
	var due []timer // the first of each customer
	ask := func(c *customer) {
		if t, ok := c.first(); ok && t.due > a.held() && t.due <= a.now {
			due = append(due, t)
		}
	}
	for _, c := range a.customers {
		ask(c)
	}
	for len(due) > 0 {
		at := 0
		for i := range due {
			if due[i].compare(due[at]) < 0 {
				at = i
			}
		}
		c := due[at].customer
		due = slices.Delete(due, at, at+1)
		a.dismiss(c)
		a.visit(c)
		a.due(c)
		a.derive(c)
		c.forget()
		ask(c)
	}
}

// Next is the instant of the first armed timer.
func (a *Auditor) Next() (due int64, ok bool) {
	t, ok := a.first(math.MinInt64)
	due = t.due
	for _, c := range a.customers {
		if at, has := c.turn(); has && (!ok || at < due) {
			due, ok = at, true
		}
	}
	for _, s := range a.schedules {
		if s.next != 0 && (!ok || s.next < due) {
			due, ok = s.next, true
		}
	}
	if a.BulkScans() {
		return a.now, true
	}
	return due, ok
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
	date     bool
	slide    bool
	settles  bool // of a slide, the group
	leaves   bool
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
	c.timers(ask)
	return first, ok
}

// timers gives all that are armed.
func (c *customer) timers(ask func(timer)) {
	if t, ok := c.leaves(); ok {
		ask(t)
	}
	if c.gone {
		return
	}
	for _, ch := range c.chains {
		if due, ok := ch.timer(); ok {
			ask(timer{due: due, customer: c, campaign: ch.campaign, entry: ch.entry, chain: ch})
		}
	}
	for i, p := range c.pending { // before all campaigns
		ask(timer{due: p.due(), customer: c, campaign: -1, entry: i, pending: p})
	}
	for i, s := range c.per {
		if s.armed && !s.armedBy.ahead(c) {
			ask(timer{due: s.due, customer: c, campaign: i, entry: s.entries + 1})
		}
		if due, ok := c.a.slides(c, i); ok && !s.seenBy.ahead(c) {
			ask(timer{due: due, customer: c, campaign: i, entry: s.entries + 1, slide: true})
		}
		for _, w := range s.waiting {
			ask(timer{due: w.planned, customer: c, campaign: i, entry: s.entries + 1, settles: true})
		}
		if p, ok := s.dates.first(c); ok {
			ask(timer{due: p.due, customer: c, campaign: i, entry: s.entries + 1, date: true})
		}
	}
}

func (t timer) compare(o timer) int {
	return cmp.Or(cmp.Compare(t.due, o.due), cmp.Compare(t.customer.id, o.customer.id),
		cmp.Compare(t.campaign, o.campaign), cmp.Compare(t.entry, o.entry))
}

func (a *Auditor) fire(t timer) {
	switch {
	case t.pending != nil:
		t.pending.fire(a)
		return
	case t.chain != nil:
		t.chain.timeout(a)
		return
	case t.leaves:
		a.expire(t.customer)
		return
	case t.settles:
		a.settleSlide(t.customer, t.campaign)
		return
	case t.slide:
		a.slid(t.customer, t.campaign, t.due)
		return
	case a.grouping(t):
		return
	case t.date:
		a.dateComes(t.customer, t.campaign)
		return
	}
	s := &t.customer.per[t.campaign]
	s.armed = false
	if a.campaigns[t.campaign].Trigger.Kind == KindInactivity { // else a later version has another trigger
		a.admit(t.customer, a.withGroup(t.customer, candidate{
			campaign: t.campaign, trigger: s.latest, planned: t.due, silence: t.due, late: a.now-t.due > lateAfter,
		}))
		a.runMoved(t.customer)
	}
}

// Event applies one record at the current log time, in the order of the text.
func (a *Auditor) Event(in Event) {
	a.place++
	if (&customer{a: a, seen: a.ids[in.Customer]}).had(in.ID) { // of somebody who was forgotten: nobody comes
		return
	}
	c, first := a.customer(in.Customer)
	if c.had(in.ID) {
		return
	}
	first, c.unmet = first || c.unmet, false
	if !first && a.waits(c) {
		a.note(NoteOvertaken)
	}
	a.place-- // what is on its way to all comes to them before the record
	a.dismiss(c)
	a.visit(c)
	a.place++
	c.seen[in.ID] = a.now
	a.stays(c)
	e := &in
	e.Time = min(e.Time, a.now) // event time is at most log time
	e.place, e.ringed = a.place, a.ringed[in.Name]
	a.apply(c, e, first)
	a.derive(c)
	c.forget()
}

// waits says whether a bulk scan has still to visit the customer.
func (a *Auditor) waits(c *customer) bool {
	return slices.ContainsFunc(a.bulkScans, func(t *bulkScan) bool { return slices.Contains(t.left, c) })
}

func (a *Auditor) apply(c *customer, e *Event, first bool) {
	zone := c.traits["timezone"]
	c.update(a, e)
	a.carries(c, e)
	zoned := !same(zone, c.traits["timezone"])
	if zoned {
		a.moved(c)
	}
	a.redateAll(c, zoned)
	if _, said := e.Traits["timezone"]; said { // also when it is the same
		a.unhold(c)
	}
	for _, ch := range c.ordered() {
		ch.observe(a, e)
	}
	var all []candidate
	for i := range a.campaigns {
		if t, ok := a.trigger(c, i, e, first); ok {
			all = append(all, t)
		}
	}
	c.changes, c.dirty = nil, false
	c.hand = e
	a.admit(c, all)
	a.settle(c)
	c.hand = nil
}

// unhold: who is held is asked again at once by a record that says where they are.
func (a *Auditor) unhold(c *customer) {
	for _, ch := range c.chains {
		if ch.holds() {
			a.note(NoteMoved)
			ch.depth, ch.planned, ch.late = c.depth, a.now, false
			ch.again()
		}
	}
}

// moved: another time zone moves what follows the customer's clock.
func (a *Auditor) moved(c *customer) {
	for _, ch := range c.chains {
		s, ok := ch.step()
		if ok && ch.live() && ch.resting && s.Until != nil && a.zones.named(s.Until.Zone) == nil {
			a.note(NoteMovedTimer)
			ch.due = a.next(ch, s.Until, a.now)
		}
	}
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
	c = &customer{
		a: a, id: id, place: a.place, seen: map[string]int64{}, traits: map[string]any{}, told: map[string]told{},
		tags: map[string]bool{},
		keys: map[string]holder{}, consent: map[string]said{}, preferences: map[string]said{},
		disturb: map[string]said{},
	}
	a.returns(c)
	c.per = make([]standing, len(a.campaigns))
	a.turnsAhead(c)
	a.customers = slices.Insert(a.customers, at, c)
	return c, true
}

// update is "update profile and counters". The record is remembered here, so a
// wait that it opens further on can look back at it.
func (c *customer) update(a *Auditor, e *Event) {
	c.consents(e)
	if e.Type == TypeIdentify {
		for name, value := range e.Traits { // each member on its own: no order shows
			if c.overwrites(name, e) {
				c.change(name, value)
				c.told[name] = told{at: e.Time, came: a.now}
			}
		}
		return
	}
	e.met = map[string]bool{}
	for _, def := range a.campaigns {
		m := Match{Event: def.Trigger.Event, Where: def.Trigger.Where}
		if def.Trigger.Kind == KindStreak && def.looks() && m.holds(e, e, c) {
			e.met[def.Name] = true
		}
	}
	c.events = append(c.events, e)
	c.passes(e)
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
		if ch.live() && !ch.resting && !ch.asks.standing && !ch.waitsForThaw() {
			ch.run(a)
		}
	}
}

// trigger asks one campaign whether the record starts a chain.
func (a *Auditor) trigger(c *customer, i int, e *Event, first bool) (candidate, bool) {
	t, s := a.campaigns[i].Trigger, &c.per[i]
	if !a.campaigns[i].looks() {
		return candidate{}, false
	}
	hit := Match{Event: t.Event, Where: t.Where}.holds(e, e, c)
	by := e
	switch t.Kind {
	case KindEvent:
	case KindWebhook:
		hit = e.Name == "$webhook/"+a.campaigns[i].Name
	case KindCount:
		// Else some of the history was not counted.
		known := a.campaigns[i].Existing || c.place > a.since(t.Event, t.Where)
		hit = hit && known && len(c.counted(t.Event, t.Where)) == t.Reaches
	case KindStreak:
		hit = e.Type == TypeTrack && a.streak(c, i, e)
	case KindSegment, KindThreshold:
		hit = (first || t.concernedBy(e)) && a.crossed(c, i)
	case KindChange:
		by = a.changed(c, i, e)
		hit = by != nil
	case KindInactivity:
		later := func(o *Event) bool { return o.Time > e.Time }
		switch {
		case hit && !slices.ContainsFunc(c.counted(t.Event, t.Where), later):
			a.arm(s, i, e)
		case first && t.FromProfile && !hit:
			a.arm(s, i, e)
		}
		hit = false
	default:
		hit = false
	}
	if !hit || !a.fresh(i, e) {
		return candidate{}, false
	}
	return candidate{campaign: i, trigger: by, planned: a.now, depth: c.depth}, true
}

// arm sets the inactivity instant from e. One already past is armed only where
// the event itself could still start something.
func (a *Auditor) arm(s *standing, i int, e *Event) {
	s.latest = e
	s.due = e.Time + a.campaigns[i].Trigger.For.Milliseconds()
	s.armed = s.due > a.now || (!e.Historical && !a.tooOld(i, e))
}

func (a *Auditor) tooOld(i int, e *Event) bool {
	return a.now-e.Time > a.maxAge(i)
}

func (a *Auditor) maxAge(i int) int64 {
	if limit := a.campaigns[i].MaxEventAge.Milliseconds(); limit != 0 {
		return limit
	}
	return defaultMaxAge
}

// fresh: a record that starts something is neither historical nor too old.
func (a *Auditor) fresh(i int, e *Event) bool {
	switch {
	case e.Historical:
		a.refuse(i, "historical")
	case a.tooOld(i, e):
		a.refuse(i, "max_event_age")
	default:
		return true
	}
	return false
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

package audit

// Auditor folds one partition's log.
type Auditor struct {
	// Slot is when a customer follows a version that was applied at an instant. The text only says that
	// it is within the minute after it. nil: at once.
	Slot func(at int64, customer string) int64

	now      int64 // log time
	position int   // how many records and definitions the log had so far

	// Definitions in force.
	campaigns     []*Campaign // by name; a new version overwrites the old one, so chains that follow see it
	policy        WorkspacePolicy
	counters      []counter
	longestWindow map[string]int64      // by event, ms; asked by key only
	everCounted   map[string]bool       // keys of counters; asked by key only
	recordedNames map[string]bool       // of events that a goal, stop or wait names; asked by key only
	versions      map[string][]Campaign // older ones that chains keep, by campaign; asked by key only
	versionAt     map[string]int64      // when a campaign got its last version; asked by key only
	lastVersionAt int64                 // when any campaign did
	migratedUntil int64                 // customers whose slots are at or before it have been migrated
	zones         zones

	customers []*customer                 // by id, bytes
	erased    map[string]bool             // asked by key only
	formerIDs map[string]map[string]int64 // customer.eventIDs of customers who expired; asked by key only

	// Work for many customers.
	bulkScans  []*bulkScan
	schedules  []schedule
	broadcasts map[string]bool // ids of those that came; asked by key only

	barrierUntil int64 // timers due at or before barrierMark wait until then; 0: there is no barrier
	barrierMark  int64
	asOf         int64 // as of when values are computed; 0: now
	skipWaits    bool  // what chains observe is from before, so it answers no wait
	queuedSoFar  int   // entries that pauses have queued

	experiments experimentState

	// Results.
	deliveries  []Delivery
	states      []State
	conversions []Conversion
	faults      []Fault
	refused     []Refusal
	closedRows  []Chain // of chains whose customer merged, expired or was erased
	notes       []string
}

// New returns an auditor of a partition in which the campaigns are active before the first record.
func New(campaigns []Campaign) *Auditor {
	a := &Auditor{
		broadcasts: map[string]bool{}, everCounted: map[string]bool{}, versions: map[string][]Campaign{},
		versionAt: map[string]int64{}, zones: zones{},
	}
	a.Apply(campaigns)
	return a
}

// Now returns the log time.
func (a *Auditor) Now() int64 { return a.now }

// Frame begins a frame of the log: log time moves to t, never back. What time alone brings about
// then happens: bulk scans and migrations go on, every timer due by t fires, and schedules start.
func (a *Auditor) Frame(t int64) {
	before := a.now
	a.now = max(a.now, t)
	a.updateBarrier(before)
	a.migrateAndScan()
	a.reachWithoutFiring()
	a.fireTimers()
	a.startSchedules() // after the timers
}

// Event applies one record about a customer at the current log time. A duplicate is dropped. What
// waited for the next time that something reaches the customer comes first: the end of chains that
// a new version does not take along, and bulk scans.
func (a *Auditor) Event(in Event) {
	a.position++
	if (&customer{a: a, eventIDs: a.formerIDs[in.Customer]}).knowsEvent(in.ID) {
		return // a duplicate does not bring back a customer who expired
	}
	c, first := a.customer(in.Customer)
	if c.knowsEvent(in.ID) {
		return
	}
	first, c.unseen = first || c.unseen, false
	if !first && a.isScanAhead(c) {
		a.note(NoteOvertaken)
	}
	a.position-- // scans and exits come before the record
	a.endExiting(c)
	a.applyScans(c)
	a.position++
	c.eventIDs[in.ID] = a.now
	a.postponeExpiry(c)
	e := &in
	e.Time = min(e.Time, a.now) // event time is at most log time
	e.position, e.recorded = a.position, a.recordedNames[in.Name]
	a.apply(c, e, first)
	a.applyEmitted(c)
	c.forgetChains()
}

// apply has the record act on its customer in the order of the text: profile and counters, the live
// chains (reversals, goals, stops, waits), the triggers, and then the chains that entered or went
// on, until each rests and the sends that are due are decided. first says that the customer was not
// there before.
func (a *Auditor) apply(c *customer, e *Event, first bool) {
	zone := c.traits["timezone"]
	c.update(a, e)
	a.updateDevice(c, e)
	zoned := !same(zone, c.traits["timezone"])
	if zoned {
		a.moveLocalTimers(c)
	}
	a.redateChanged(c, zoned)
	if _, said := e.Traits["timezone"]; said { // even if the zone is the same as before
		a.retryHeld(c)
	}
	for _, ch := range c.chainsInOrder() {
		ch.observe(a, e)
	}
	var all []candidate
	for i := range a.campaigns {
		if t, ok := a.matchTrigger(c, i, e, first); ok {
			all = append(all, t)
		}
	}
	c.changes, c.stepsChanged = nil, false
	c.current = e
	a.admit(c, all)
	a.runToQuiescence(c)
	c.current = nil
}

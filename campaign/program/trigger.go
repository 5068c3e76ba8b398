package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Trigger is what starts chains: one of the kinds of this package, each in a file of its own. Its
// methods answer what does not depend on a customer; package machine evaluates it for one.
//
//sumtype:decl
type Trigger interface {
	// Events are the names of the events that the trigger wants to see.
	Events() []string
	// exprs calls add with each expression of the trigger; add ignores nil.
	exprs(add func(*expr.Expr))
	condition
	outlook
}

// condition says what a trigger asks of an event.
type condition interface {
	// where is the condition that the events of the trigger must meet; nil: none.
	where() *expr.Expr
	// Counter names the counter that the trigger needs: that of the events of a name that meet
	// a condition (nil: any). ok is false for a trigger that needs none.
	Counter() (event string, where *expr.Expr, ok bool)
	// Gives says what is known of the properties of the event that starts a chain.
	Gives() Given
}

// outlook says when a trigger looks at a customer besides at the events that it names.
type outlook interface {
	// level is the trigger itself where it looks at a value of the customer, else nil.
	level() LevelTrigger
	// remembers is the spec by which customers keep what the trigger has seen of them, 0 for
	// one that keeps nothing; see Program.Remembers.
	remembers() uint64
	// Newcomers puts the trigger into an index of those that look at customers from their first
	// record on; nil for one that does not.
	Newcomers() func(b *expr.IndexBuilder, member int)
	// OnProfile says whether the trigger looks at what steps and merges change in a profile,
	// without an event.
	OnProfile() bool
	// offers says whether a campaign may ask for customers for whom the trigger's condition holds
	// already when it becomes active (existing: include).
	offers() bool
	// visits says whether customers who are already there are looked at when p, whose trigger
	// this is, takes the place of before (nil: of nothing that looked at customers). existing
	// says that p asks for them and before did not.
	visits(p, before *Program, existing bool) bool
}

// Given is what is known, before anything happens, of the properties of an event that starts a
// chain; the zero value is nothing. Advice about a definition uses it to find names that no such
// event has.
type Given struct {
	// Event names events whose properties the trigger event has; empty: see Names.
	Event string
	// Names are all the properties, when What is given.
	Names []string
	What  string // what such an event is called
}

// LevelTrigger watches a value of the customer and fires when it changes: a segment, or a
// threshold.
//
//sumtype:decl
type LevelTrigger interface {
	Trigger
	// value is the expression of the value, nil where it has a mistake.
	value() *expr.Expr
	// spec tells whether two versions of the trigger look at the same value.
	spec() uint64
	// clock says when the value changes without a record.
	clock() *expr.ValueClock
}

// onRecords is embedded by triggers that look at nothing but the events that they name.
type onRecords struct{ noLevel }

func (onRecords) remembers() uint64 { return 0 }

// Newcomers implements Trigger.
func (onRecords) Newcomers() func(*expr.IndexBuilder, int) { return nil }

// OnProfile implements Trigger.
func (onRecords) OnProfile() bool { return false }

func (onRecords) offers() bool { return false }

func (onRecords) visits(_, _ *Program, _ bool) bool { return false }

// noLevel is embedded by triggers that look at no value.
type noLevel struct{}

func (noLevel) level() LevelTrigger { return nil }

// uncounted is embedded by triggers that need no counter.
type uncounted struct{}

// Counter implements Trigger.
func (uncounted) Counter() (event string, where *expr.Expr, ok bool) { return "", nil, false }

// Level returns the program's trigger if it watches a value of the customer (a segment or a
// threshold), else nil.
func (p *Program) Level() LevelTrigger { return p.Trigger.level() }

// Clock returns when the value of the program's trigger can change with time alone. It is empty for
// triggers whose value does not.
func (p *Program) Clock() *expr.ValueClock {
	if l := p.Level(); l != nil {
		return l.clock()
	}
	return new(expr.ValueClock)
}

// WatchesZone reports whether the value of the program's trigger can change with the time zone of
// the customer's device, which any event may bring.
func (p *Program) WatchesZone() bool {
	l := p.Level()
	return l != nil && l.value() != nil && l.value().Reads.Zone
}

// WatchesClock reports whether the value of the program's trigger can change without a record.
func (p *Program) WatchesClock() bool {
	l := p.Level()
	return l != nil && changes(l.clock())
}

// visitsLevel implements visits for triggers that look at a value: one that changes with time
// needs its timer.
func visitsLevel(p, before *Program, existing bool) bool {
	return existing || p.WatchesClock() && (before == nil || before.LevelSpec() != p.LevelSpec())
}

// changes reports whether a value can change without a record.
func changes(c *expr.ValueClock) bool { return len(c.Windows)+len(c.Passages) > 0 }

// LevelSpec returns the spec of a trigger that watches a value, 0 for others.
func (p *Program) LevelSpec() uint64 {
	if l := p.Level(); l != nil {
		return l.spec()
	}
	return 0
}

// Remembers returns the spec of a trigger whose state is kept with each customer: a streak, a
// threshold, or a segment that changes with time. It is 0 for others, and for a nil program. A
// trigger with another spec begins with no state.
func (p *Program) Remembers() uint64 {
	if p == nil || !p.Watches() {
		return 0
	}
	return p.Trigger.remembers()
}

// OffersExisting reports whether the campaign may say "existing: include", to have customers enter
// for whom its trigger's condition holds already when it becomes active.
func (p *Program) OffersExisting() bool { return p.Trigger.offers() }

// VisitsExisting reports whether a bulk scan over all customers is needed when p takes the place of
// before (nil: nothing looked at customers before). existing says that p has "existing: include"
// and before did not.
func (p *Program) VisitsExisting(before *Program, existing bool) bool {
	return p.Trigger.visits(p, before, existing)
}

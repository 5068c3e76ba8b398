package campaign

// Trigger starts chains. Exactly one of the kinds below.
//
//sumtype:decl
type Trigger interface {
	// interest are the names of the events that the trigger wants to see.
	interest() []string
}

// EventTrigger fires on each matching event.
type EventTrigger struct {
	Name  string
	Where *Expr
}

// CountTrigger fires when the customer's N-th matching event arrives.
type CountTrigger struct {
	Event   string
	Where   *Expr
	Reaches uint64
}

// InactivityTrigger fires when no matching event came for a while.
type InactivityTrigger struct {
	Event string
	Where *Expr
	For   int64 // ms
	// FromProfile arms the trigger for customers who never did the event, from
	// the time of their first record.
	FromProfile bool
}

// StreakTrigger fires when matching events follow each other without a break; then
// the count starts anew.
type StreakTrigger struct {
	Event   string
	Where   *Expr
	Length  int
	MaxGap  int64 // ms between two events of a streak, inclusive; 0: any
	BreakOn *Matcher
	spec    uint64
}

// ThresholdTrigger fires when a number crosses a level, not while it stays beyond.
type ThresholdTrigger struct {
	Value      *Expr
	Down       bool
	At         float64
	Hysteresis float64 // how far back it must go before it can cross again
	spec       uint64
	clock      valueClock
}

// SegmentTrigger fires when a predicate over the customer becomes true or false.
type SegmentTrigger struct {
	When    *Expr
	OnLeave bool
	spec    uint64
	clock   valueClock
}

// ChangeTrigger fires when an attribute of the profile gets another value.
type ChangeTrigger struct {
	Path []string // below the traits; none: any of them
	From *Literal // nil: from whatever
	To   *Literal // nil: to whatever
}

func (t *EventTrigger) interest() []string      { return []string{t.Name} }
func (t *CountTrigger) interest() []string      { return []string{t.Event} }
func (t *InactivityTrigger) interest() []string { return []string{t.Event} }
func (t *ChangeTrigger) interest() []string     { return []string{identifyName} }
func (t *ThresholdTrigger) interest() []string  { return t.Value.changedBy() }
func (t *SegmentTrigger) interest() []string    { return t.When.changedBy() }

func (t *StreakTrigger) interest() []string {
	names := []string{t.Event}
	if t.BreakOn != nil && t.BreakOn.Event != t.Event {
		names = append(names, t.BreakOn.Event)
	}
	return names
}

// beyond says whether a value is at the level or on the far side of it.
func (t *ThresholdTrigger) beyond(v float64) bool {
	if t.Down {
		return v <= t.At
	}
	return v >= t.At
}

// back says whether a value has gone back far enough to cross again.
func (t *ThresholdTrigger) back(v float64) bool {
	if t.Down {
		return v > decimal(t.At+t.Hysteresis)
	}
	return v < decimal(t.At-t.Hysteresis)
}

// clock is that of the program's trigger; without windows and passages for triggers whose
// value does not change with time.
func (p *Program) clock() *valueClock {
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return &t.clock
	case *ThresholdTrigger:
		return &t.clock
	default: // the others have no value
		return new(valueClock)
	}
}

// watchesZone says that the value of the program's trigger can change with the time zone of the
// customer's device, which any event may say.
func (p *Program) watchesZone() bool {
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return t.When != nil && t.When.reads.zone
	case *ThresholdTrigger:
		return t.Value != nil && t.Value.reads.zone
	default: // the others have no value
		return false
	}
}

// watchesClock says that the value of the program's trigger can change without a record.
func (p *Program) watchesClock() bool {
	c := p.clock()
	return len(c.windows)+len(c.passages) > 0
}

// levelSpec is the spec of a trigger that looks at a value, 0 of the others.
func (p *Program) levelSpec() uint64 {
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return t.spec
	case *ThresholdTrigger:
		return t.spec
	default:
		return 0
	}
}

// BroadcastTrigger fires for every customer for whom the audience holds, on an event
// that has no customer.
type BroadcastTrigger struct {
	Event    string
	Audience *Expr // over the customer and the event; nil: everybody
}

// ScheduleTrigger fires at each occurrence of a calendar rule, or on each day of a named
// calendar, for every customer for whom the campaign's audience holds.
type ScheduleTrigger struct {
	Cron     Cron
	Text     string // as it was written
	Zone     string // IANA name; empty: the campaign's
	Calendar string // of a Policy; empty: Cron holds
	At       int    // minute of the calendar's days, 0 to 1440
}

func (*BroadcastTrigger) interest() []string { return nil }

func (*ScheduleTrigger) interest() []string { return nil }

// remembers is the spec of a trigger that remembers what its customers did since it looks at
// them: a streak, or a segment that changes with time. 0 is none, also of nil. On which side
// of a threshold somebody was stays known while nothing looks.
func (p *Program) remembers() uint64 {
	if p == nil || !p.watches() {
		return 0
	}
	switch t := p.Trigger.(type) {
	case *StreakTrigger:
		return t.spec
	case *SegmentTrigger:
		if p.watchesClock() {
			return t.spec
		}
	default: // the others remember nothing
	}
	return 0
}

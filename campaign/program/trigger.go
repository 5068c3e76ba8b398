package program

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/schedule"
)

// Trigger starts chains. Exactly one of the kinds below.
//
//sumtype:decl
type Trigger interface {
	// Events are the names of the events that the trigger wants to see.
	Events() []string
	isTrigger()
}

// EventTrigger fires on each matching event.
type EventTrigger struct {
	Name  string
	Where *expr.Expr
}

// CountTrigger fires when the customer's N-th matching event arrives.
type CountTrigger struct {
	Event   string
	Where   *expr.Expr
	Reaches uint64
}

// InactivityTrigger fires when no matching event came for a while.
type InactivityTrigger struct {
	Event string
	Where *expr.Expr
	For   int64 // ms
	// FromProfile arms the trigger for customers who never did the event, from
	// the time of their first record.
	FromProfile bool
}

// StreakTrigger fires when matching events follow each other without a break; then
// the count starts anew.
type StreakTrigger struct {
	Event   string
	Where   *expr.Expr
	Length  int
	MaxGap  int64 // ms between two events of a streak, inclusive; 0: any
	BreakOn *Matcher
	Spec    uint64
}

// ThresholdTrigger fires when a number crosses a level, not while it stays beyond.
type ThresholdTrigger struct {
	Value      *expr.Expr
	Down       bool
	At         float64
	Hysteresis float64 // how far back it must go before it can cross again
	Spec       uint64
	Clock      expr.ValueClock
}

// SegmentTrigger fires when a predicate over the customer becomes true or false.
type SegmentTrigger struct {
	When    *expr.Expr
	OnLeave bool
	Spec    uint64
	Clock   expr.ValueClock
}

// ChangeTrigger fires when an attribute of the profile gets another value.
type ChangeTrigger struct {
	Path []string // below the traits; none: any of them
	From *Literal // nil: from whatever
	To   *Literal // nil: to whatever
}

// Events implements Trigger.
func (t *EventTrigger) Events() []string { return []string{t.Name} }

func (*EventTrigger) isTrigger() {}

// Events implements Trigger.
func (t *CountTrigger) Events() []string { return []string{t.Event} }

func (*CountTrigger) isTrigger() {}

// Events implements Trigger.
func (t *InactivityTrigger) Events() []string { return []string{t.Event} }

func (*InactivityTrigger) isTrigger() {}

// Events implements Trigger.
func (t *ChangeTrigger) Events() []string { return []string{event.IdentifyName} }

func (*ChangeTrigger) isTrigger() {}

// Events implements Trigger.
func (t *ThresholdTrigger) Events() []string { return t.Value.ChangedBy() }

func (*ThresholdTrigger) isTrigger() {}

// Events implements Trigger.
func (t *SegmentTrigger) Events() []string { return t.When.ChangedBy() }

func (*SegmentTrigger) isTrigger() {}

// Events implements Trigger.
func (t *StreakTrigger) Events() []string {
	names := []string{t.Event}
	if t.BreakOn != nil && t.BreakOn.Event != t.Event {
		names = append(names, t.BreakOn.Event)
	}
	return names
}

func (*StreakTrigger) isTrigger() {}

// Beyond says whether a value is at the level or on the far side of it.
func (t *ThresholdTrigger) Beyond(v float64) bool {
	if t.Down {
		return v <= t.At
	}
	return v >= t.At
}

// Back says whether a value has gone back far enough to cross again.
func (t *ThresholdTrigger) Back(v float64) bool {
	if t.Down {
		return v > expr.Decimal(t.At+t.Hysteresis)
	}
	return v < expr.Decimal(t.At-t.Hysteresis)
}

// Clock is that of the program's trigger; without windows and passages for triggers whose
// value does not change with time.
func (p *Program) Clock() *expr.ValueClock {
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return &t.Clock
	case *ThresholdTrigger:
		return &t.Clock
	default: // the others have no value
		return new(expr.ValueClock)
	}
}

// WatchesZone says that the value of the program's trigger can change with the time zone of the
// customer's device, which any event may say.
func (p *Program) WatchesZone() bool {
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return t.When != nil && t.When.Reads.Zone
	case *ThresholdTrigger:
		return t.Value != nil && t.Value.Reads.Zone
	default: // the others have no value
		return false
	}
}

// WatchesClock says that the value of the program's trigger can change without a record.
func (p *Program) WatchesClock() bool {
	c := p.Clock()
	return len(c.Windows)+len(c.Passages) > 0
}

// LevelSpec is the spec of a trigger that looks at a value, 0 of the others.
func (p *Program) LevelSpec() uint64 {
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return t.Spec
	case *ThresholdTrigger:
		return t.Spec
	default:
		return 0
	}
}

// BroadcastTrigger fires for every customer for whom the audience holds, on an event
// that has no customer.
type BroadcastTrigger struct {
	Event    string
	Audience *expr.Expr // over the customer and the event; nil: everybody
}

// ScheduleTrigger fires at each occurrence of a calendar rule, or on each day of a named
// calendar, for every customer for whom the campaign's audience holds.
type ScheduleTrigger struct {
	Cron     schedule.Cron
	Text     string // as it was written
	Zone     string // IANA name; empty: the campaign's
	Calendar string // of a Policy; empty: Cron holds
	At       int    // minute of the calendar's days, 0 to 1440
}

// Events implements Trigger.
func (*BroadcastTrigger) Events() []string { return nil }

func (*BroadcastTrigger) isTrigger() {}

// Events implements Trigger.
func (*ScheduleTrigger) Events() []string { return nil }

func (*ScheduleTrigger) isTrigger() {}

// Remembers is the spec of a trigger that remembers what its customers did since it looks at
// them: a streak, or a segment that changes with time. 0 is none, also of nil. On which side
// of a threshold somebody was stays known while nothing looks.
func (p *Program) Remembers() uint64 {
	if p == nil || !p.Watches() {
		return 0
	}
	switch t := p.Trigger.(type) {
	case *StreakTrigger:
		return t.Spec
	case *SegmentTrigger:
		if p.WatchesClock() {
			return t.Spec
		}
	default: // the others remember nothing
	}
	return 0
}

package campaign

// identifyName is the event name of identify calls, which change the profile.
const identifyName = "$identify"

// interest says which records a trigger wants to see: those of some event names.
type interest struct{ names []string }

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

// Literal is a JSON scalar of a definition; null stands for a missing value.
type Literal struct{ JSON string }

func (t *EventTrigger) interest() interest      { return interest{names: []string{t.Name}} }
func (t *CountTrigger) interest() interest      { return interest{names: []string{t.Event}} }
func (t *InactivityTrigger) interest() interest { return interest{names: []string{t.Event}} }
func (t *ChangeTrigger) interest() interest     { return interest{names: []string{identifyName}} }
func (t *ThresholdTrigger) interest() interest  { return t.Value.changedBy() }
func (t *SegmentTrigger) interest() interest    { return t.When.changedBy() }

func (t *StreakTrigger) interest() interest {
	names := []string{t.Event}
	if t.BreakOn != nil && t.BreakOn.Event != t.Event {
		names = append(names, t.BreakOn.Event)
	}
	return interest{names: names}
}

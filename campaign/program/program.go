package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Program is a compiled campaign. It is immutable and safe for concurrent use.
type Program struct {
	Workspace string
	Name      string
	Version   uint32
	Labels    map[string]string

	Trigger Trigger
	// Audience is the condition over the customer under which they may enter; nil: everybody may.
	Audience *expr.Expr
	// From and Until bound the log time at which customers may enter, Unix ms: from From on, and
	// before Until; 0: unbounded.
	From  int64
	Until int64 // log time from which they may no longer, ms; 0: never
	// Recheck evaluates the audience again before each send.
	Recheck bool
	// Existing says that, when the campaign becomes active, customers enter for whom the trigger's
	// condition holds already.
	Existing bool
	Reentry  Reentry
	// MaxEventAge is how old an event may be, ms, when it comes: an older one starts no chain. The
	// default is a day.
	MaxEventAge int64
	Goals       []Goal
	// Stops are events that end a chain without being a goal.
	Stops []Matcher
	Late  LatePolicy
	// LateGiven says that Late is written in the definition, and not the default.
	LateGiven bool
	Status    Lifecycle
	// Pause matters while Status is StatusPaused.
	Pause Pause
	// InFlight says what this version means for chains of earlier ones.
	InFlight InFlight
	Zone     string // IANA name; empty: the workspace's
	Policy   CampaignPolicy
	Steps    []Step

	// StepIndex maps the id of a step to its index in Steps; it is only read.
	StepIndex map[string]int
	// WrittenTrigger is the trigger as it is written.
	WrittenTrigger string
	// CountsOnly marks a program that is not in force yet: counters that it reads are kept already,
	// so that they are filled when it comes into force.
	CountsOnly bool
	// Needs holds the variables that a step's message names, by step id.
	Needs map[string][]Variable

	// Noted says that Asks and Hears were computed by Note.
	Noted bool
	// Asks are the counters that all its expressions read.
	Asks []expr.CounterAsk
	// Hears are the names of the events that its goals, stops and waits wait for, sorted, each
	// once.
	Hears []string
}

// Mode says how often a customer may enter with one key.
type Mode uint8

// How often a customer may enter with one key (Reentry.Mode).
const (
	// Always: at each match of the trigger.
	Always Mode = iota
	// Once: never again after the first time.
	Once
	// Cooldown: not before the time Reentry.Cooldown has passed.
	Cooldown
)

// OnActive says what a trigger does when a chain of its key is live.
type OnActive uint8

// What a trigger does when a chain of its key is live (Reentry.OnActive).
const (
	// IgnoreNew enters while fewer than MaxActive chains are live, and refuses otherwise.
	IgnoreNew OnActive = iota
	// RestartLive ends the newest live chain and enters.
	RestartLive
	// RefreshLive leaves the live chain at its step, gives it the new trigger event, and restarts
	// its timer.
	RefreshLive
	// Parallel enters; MaxActive bounds it when given.
	Parallel
)

// Replaces reports whether an entry changes a live chain instead of adding one.
func (o OnActive) Replaces() bool { return o == RestartLive || o == RefreshLive }

// Reentry is the whole rule of a second entry of a customer.
type Reentry struct {
	Mode     Mode
	Cooldown int64 // ms
	FromExit bool  // the cooldown counts from the end of the last chain
	// Key separates chains of one customer, such as by the order's id: the rule holds for each key
	// by itself. nil: all have the empty key.
	Key       *expr.Expr
	MaxActive int // live chains of one key
	OnActive  OnActive
}

// LatePolicy says what happens when a timer fires more than five minutes late.
type LatePolicy uint8

// What happens when a timer fires more than five minutes late.
const (
	// LateSend goes on as if it were in time.
	LateSend LatePolicy = iota
	// LateSkip leaves out sends.
	LateSkip
	// LateExit ends the chain.
	LateExit
)

// EndStep is the target that ends a chain; no step may have this id.
const EndStep = "end"

// Step is one element of a campaign: what it does, and where a chain goes afterwards.
type Step struct {
	ID   string
	Verb Verb
	Goto string // where it goes after; empty: the next in the list
	// Loop is how often a chain may go back over Goto; 0: Goto leads forward only.
	Loop uint32
}

// Step returns the step with the id and its index; nil and 0 when the program has none.
func (p *Program) Step(id string) (*Step, int) {
	i, ok := p.StepIndex[id]
	if !ok {
		return nil, 0
	}
	return &p.Steps[i], i
}

// After returns the id of the step that follows the step at index i, EndStep after the last.
func (p *Program) After(i int) string {
	if g := p.Steps[i].Goto; g != "" {
		return g
	}
	if i+1 == len(p.Steps) {
		return EndStep
	}
	return p.Steps[i+1].ID
}

// Waiting returns a copy of the program that is not in force yet: active.NewSet only keeps what it
// counts.
func (p *Program) Waiting() *Program {
	w := *p
	w.CountsOnly = true
	return &w
}

// NextInList returns the id of the step after index i in the list, without its Goto: where a loop
// leads when it is used up. It is EndStep after the last.
func (p *Program) NextInList(i int) string {
	if i+1 == len(p.Steps) {
		return EndStep
	}
	return p.Steps[i+1].ID
}

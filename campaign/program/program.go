package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Program is a compiled campaign. It is immutable and safe for concurrent use.
type Program struct {
	Workspace string
	Name      string
	Version   uint32
	Labels    map[string]string

	Trigger     Trigger
	Audience    *expr.Expr // nil: everybody
	From        int64      // log time from which customers may enter, ms; 0: always
	Until       int64      // log time from which they may no longer, ms; 0: never
	Recheck     bool       // the audience is asked again before each send
	Existing    bool       // the trigger also asks for customers who are already there
	Reentry     Reentry
	MaxEventAge int64 // ms
	Goals       []Goal
	Stops       []Matcher
	Late        LatePolicy
	LateGiven   bool // the definition says it, and does not leave it to the default
	Status      Lifecycle
	Pause       Pause    // meaningful while paused
	InFlight    InFlight // what this version means for live chains
	Zone        string   // IANA name; empty: the workspace's
	Policy      CampaignPolicy
	Steps       []Step

	StepIndex      map[string]int // id -> index; read only
	WrittenTrigger string         // the trigger as it was written
	CountsOnly     bool           // not in force yet: it only says what is counted
	// Needs holds the variables that a step's message names, by step id.
	Needs map[string][]Variable

	Noted bool              // what follows was computed
	Asks  []expr.CounterAsk // of all its expressions
	Hears []string          // event names of its goals, stops and waits, sorted, each once
}

// Mode says how often a customer may enter.
type Mode uint8

// The re-entry modes.
const (
	Always Mode = iota
	Once
	Cooldown
)

// OnActive says what a trigger does when a chain of its key is live.
type OnActive uint8

// What a trigger does to live chains of its key.
const (
	IgnoreNew   OnActive = iota // enter while fewer than MaxActive are live, else refuse
	RestartLive                 // end the newest and enter
	RefreshLive                 // keep its place, give it the new trigger, restart its timer
	Parallel                    // enter; MaxActive bounds it when given
)

// Replaces says whether an entry changes the live chain that is there.
func (o OnActive) Replaces() bool { return o == RestartLive || o == RefreshLive }

// Reentry is the whole re-entry rule.
type Reentry struct {
	Mode      Mode
	Cooldown  int64      // ms
	FromExit  bool       // the cooldown counts from the end of the last chain
	Key       *expr.Expr // nil: one key, the empty one
	MaxActive int        // live chains of one key
	OnActive  OnActive
}

// LatePolicy says what a timer does that fires more than five minutes late.
type LatePolicy uint8

// The late policies.
const (
	LateSend LatePolicy = iota
	LateSkip
	LateExit
)

// EndStep is the reserved target that ends a chain.
const EndStep = "end"

// Step is one element of a campaign.
type Step struct {
	ID   string
	Verb Verb
	Goto string // where it goes after; empty: the next in the list
	Loop uint32 // how often a chain may go back to it; 0: only forward
}

// Step is the step of that id and its index; nil when the program has none.
func (p *Program) Step(id string) (*Step, int) {
	i, ok := p.StepIndex[id]
	if !ok {
		return nil, 0
	}
	return &p.Steps[i], i
}

// After is the id of the step that follows index i, EndStep behind the last.
func (p *Program) After(i int) string {
	if g := p.Steps[i].Goto; g != "" {
		return g
	}
	if i+1 == len(p.Steps) {
		return EndStep
	}
	return p.Steps[i+1].ID
}

// Waiting is the program as one that is not in force yet: NewSet keeps what it counts.
func (p *Program) Waiting() *Program {
	w := *p
	w.CountsOnly = true
	return &w
}

// NextInList is the step after index i in the list; EndStep after the last.
func (p *Program) NextInList(i int) string {
	if i+1 == len(p.Steps) {
		return EndStep
	}
	return p.Steps[i+1].ID
}

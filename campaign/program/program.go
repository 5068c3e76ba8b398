package program

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

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

// Verb is what a step does. Exactly one of the kinds below.
//
//sumtype:decl
type Verb interface {
	// Word is the name of the verb, as definitions write it.
	Word() string
	isVerb()
}

// Delay rests for a while.
type Delay struct {
	For       int64 // ms
	FromEntry bool
}

// Wait rests until an event comes or the timeout is over.
type Wait struct {
	For         []Matcher
	Timeout     int64 // ms; 0: without an end
	FromEntry   bool  // since: entry
	OnTimeout   string
	RestartOn   *Matcher
	MaxRestarts uint32
}

// Send decides a delivery on each of its channels.
type Send struct {
	Channels []string
	Expires  int64 // ms after the hand-off
	Message  Message
	To       *expr.Expr // who gets it, where it is not the customer's own address; nil: they do
	Category string     // empty: the campaign's
	OnFail   string     // step that the final failure of a delivery leads to; empty: none
	OnCap    OnCap
	OnDrop   OnDrop
}

// Message is the content of a send: a template by name, or inline texts (a field
// name and its Liquid source, in the order written), or neither, for channels
// that only take data.
type Message struct {
	Template string
	Fields   []Field
}

// Field is one text of a message.
type Field struct{ Name, Source string }

// Variable is a value that a message names.
type Variable struct {
	Path     string `json:"Path"`     // for example customer.traits.name
	Optional bool   `json:"Optional"` // the template has a fallback for it
	// Unless is the path of the variable whose fallback this one is: it is needed only where
	// that one is missing, false or empty; empty: always.
	Unless string `json:"Unless,omitempty"`
}

// Branch goes to the first arm that holds, else to the next step.
type Branch struct{ Arms []Arm }

// Arm is one way of a branch; When nil holds always.
type Arm struct {
	When *expr.Expr
	Goto string
}

// Exit ends the chain.
type Exit struct{ Reason string }

// Word implements Verb.
func (*Delay) Word() string { return "delay" }

func (*Delay) isVerb() {}

// Word implements Verb.
func (*Wait) Word() string { return "wait" }

func (*Wait) isVerb() {}

// Word implements Verb.
func (*Send) Word() string { return "send" }

func (*Send) isVerb() {}

// Word implements Verb.
func (*Branch) Word() string { return "branch" }

func (*Branch) isVerb() {}

// Word implements Verb.
func (*Exit) Word() string { return "exit" }

func (*Exit) isVerb() {}

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

// Sends calls f with each send step and the request of each call step, in order.
func (p *Program) Sends(f func(step string, s *Send)) {
	for i := range p.Steps {
		switch v := p.Steps[i].Verb.(type) {
		case *Send:
			f(p.Steps[i].ID, v)
		case *Call:
			f(p.Steps[i].ID, &v.Request)
		default:
		}
	}
}

// SetNeeds records which variables the message of each send step names; see
// Document.Needs.
func (p *Program) SetNeeds(needs map[string][]Variable) error {
	p.Needs = needs
	known := 0
	p.Sends(func(step string, _ *Send) {
		if _, ok := needs[step]; ok {
			known++
		}
	})
	if known != len(needs) {
		return fmt.Errorf("campaign: %s: variables are given for a step that sends nothing", p.Name)
	}
	return nil
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

// OpenWait is the wait in which a chain rests, and its index; nil when it rests in another
// step, or before the wait because of a pause.
func (p *Program) OpenWait(ch *customer.Chain) (*Wait, int) {
	s, at := p.Step(ch.Step)
	if s == nil || ch.Still {
		return nil, 0
	}
	w, _ := s.Verb.(*Wait)
	return w, at
}

package campaign

import "fmt"

// Program is a compiled campaign. It is immutable and safe for concurrent use.
type Program struct {
	Workspace string
	Name      string
	Version   uint32
	Labels    map[string]string

	Trigger     Trigger
	Audience    *Expr // nil: everybody
	From        int64 // log time from which customers may enter, ms; 0: always
	Until       int64 // log time from which they may no longer, ms; 0: never
	Recheck     bool  // the audience is asked again before each send
	Existing    bool  // the trigger also asks for customers who are already there
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
	Policy      Conduct
	Steps       []Step

	steps       map[string]int // id -> index; read only
	triggerText string         // the trigger as it was written
	waiting     bool           // not in force yet: it only says what is counted
	// needs holds the variables that a step's message names, by step id.
	needs map[string][]Variable

	noted bool         // what follows was computed
	asks  []counterAsk // of all its expressions
	hears []string     // event names of its goals, stops and waits, sorted, each once
}

// Trigger starts chains. Exactly one of the kinds below.
//
//sumtype:decl
type Trigger interface{ interest() interest }

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

// replaces says whether an entry changes the live chain that is there.
func (o OnActive) replaces() bool { return o == RestartLive || o == RefreshLive }

// Reentry is the whole re-entry rule.
type Reentry struct {
	Mode      Mode
	Cooldown  int64 // ms
	FromExit  bool  // the cooldown counts from the end of the last chain
	Key       *Expr // nil: one key, the empty one
	MaxActive int   // live chains of one key
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

// Goal is a conversion.
type Goal struct {
	ID           string
	Match        Matcher
	Window       int64 // ms from the entry, inclusive; 0: while the chain lives
	FromDelivery bool  // the window counts from the last delivery
	Value        *Expr
	Currency     *Expr
	Stop         bool
	ReverseOn    *Matcher // takes the conversion back; nil: nothing does
	Primary      bool     // the campaign is measured by it first
}

// Matcher recognises an event in the light of the chain's trigger.
type Matcher struct {
	Event string
	Where *Expr
	Match string // property that must be equal on the event and the trigger
	Goto  string // target step of a wait; empty: the next step, "end": the end
}

// endStep is the reserved target that ends a chain.
const endStep = "end"

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
type Verb interface{ verb() string }

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
	To       *Expr  // who gets it, where it is not the customer's own address; nil: they do
	Category string // empty: the campaign's
	OnFail   string // step that the final failure of a delivery leads to; empty: none
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
	Path     string // for example customer.traits.name
	Optional bool   // the template has a fallback for it
	// Unless is the path of the variable whose fallback this one is: it is needed only where
	// that one is missing, false or empty; empty: always.
	Unless string `json:",omitempty"`
}

// Branch goes to the first arm that holds, else to the next step.
type Branch struct{ Arms []Arm }

// Arm is one way of a branch; When nil holds always.
type Arm struct {
	When *Expr
	Goto string
}

// Exit ends the chain.
type Exit struct{ Reason string }

func (*Delay) verb() string  { return "delay" }
func (*Wait) verb() string   { return "wait" }
func (*Send) verb() string   { return "send" }
func (*Branch) verb() string { return "branch" }
func (*Exit) verb() string   { return "exit" }

// step is the step of that id and its index; nil when the program has none.
func (p *Program) step(id string) (*Step, int) {
	i, ok := p.steps[id]
	if !ok {
		return nil, 0
	}
	return &p.Steps[i], i
}

// after is the id of the step that follows index i, endStep behind the last.
func (p *Program) after(i int) string {
	if g := p.Steps[i].Goto; g != "" {
		return g
	}
	if i+1 == len(p.Steps) {
		return endStep
	}
	return p.Steps[i+1].ID
}

// measureGrace is how long after its goal windows an ended chain is still
// measured, in ms of log time: as long as duplicates are recognised.
const measureGrace = 24 * 3600 * 1000

// measureUntil is the instant until which an ended chain may still convert; 0
// when it cannot.
func (p *Program) measureUntil(ch *Chain) int64 {
	until := int64(0)
	for i := range p.Goals {
		g := &p.Goals[i]
		if t := ch.takeback(g.ID); t != nil && !t.done && g.ReverseOn != nil {
			until = max(until, t.until(ch, g)+measureGrace)
		}
		if g.Window == 0 || ch.reached(g.ID) {
			continue
		}
		base := ch.EnteredAt
		if g.FromDelivery {
			if ch.LastSend == 0 {
				continue
			}
			base = ch.LastSend
		}
		until = max(until, base+g.Window+measureGrace)
	}
	return until
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

// setNeeds records which variables the message of each send step names; see
// Document.Needs.
func (p *Program) setNeeds(needs map[string][]Variable) error {
	p.needs = needs
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

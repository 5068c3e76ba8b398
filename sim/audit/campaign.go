// Package audit is the judge of the simulator: a slow, obvious model of what
// one partition's log means for campaigns.
//
// It models the text of docs "The campaign language" (order inside one record,
// triggers, entry, steps, goals and stop, time) for the subset that Campaign can
// say. It is written from that text alone, apart from the engine, and shares no
// code with it: where both agree, two readings of the same text agree. So it
// prefers scans and sorted slices over every index, wheel or counter.
package audit

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Trigger kinds.
const (
	KindEvent      = "event"
	KindCount      = "count"
	KindInactivity = "inactivity"
)

// Re-entry modes.
const (
	ModeAlways   = "always"
	ModeOnce     = "once"
	ModeCooldown = "cooldown"
)

// What a trigger does while chains of its key live.
const (
	ActiveIgnore   = "ignore"
	ActiveRestart  = "restart"
	ActiveRefresh  = "refresh"
	ActiveParallel = "parallel"
)

// Subjects of a comparison.
const (
	SubjectEvent    = "event"
	SubjectTrigger  = "trigger"
	SubjectCustomer = "customer"
)

// End is the target of a goto that ends the chain.
const End = "end"

// Campaign is one definition, active from when it is applied. The zero MaxEventAge
// means 24h. Version is no part of the text.
type Campaign struct {
	Name        string
	Version     int
	Trigger     Trigger
	Audience    *Pred
	Reentry     Reentry
	MaxEventAge time.Duration
	Goals       []Goal
	Stops       []Match
	Steps       []Step
	Policy      Policy
	Late        string // empty: send
	Recheck     bool   // before_send
	Zone        string
	From, Until int64 // of entries, Unix ms; 0: none
	InFlight    string
	Status      string
	Queue       bool // a paused campaign keeps what would start chains, else refuses it
	Freeze      bool // and holds its chains, else lets them go on
	Existing    bool // include: also those who are there when it becomes active
}

// Trigger says what starts a chain. Reaches is for count; For and FromProfile
// (never_done: from_profile_created) are for inactivity; Length, MaxGap and BreakOn for
// streak; Path, Down, At and Hysteresis for threshold; When and Leave for segment; Path,
// From and To (nil: not said) for change; When, the audience, for broadcast; Minute, of
// the hour or with Daily of the day, and Zone for schedule.
type Trigger struct {
	Kind        string
	Event       string
	Where       *Pred
	Reaches     int
	For         time.Duration
	FromProfile bool

	Length     int
	MaxGap     time.Duration
	BreakOn    string
	Path       string
	Down       bool
	At         float64
	Hysteresis float64
	When       *Pred
	Leave      bool
	From, To   any
	Minute     int
	Daily      bool
	Zone       string
	Repeat     string // for date; empty: none
	Offsets    []int  // days, for date
	HasAt      bool   // a date has Minute
	Feb29      string // for date; empty: feb28
	CatchUp    time.Duration
	Calendar   string // of a schedule that has no rule
	// Value of a threshold; nil: the trait at Path.
	Value *Comparison
}

// Reentry rules further chains of one customer. An empty Mode is always, an
// empty OnActive is ignore, MaxActive 0 is not given.
type Reentry struct {
	Mode        string
	Cooldown    time.Duration
	FromExit    bool
	KeyProperty string
	MaxActive   int
	OnActive    string
}

// Match holds for an event of that name where Where holds and, with Property,
// the event and the trigger carry the same value of it.
type Match struct {
	Event    string
	Where    *Pred
	Property string
}

// Goal is a conversion. Window 0 is not given: measured while the chain lives.
type Goal struct {
	ID            string
	Match         Match
	Window        time.Duration
	FromDelivery  bool
	ValueProperty string
	// PlusProperty is added to the value; Currency is the property with the currency.
	PlusProperty string
	Currency     string
	Stop         bool
	ReverseOn    string
	Primary      bool
}

// Step has exactly one verb set. Goto is where the chain goes after it; empty
// is the next step.
type Step struct {
	ID     string
	Delay  *Delay
	Wait   *Wait
	Send   *Send
	Branch *Branch
	Exit   bool
	Goto   string

	Experiment *Experiment
	Until      *Until
	Set        *Set
	Emit       *Emit
	Start      string // a campaign
	Call       *Call
	Loop       int // how often a chain goes back to this step at most
}

// Delay rests the chain from the step before, or from the entry.
type Delay struct {
	For       time.Duration
	FromEntry bool
}

// Wait rests the chain until one of For matches or, with Timeout, it is over.
// FromEntry is `since: entry`. An empty OnTimeout goes on like the step itself.
type Wait struct {
	For       []WaitFor
	Timeout   time.Duration
	FromEntry bool
	OnTimeout string

	RestartOn   *Match
	MaxRestarts int
}

// WaitFor is one event a wait looks for.
type WaitFor struct {
	Match Match
	Goto  string
}

// Send decides one delivery a channel, in the order written. Each may leave for
// Expires; 0 is not given.
type Send struct {
	Channels []string
	Expires  time.Duration

	Category string
	OnCap    string // empty: drop
	OnFail   string // a later step; empty: goes on
	OnDrop   string // DropExit, DropNext or a step; empty: DropNext
	Needs    string // a property of the trigger that the message names
}

// Branch goes to the first arm that holds, else to the next step.
type Branch struct{ Arms []Arm }

// Arm is one way of a branch; no When always holds.
type Arm struct {
	When *Pred
	Goto string
}

// Pred is a conjunction. A value that is missing makes all of it false.
type Pred struct{ All []Comparison }

// Comparison compares a property (event, trigger), a trait (customer) or, with
// Count, the customer's number of events of that name, with Sum the sum of that
// property over them, both within the Window before now when there is one; with
// Tag, which needs no more, whether the customer has it. Sum may lead into a property, with a
// dot. Zone compares the customer's time zone, Text the property written by string(). Last and
// Past compare now, by >= or <: the time since the customer's last event of that name with
// Window, or now with the instant of the trait at Path. Value is a string or a float64; Op is
// one of == != >= <.
type Comparison struct {
	Subject string
	Path    string
	Count   string
	Sum     string
	Window  time.Duration
	Tag     string
	Zone    bool
	Text    bool
	Last    string
	Past    bool
	Op      string
	Value   any
}

// P is a predicate of the given comparisons.
func P(all ...Comparison) *Pred { return &Pred{All: all} }

// CEL renders the predicate in the contract's expression language.
func (p *Pred) CEL() string {
	parts := make([]string, 0, len(p.All))
	for _, c := range p.All {
		parts = append(parts, c.cel())
	}
	return strings.Join(parts, " && ")
}

func (c Comparison) cel() string {
	if c.Tag != "" {
		return "customer.tagged(" + quote(c.Tag) + ")"
	}
	switch {
	case c.Zone:
		return "customer.timezone " + c.Op + " " + literal(c.Value, false)
	case c.Text:
		return "string(" + member(c.Subject+".properties", c.Path) + ") " + c.Op + " " + literal(c.Value, false)
	case c.Last != "":
		return "now - customer.last(" + quote(c.Last) + ") " + c.Op + " duration(" + quote(seconds(c.Window)) + ")"
	case c.Past:
		return "now " + c.Op + " timestamp(" + member("customer.traits", c.Path) + ")"
	}
	if c.Sum != "" {
		return c.value() + " " + c.Op + " " + literal(c.Value, false)
	}
	if c.Count != "" {
		return c.value() + " " + c.Op + " " + literal(c.Value, true)
	}
	root := c.Subject + ".properties"
	switch c.Subject {
	case SubjectCustomer:
		root = "customer.traits"
	case SubjectReply:
		root = "chain.reply"
	}
	return member(root, c.Path) + " " + c.Op + " " + literal(c.Value, false)
}

// value is the count or the sum that a comparison asks for.
func (c Comparison) value() string {
	window := ""
	if c.Window != 0 {
		window = ", " + quote(Duration(c.Window))
	}
	if c.Sum != "" {
		return "customer.sum(" + quote(c.Count) + ", " + quote(c.Sum) + window + ")"
	}
	return "customer.count(" + quote(c.Count) + window + ")"
}

// literal writes a double with a point, because CEL has no `dyn >= int` for
// every pair, and a count without one, because counts are integers.
func literal(v any, whole bool) string {
	number, ok := v.(float64)
	if !ok {
		text, _ := v.(string)
		return quote(text)
	}
	s := strconv.FormatFloat(number, 'f', -1, 64)
	if !whole && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// member is root.name, or root["name"] where the name is no identifier.
func member(root, name string) string {
	for i, r := range name {
		letter := r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (i == 0 || r < '0' || r > '9') {
			return root + "[" + quote(name) + "]"
		}
	}
	return root + "." + name
}

// quote is a JSON string, which is a CEL string and a YAML scalar as well.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // >= stays readable
	if err := enc.Encode(s); err != nil {
		panic("BUG: a string that is no JSON: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// scene is what a predicate can look at.
type scene struct {
	event    *Event
	trigger  *Event
	customer *customer
	reply    map[string]any // to the chain's last call
}

// holds is true for a missing predicate too: nothing is asked.
func (p *Pred) holds(s scene) bool {
	if p == nil {
		return true
	}
	for _, c := range p.All {
		if !c.holds(s) {
			return false
		}
	}
	return true
}

func (c Comparison) holds(s scene) bool {
	if c.Tag != "" {
		return s.customer.tags[c.Tag]
	}
	if c.Count != "" {
		return compare(s.customer.tally(c), c.Op, c.Value)
	}
	if value, known, said := c.special(s); said {
		return known && compare(value, c.Op, c.want())
	}
	members := s.customer.traits
	switch c.Subject {
	case SubjectEvent:
		members = s.event.Properties
	case SubjectTrigger:
		members = s.trigger.Properties
	case SubjectReply:
		members = s.reply
	}
	value, ok := members[c.Path]
	if !ok || value == nil {
		return false
	}
	return compare(value, c.Op, c.Value)
}

// compare follows CEL: equality between kinds is false (and inequality true),
// an order between kinds is an error, hence false.
func compare(got any, op string, want any) bool {
	var less, equal, ordered bool
	a, isNumber := number(got)
	b, wantsNumber := number(want)
	s, isText := got.(string)
	t, wantsText := want.(string)
	if isNumber && wantsNumber {
		less, equal, ordered = a < b, a == b, true
	}
	if isText && wantsText {
		less, equal, ordered = s < t, s == t, true
	}
	switch op {
	case "==":
		return equal
	case "!=":
		return !equal
	case ">=":
		return ordered && !less
	case "<":
		return ordered && less
	}
	panic("BUG: unknown operator " + op)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	}
	return 0, false
}

// holds tells whether the event is one that the match looks for.
func (m Match) holds(e, trigger *Event, c *customer) bool {
	if e.Type == TypeIdentify || e.Name != m.Event {
		return false
	}
	if m.Property != "" {
		want, ok := trigger.Properties[m.Property]
		got, has := e.Properties[m.Property]
		a, isText := textOf(want)
		b, alike := textOf(got)
		if !ok || !has || !isText || !alike || a != b {
			return false
		}
		if !compare(got, "==", want) {
			c.a.note(NoteMixedIDs)
		}
	}
	return m.Where.holds(scene{event: e, trigger: trigger, customer: c})
}

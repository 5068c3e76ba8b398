package program

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Verb is what a step does: exactly one of the kinds of this package, each in a file of its own.
// There it answers all that can be asked of a verb without a customer; what it does to a chain is
// in package machine.
//
//sumtype:decl
type Verb interface {
	// Word is the name of the verb, as definitions write it.
	Word() string
	// exprs calls add with each expression of the verb; add ignores nil.
	exprs(add func(*expr.Expr))
	way
	rest
	effect
}

// way says which step follows a verb. In its methods next is the step that follows where the verb
// names no other.
type way interface {
	// targets are all steps that can follow.
	targets(next string) []string
	// silentTargets are those that can follow when nobody reacts and nothing fails.
	silentTargets(next string) []string
	// afterFailure is where a chain goes that has gone on when a delivery of the step fails
	// for good; empty: it stays where it is.
	afterFailure() string
}

// rest says how long a chain stays at a verb.
type rest interface {
	// Timer says what the timer of a chain that rests at the step goes by.
	Timer() Timer
	// onTimer is where a chain that rests at the step goes on when its timer fires.
	onTimer(ch *customer.Chain, next string) string
}

// effect says what a verb makes beside moving its chain to another step: a delivery, or a change of
// the customer or of another campaign.
type effect interface {
	// request is the message or call that the verb hands to a channel; nil when it hands over none.
	request() *Send
	// Makes says what the verb does to the customer and to other campaigns.
	Makes() Made
}

// Made is what a verb does to the customer and to other campaigns; the zero value is nothing.
type Made struct {
	Traits     []Assign // that it sets
	Event      string   // that it makes of the customer; empty: none
	Properties []Assign // of that event
	Campaign   string   // whose chain it starts; empty: none
}

// TimerKind says from when on the timer of a resting chain runs.
type TimerKind uint8

// From when on a timer counts (Timer.Kind).
const (
	NoTimer TimerKind = iota // a chain does not rest at the step, or not by a timer of the step's own
	// FromStep counts from the instant at which the chain came to the step.
	FromStep
	// FromEntry counts from the chain's entry.
	FromEntry
	// LocalTime is due at a time of day.
	LocalTime
	// ForReply counts as FromStep does, while the reply of a request is waited for.
	ForReply
)

// Timer says when a chain that rests at a step goes on by itself.
type Timer struct {
	Kind TimerKind
	// After is how long the timer runs, ms; 0 of FromStep: it never fires.
	After int64
	Until *Until // of LocalTime
	// Early says that an event can end the rest before the timer.
	Early bool
	// Off, of ForReply, says that no reply is waited for.
	Off bool
}

// shortest returns how long a chain that comes to the step at ms after its entry stays there at
// least, ms; 0 where an event could end it at once, or the time of day decides.
func (t Timer) shortest(at int64) int64 {
	switch t.Kind {
	case FromStep:
		if !t.Early {
			return t.After
		}
	case FromEntry:
		return max(t.After-at, 0)
	case NoTimer, LocalTime, ForReply:
	}
	return 0
}

// silent returns how long a chain stays at the step for a customer who never reacts, ms: waits last
// until their timeout, a step until a time of day counts as a day, and a reply comes at once.
func (t Timer) silent(at int64) int64 {
	switch t.Kind {
	case FromStep:
		return t.After
	case LocalTime:
		return unit.DayMillis
	case NoTimer, FromEntry, ForReply:
	}
	return t.shortest(at)
}

// onward is embedded by verbs that go on to the next step, whatever happens.
type onward struct{}

func (onward) targets(next string) []string                  { return []string{next} }
func (onward) silentTargets(next string) []string            { return []string{next} }
func (onward) onTimer(_ *customer.Chain, next string) string { return next }
func (onward) afterFailure() string                          { return "" }

// instant is embedded by verbs at which no chain rests.
type instant struct{}

// Timer implements Verb.
func (instant) Timer() Timer { return Timer{} }

// inward is embedded by verbs that do nothing outside of their chain.
type inward struct{}

func (inward) request() *Send { return nil }

// Makes implements Verb.
func (inward) Makes() Made { return Made{} }

// Assign gives a name a value: a literal or what an expression yields.
type Assign struct {
	Name    string
	Literal []byte // canonical JSON; meaningful when Expr is nil
	Expr    *expr.Expr
}

// assigned calls add with the expressions among assignments.
func assigned(assigns []Assign, add func(*expr.Expr)) {
	for i := range assigns {
		add(assigns[i].Expr)
	}
}

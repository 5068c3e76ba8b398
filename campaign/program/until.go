package program

import (
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// Until rests until it is a time of day on one of some days.
type Until struct {
	onward
	inward

	Minute int // of the day, local
	Days   zone.Days
	Zone   string // IANA name; empty: the customer's zone order
}

// Word implements Verb.
func (*Until) Word() string { return "until" }

func (*Until) exprs(func(*expr.Expr)) {}

// Timer implements Verb.
func (u *Until) Timer() Timer { return Timer{Kind: LocalTime, Until: u} }

package program

import (
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// Until keeps a chain at the step until it is a time of day on one of some days, such as 09:00 on a
// weekday.
type Until struct {
	onward
	inward

	// Minute is the minute of the day, 0 to 1439, by the local clock.
	Minute int
	Days   zone.Days
	// Zone is an IANA name; empty: the zone of the customer, else of the campaign, else of the
	// workspace.
	Zone string
}

// Word implements Verb.
func (*Until) Word() string { return "until" }

func (*Until) exprs(func(*expr.Expr)) {}

// Timer implements Verb.
func (u *Until) Timer() Timer { return Timer{Kind: LocalTime, Until: u} }

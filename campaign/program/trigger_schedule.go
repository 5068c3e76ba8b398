package program

import (
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/schedule"
)

// ScheduleTrigger fires at each occurrence of a calendar rule, or on each day of a named
// calendar, for every customer for whom the campaign's audience holds.
type ScheduleTrigger struct {
	onRecords
	uncounted

	Cron schedule.Cron
	// Text is the rule as written, for people.
	Text string
	// Zone is an IANA name; empty: the campaign's zone. The rule holds in one zone for all
	// customers.
	Zone string
	// Calendar names a list of days of a Policy; empty: Cron holds.
	Calendar string
	// At is the minute of the calendar's days, 0 to 1440.
	At int
}

// Events implements Trigger.
func (*ScheduleTrigger) Events() []string { return nil }

func (*ScheduleTrigger) exprs(func(*expr.Expr)) {}

func (*ScheduleTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger.
func (*ScheduleTrigger) Gives() Given { return Given{} }

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

	Cron     schedule.Cron
	Text     string // as it was written
	Zone     string // IANA name; empty: the campaign's
	Calendar string // of a Policy; empty: Cron holds
	At       int    // minute of the calendar's days, 0 to 1440
}

// Events implements Trigger.
func (*ScheduleTrigger) Events() []string { return nil }

func (*ScheduleTrigger) exprs(func(*expr.Expr)) {}

func (*ScheduleTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger.
func (*ScheduleTrigger) Gives() Given { return Given{} }

package program

import (
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/schedule"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// The categories that the language itself knows; others are names.
const (
	Marketing     = "marketing"     // the default
	Transactional = "transactional" // ignores consent, caps, quiet hours and conflicts
)

// Policy is what holds for all campaigns of a workspace.
type Policy struct {
	Name  string
	Zone  string      // IANA name; empty: this document says nothing about it
	Quiet *QuietHours // for campaigns without quiet hours of their own; nil: none
	// RequireConsent are the categories that need a granted consent, not just none
	// refused.
	RequireConsent []string
	Caps           []Cap
	Off            SendsOff
	Calendars      []schedule.Calendar
	// Idle is how long an anonymous customer without a record is kept, ms; 0: this
	// document says nothing about it, negative: forever.
	Idle int64
}

// SendsOff is what may not send at all.
type SendsOff struct {
	Workspace bool
	Channels  []string
	Campaigns []string
}

// Cap bounds the deliveries to one customer. It counts those of the campaigns that
// name it, of its channel and category.
type Cap struct {
	Name     string
	Channel  string // empty: every channel
	Category string // empty: every category but transactional
	Limit    int
	Window   int64 // rolling, ms; 0: by the calendar
	Per      zone.Period
}

// QuietHours are when nothing is sent, by the local clock.
type QuietHours struct {
	From, To int    // minutes of the day; To may be on the next day
	Zone     string // IANA name; empty: the customer's, see Machine.zone
	Drop     bool   // else the chain is held until they end
}

// CampaignPolicy is how a campaign gets on with the customer's others.
type CampaignPolicy struct {
	Category string // of its sends, unless a step says otherwise
	Priority int
	Caps     []string
	Quiet    *QuietHours // nil: the workspace's
	Group    string      // at most one live chain of the group a customer; empty: none
	Preempt  bool        // ends a chain of the group that has a lower priority
	Dedupe   *Dedupe
	Holdout  *Holdout
}

// Dedupe keeps other chains from sending about the same thing.
type Dedupe struct {
	Key    *expr.Expr
	Window int64 // ms
}

// Holdout keeps a share of the customers as a control group.
type Holdout struct {
	Below int    // buckets below it are held out, 0 to 10,000
	Salt  string // empty: the campaign's name
}

// OnCap is what a send does that a cap refuses.
type OnCap uint8

// What a send does that a cap refuses.
const (
	CapDrop OnCap = iota
	CapDefer
	CapExit
)

// Category is that of a send step.
func (p *Program) Category(s *Send) string {
	if s.Category != "" {
		return s.Category
	}
	if p.Policy.Category != "" {
		return p.Policy.Category
	}
	return Marketing
}

// How long an anonymous customer without a record is kept, of log time.
const (
	DefaultIdle = 90 * unit.DayMillis
	MinIdle     = unit.HourMillis
	NeverIdle   = int64(-1) // they are kept forever
)

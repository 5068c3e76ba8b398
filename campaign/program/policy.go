package program

import (
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/schedule"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// The categories of messages that the language itself knows; authors name others.
const (
	Marketing     = "marketing"     // the default
	Transactional = "transactional" // ignores consent, caps, quiet hours and conflicts
)

// Policy is what holds for all campaigns of a workspace. A workspace can have several documents of
// it, which are merged; see active.Set.SetPolicies.
type Policy struct {
	Name  string
	Zone  string      // IANA name; empty: this document says nothing about it
	Quiet *QuietHours // for campaigns without quiet hours of their own; nil: none
	// RequireConsent are the categories that need a granted consent, not just none
	// refused.
	RequireConsent []string
	Caps           []Cap
	// Off is for emergencies, such as a wrong text that is going out.
	Off       SendsOff
	Calendars []schedule.Calendar
	// Idle is how long an anonymous customer without a record is kept, ms; 0: this
	// document says nothing about it, negative: forever.
	Idle int64
}

// SendsOff says what may not send at all: the whole workspace, or some channels or campaigns by
// name. Chains go on; their sends are dropped.
type SendsOff struct {
	Workspace bool
	Channels  []string
	Campaigns []string
}

// Cap bounds the deliveries to one customer, such as three e-mails a week. It counts those of the
// campaigns that name it, on its channel and of its category.
type Cap struct {
	Name     string
	Channel  string // empty: every channel
	Category string // empty: every category but transactional
	// Limit is the largest number of deliveries in the window.
	Limit  int
	Window int64 // rolling, ms; 0: by the calendar
	// Per is the calendar period, in the customer's zone; used when Window is 0.
	Per zone.Period
}

// QuietHours is the part of the day in which nothing is sent, by the local clock.
type QuietHours struct {
	// From and To are minutes of the day, 0 to 1439; To is on the next day where it is not after
	// From.
	From, To int
	// Zone is an IANA name; empty: the customer's.
	Zone string
	// Drop drops what would be sent in them; otherwise the chain is held until they end.
	Drop bool
}

// CampaignPolicy is how a campaign gets along with the others that concern the same customer.
type CampaignPolicy struct {
	Category string // of its sends, unless a step says otherwise
	// Priority orders the sends of a customer that are due at one moment, and decides within a
	// Group; -1000 to 1000, the default is 0, and higher goes first.
	Priority int
	// Caps names the caps of the workspace that count its deliveries.
	Caps  []string
	Quiet *QuietHours // nil: the workspace's
	// Group is a name shared by campaigns of which at most one may have a live chain for a
	// customer; empty: none.
	Group string
	// Preempt lets it end a live chain of the group that has a lower priority, instead of being
	// refused.
	Preempt bool
	Dedupe  *Dedupe
	// Holdout is nil when everybody is treated.
	Holdout *Holdout
}

// Dedupe keeps other chains from sending about the same thing: a chain that sends holds its key for
// the window, and meanwhile no other chain with that key sends.
type Dedupe struct {
	Key    *expr.Expr
	Window int64 // ms
}

// Holdout keeps a share of the customers as a control group, by which the effect of the campaign is
// measured.
type Holdout struct {
	Below int    // buckets below it are held out, 0 to 10,000
	Salt  string // empty: the campaign's name
}

// OnCap says what becomes of a send that a cap refuses.
type OnCap uint8

// What becomes of a send when a cap refuses it.
const (
	// The delivery is dropped, and the chain goes on.
	CapDrop OnCap = iota
	// The delivery waits until the cap has room.
	CapDefer
	// The chain ends.
	CapExit
)

// Category returns the category of a send step: its own, else the campaign's, else Marketing.
func (p *Program) Category(s *Send) string {
	if s.Category != "" {
		return s.Category
	}
	if p.Policy.Category != "" {
		return p.Policy.Category
	}
	return Marketing
}

// How long an anonymous customer is kept after their last record, in ms of log time.
const (
	// DefaultIdle holds where no policy says anything: 90 days.
	DefaultIdle = 90 * unit.DayMillis
	// MinIdle is the shortest time that a policy may say: an hour.
	MinIdle = unit.HourMillis
	// NeverIdle keeps them forever.
	NeverIdle = int64(-1)
)

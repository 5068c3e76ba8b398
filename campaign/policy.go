package campaign

import (
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// The categories that the language itself knows; others are names.
const (
	Marketing     = "marketing"     // the default
	Transactional = "transactional" // ignores consent, caps, quiet hours and conflicts
)

// Limits of policies.
const (
	maxCapLimit = 1000
	maxPriority = 1000
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
	Calendars      []Calendar
	// Idle is how long an anonymous customer without a record is kept, ms; 0: this
	// document says nothing about it, negative: for ever.
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

// Conduct is how a campaign gets on with the customer's others.
type Conduct struct {
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
	Key    *Expr
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

// category is that of a send step.
func (p *Program) category(s *Send) string {
	if s.Category != "" {
		return s.Category
	}
	if p.Policy.Category != "" {
		return p.Policy.Category
	}
	return Marketing
}

// rules are the policies of a workspace, merged.
type rules struct {
	idle     int64 // see Policy.Idle; 0: the default
	quiet    *QuietHours
	required map[string]bool
	caps     map[string]*Cap
	off      []SendsOff

	calendars map[string]*Calendar
}

// Govern puts the policies of the workspace in force. It belongs to the making of a
// set: nobody else may see s yet. Where two policies say different things, the
// first by name holds; the check at apply refuses that.
func (s *Set) Govern(policies []*Policy) {
	sorted := append([]*Policy(nil), policies...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	s.rules = rules{required: map[string]bool{}, caps: map[string]*Cap{}, calendars: map[string]*Calendar{}}
	for _, p := range sorted {
		if s.Zone == "" {
			s.Zone = p.Zone
		}
		if s.rules.idle == 0 {
			s.rules.idle = p.Idle
		}
		if s.rules.quiet == nil {
			s.rules.quiet = p.Quiet
		}
		for _, category := range p.RequireConsent {
			s.rules.required[category] = true
		}
		for i := range p.Caps {
			if s.rules.caps[p.Caps[i].Name] == nil {
				s.rules.caps[p.Caps[i].Name] = &p.Caps[i]
			}
		}
		for i := range p.Calendars {
			if c := &p.Calendars[i]; s.rules.calendars[c.Name] == nil {
				s.rules.calendars[c.Name] = c
			}
		}
		s.rules.off = append(s.rules.off, p.Off)
	}
}

// Holds says whether sends of a pending delivery are switched off.
func (s *Set) Holds(c *Customer, id ID) bool {
	for i := range c.Pending {
		if d := &c.Pending[i].Delivery; d.ID == id {
			return s.SendsOff(d.Campaign, d.Channel)
		}
	}
	return false
}

// SendsOff says whether sends of a campaign on a channel are switched off.
func (s *Set) SendsOff(campaign, channel string) bool {
	for i := range s.rules.off {
		off := &s.rules.off[i]
		if off.Workspace || slices.Contains(off.Channels, channel) || slices.Contains(off.Campaigns, campaign) {
			return true
		}
	}
	return false
}

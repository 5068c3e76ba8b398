package active

import (
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/schedule"
)

// rules are the policies of a workspace, merged into one; the zero value restricts nothing.
type rules struct {
	// Idle is how long an anonymous customer without a record is kept, see Policy.Idle; 0: the
	// default.
	Idle int64
	// Quiet holds for campaigns without quiet hours of their own; nil: none.
	Quiet *program.QuietHours
	// Required are the categories that need a granted consent.
	Required map[string]bool
	// Caps has the caps by name.
	Caps map[string]*program.Cap
	// off are the switched-off sends of all documents.
	off []program.SendsOff

	calendars map[string]*schedule.Calendar
}

// SetPolicies puts the policies of the workspace in force. It must be called before s is used.
// Where two policies disagree, the first by name holds, so that the result does not depend on
// the order in which they were applied; the check at apply refuses such policies. Switched-off
// sends add up.
func (s *Set) SetPolicies(policies []*program.Policy) {
	sorted := append([]*program.Policy(nil), policies...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	s.Rules = rules{
		Required:  map[string]bool{},
		Caps:      map[string]*program.Cap{},
		calendars: map[string]*schedule.Calendar{},
	}
	for _, p := range sorted {
		if s.Zone == "" {
			s.Zone = p.Zone
		}
		if s.Rules.Idle == 0 {
			s.Rules.Idle = p.Idle
		}
		if s.Rules.Quiet == nil {
			s.Rules.Quiet = p.Quiet
		}
		for _, category := range p.RequireConsent {
			s.Rules.Required[category] = true
		}
		for i := range p.Caps {
			if s.Rules.Caps[p.Caps[i].Name] == nil {
				s.Rules.Caps[p.Caps[i].Name] = &p.Caps[i]
			}
		}
		for i := range p.Calendars {
			if c := &p.Calendars[i]; s.Rules.calendars[c.Name] == nil {
				s.Rules.calendars[c.Name] = c
			}
		}
		s.Rules.off = append(s.Rules.off, p.Off)
	}
}

// Holds reports whether the customer has a pending delivery with the id whose sends are
// switched off.
func (s *Set) Holds(c *customer.Customer, id output.ID) bool {
	for i := range c.Pending {
		if d := &c.Pending[i].Delivery; d.ID == id {
			return s.SendsOff(d.Campaign, d.Channel)
		}
	}
	return false
}

// SendsOff reports whether a policy switches off the sends of a campaign on a channel.
func (s *Set) SendsOff(campaign, channel string) bool {
	for i := range s.Rules.off {
		off := &s.Rules.off[i]
		if off.Workspace || slices.Contains(off.Channels, channel) || slices.Contains(off.Campaigns, campaign) {
			return true
		}
	}
	return false
}

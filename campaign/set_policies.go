package campaign

import (
	"slices"
	"sort"
)

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

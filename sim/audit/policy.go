package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Categories of messages that have a meaning of their own.
const (
	Marketing     = "marketing"
	Transactional = "transactional"
)

// Policy is the campaign's policy: how its messages get on with others of the customer. An empty
// Category is marketing. Holdout is how many of the 10,000 buckets are held out.
type Policy struct {
	Category       string
	Priority       int
	Caps           []string
	Quiet          *Quiet
	Group          string
	Preempt        bool
	DedupeProperty string // of the trigger; empty: no dedupe
	DedupeWindow   time.Duration
	Holdout        int
}

// Quiet is the quiet hours, in minutes of the local day: From inclusive, To exclusive. Zone is a
// name or "customer", which empty means too. With Drop messages are dropped instead of held.
type Quiet struct {
	From, To int
	Zone     string
	Drop     bool
}

// WorkspacePolicy is the policy of the workspace.
type WorkspacePolicy struct {
	Zone         string
	Quiet        *Quiet
	Consent      []string // categories that must be granted
	Caps         []Cap
	OffAll       bool
	OffChannels  []string
	OffCampaigns []string
	Calendars    []Calendar
	Keep         bool          // anonymous customers are not forgotten
	Expire       time.Duration // when they are; 0: not given
}

// Cap allows Limit deliveries in any Window, or Per day, week or month.
type Cap struct {
	Name     string
	Channel  string
	Category string
	Limit    int
	Window   time.Duration
	Per      string
}

// Calendar is a list of days of the workspace: 2026-04-12, or --12-25 for every year.
type Calendar struct {
	Name  string
	Dates []string
}

// capNamed returns the cap of the workspace with the name.
func (a *Auditor) capNamed(name string) (Cap, bool) {
	for _, c := range a.policy.Caps {
		if c.Name == name {
			return c, true
		}
	}
	return Cap{}, false
}

// SetPolicies puts a policy of the workspace in force.
func (a *Auditor) SetPolicies(h WorkspacePolicy) {
	a.position++
	a.policy = h
	for _, c := range a.customers {
		for _, ch := range c.chains {
			if ch.isHeld() {
				a.note(NotePolicyHeld)
			}
		}
		for _, limit := range h.Caps {
			if a.capFreeAt(c, limit) > a.now && c.capUsed(limit.Name) > limit.Limit {
				a.note(NotePolicyCap)
			}
		}
	}
}

// Bucket returns the number from 0 to 9,999 that decides about holdouts and variants of a customer.
func Bucket(salt, customer string) int {
	sum := sha256.Sum256([]byte(salt + "\x00" + customer))
	return int(binary.BigEndian.Uint64(sum[:8]) % 10_000)
}

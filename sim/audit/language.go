package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Further trigger kinds.
const (
	KindStreak    = "streak"
	KindThreshold = "threshold"
	KindSegment   = "segment"
	KindChange    = "change"
	KindBroadcast = "broadcast"
	KindSchedule  = "schedule"
	KindWebhook   = "webhook"
	KindDate      = "date"
)

// What is late, or over a cap.
const (
	LateSend = "send"
	LateSkip = "skip"
	LateExit = "exit"

	CapDrop  = "drop"
	CapDefer = "defer"
	CapExit  = "exit"

	DropNext = "next"
	DropExit = "exit"
)

// Categories of messages that mean something.
const (
	Marketing     = "marketing"
	Transactional = "transactional"
)

// Policy says how a campaign gets on with the others of its customers. An empty
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

// Quiet is quiet hours, in minutes of the local day, From inclusive and To not. Zone is
// "customer", which an empty one means too, or a name.
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

// Cap is at most Limit deliveries in Window, or Per day, week or month.
type Cap struct {
	Name     string
	Channel  string
	Category string
	Limit    int
	Window   time.Duration
	Per      string
}

// Experiment sends a chain one of its ways, by the customer's bucket.
type Experiment struct {
	Salt     string // empty: campaign/step
	Variants []Variant
	Goal     string // that a winner is looked for by; empty: the primary one
	Winner   *Rule  // nil: nobody decides it
}

// Variant is one way; weights are percents.
type Variant struct {
	ID     string
	Weight int
	Goto   string
}

// Until rests to the next local time of day, Minute, on one of Days; none is each.
type Until struct {
	Minute int
	Days   []time.Weekday
	Zone   string // "customer", also when empty, or a name
}

// Set changes a trait, or removes it (nil), and adds or removes a tag.
type Set struct {
	Trait  string // empty: none
	Value  any
	Tag    string // empty: none
	Remove bool   // the tag
}

// Emit makes an event with the trigger's property Copy and, as "value", Value.
type Emit struct {
	Event string
	Value float64
	Copy  string // empty: none
}

// Bucket is where a customer stands among 10,000.
func Bucket(salt, customer string) int {
	sum := sha256.Sum256([]byte(salt + "\x00" + customer))
	return int(binary.BigEndian.Uint64(sum[:8]) % 10_000)
}

func (c Campaign) category(s *Send) string {
	switch {
	case s != nil && s.Category != "":
		return s.Category
	case c.Policy.Category != "":
		return c.Policy.Category
	}
	return Marketing
}

func (a *Auditor) capNamed(name string) (Cap, bool) {
	for _, c := range a.house.Caps {
		if c.Name == name {
			return c, true
		}
	}
	return Cap{}, false
}

package audit

import (
	"slices"
	"time"
)

// End is the target of a goto that ends the chain.
const End = "end"

// What a new version means for live chains ("in_flight"); empty: they follow it.
const (
	Pin  = "pin"
	Exit = "exit"
)

// What a campaign's "status" can be; empty: active.
const (
	Draft    = "draft"
	Paused   = "paused"
	Archived = "archived"
)

// Campaign is one definition, in force from when it is applied. A zero MaxEventAge means 24h.
// Version is not part of the text.
type Campaign struct {
	Name        string
	Version     int
	Trigger     Trigger
	Audience    *Pred
	Reentry     Reentry
	MaxEventAge time.Duration
	Goals       []Goal
	Stops       []Match
	Steps       []Step
	Policy      Policy
	Late        string // empty: send
	Recheck     bool   // before_send
	Zone        string
	From, Until int64 // of entries, Unix ms; 0: none
	InFlight    string
	Status      string
	Queue       bool // entries: queue; else a paused campaign rejects them
	Freeze      bool // timers: freeze; else its chains go on
	Existing    bool // "existing: include"
}

// inactiveReason returns why a campaign that is not active lets no customer in; empty if it is
// active.
func (c Campaign) inactiveReason() string {
	switch c.Status {
	case "":
		return ""
	case Paused:
		return "paused"
	}
	return "not_active"
}

// observes reports whether the campaign's trigger follows what customers do. That of a paused
// campaign does; those of drafts and archived campaigns do not.
func (c Campaign) observes() bool { return c.Status != Draft && c.Status != Archived }

// freezes reports whether the campaign holds the timers of its chains: a pause with `timers:
// freeze` does, and so does a draft.
func (c Campaign) freezes() bool { return c.Status == Draft || c.Status == Paused && c.Freeze }

// The kinds of triggers (Trigger.Kind).
const (
	KindEvent      = "event"
	KindCount      = "count"
	KindInactivity = "inactivity"
	KindStreak     = "streak"
	KindThreshold  = "threshold"
	KindSegment    = "segment"
	KindChange     = "change"
	KindBroadcast  = "broadcast"
	KindSchedule   = "schedule"
	KindWebhook    = "webhook"
	KindDate       = "date"
)

// Trigger says what starts a chain. The comment of a field names the kinds that use it.
type Trigger struct {
	Kind  string
	Event string // all but threshold, segment, change, date, schedule and webhook
	Where *Pred  // event, count, inactivity, streak

	Reaches int // count

	For         time.Duration // inactivity
	FromProfile bool          // inactivity: never_done: from_profile_created

	Length  int           // streak
	MaxGap  time.Duration // streak
	BreakOn string        // streak; empty: not given

	Path       string      // threshold, change, date: a trait
	Value      *Comparison // threshold: a count or sum; nil: the trait at Path
	Down       bool        // threshold: crosses: down
	At         float64     // threshold
	Hysteresis float64     // threshold
	When       *Pred       // segment; broadcast: its audience
	Leave      bool        // segment: on: leave
	From, To   any         // change; nil: not given

	Minute   int    // schedule: of the hour or, with Daily or Calendar, of the day; date, with HasAt: of the day
	Daily    bool   // schedule
	Calendar string // schedule; empty: it goes by the clock alone
	Zone     string // schedule, date; empty: not given

	Repeat  string        // date; empty: none
	Offsets []int         // date: days; none: the day itself
	HasAt   bool          // date
	Feb29   string        // date; empty: feb28
	CatchUp time.Duration // date; 0: not given
}

// How often a customer may enter with one key (Reentry.Mode).
const (
	ModeAlways   = "always"
	ModeOnce     = "once"
	ModeCooldown = "cooldown"
)

// What a trigger does while chains of its key live (Reentry.OnActive).
const (
	ActiveIgnore   = "ignore"
	ActiveRestart  = "restart"
	ActiveRefresh  = "refresh"
	ActiveParallel = "parallel"
)

// Reentry rules further chains of one customer. An empty Mode means "always", an empty OnActive
// means "ignore", and MaxActive 0 that none is given.
type Reentry struct {
	Mode        string
	Cooldown    time.Duration
	FromExit    bool
	KeyProperty string
	MaxActive   int
	OnActive    string
}

// Match holds for an event of that name where Where holds and, with Property,
// the event and the trigger carry the same value of it.
type Match struct {
	Event    string
	Where    *Pred
	Property string
}

// Goal is a conversion. Window 0 is not given: measured while the chain lives.
type Goal struct {
	ID            string
	Match         Match
	Window        time.Duration
	FromDelivery  bool
	ValueProperty string
	// PlusProperty is added to the value; Currency is the property with the currency.
	PlusProperty string
	Currency     string
	Stop         bool
	ReverseOn    string
	Primary      bool
}

// category returns the category of a step's messages; of the campaign's for a step that is no send.
func (c Campaign) category(s *Send) string {
	switch {
	case s != nil && s.Category != "":
		return s.Category
	case c.Policy.Category != "":
		return c.Policy.Category
	}
	return Marketing
}

// matches returns what the goals, stops and waits look for.
func (c Campaign) matches() []Match {
	all := slices.Clone(c.Stops)
	for _, g := range c.Goals {
		all = append(all, g.Match)
	}
	for _, s := range c.Steps {
		if s.Wait != nil {
			for _, w := range s.Wait.For {
				all = append(all, w.Match)
			}
			if s.Wait.RestartOn != nil {
				all = append(all, *s.Wait.RestartOn)
			}
		}
	}
	return all
}

// preds returns all the predicates of the campaign.
func (c Campaign) preds() []*Pred {
	all := []*Pred{c.Trigger.Where, c.Audience, c.Trigger.When}
	if c.Trigger.Value != nil {
		all = append(all, P(*c.Trigger.Value))
	}
	for _, m := range c.matches() {
		all = append(all, m.Where)
	}
	for _, s := range c.Steps {
		if s.Branch != nil {
			for _, arm := range s.Branch.Arms {
				all = append(all, arm.When)
			}
		}
	}
	return slices.DeleteFunc(all, func(p *Pred) bool { return p == nil })
}

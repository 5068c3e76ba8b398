package campaign

// Chain is one customer's run of one campaign.
//
// Invariant: Outcome == Active if and only if EndedAt == 0; an ended chain has
// Due == 0 and is kept only while a goal window may still be open.
type Chain struct {
	Campaign  string
	Version   uint32 // that it last ran under
	Entry     uint32 // 1 for the customer's first entry into the campaign
	Key       string
	EnteredAt int64  // log time, ms
	Step      string // id of the step it rests in
	Opened    int64  // log time at which it came to that step, or its timer began anew, ms
	Due       int64  // when the timer of that step is due, ms; 0 without a timer
	Wake      int64  // when it is looked at, ms: later than Due after a late send; 0: at Due
	Restarts  uint32 // how often the wait it rests in was restarted
	Trigger   []byte // stored form of the trigger event, nil when there was none
	LastSend  int64  // log time of the last delivery, ms; 0 before the first
	LastStep  string // the step of that delivery
	Outcome   Outcome
	EndedAt   int64
	EndedBy   string    // the goal that ended it, empty when none did
	Goals     []GoalHit // in the order reached; at most one a goal id

	Variants []Passed // experiments that it passed, the last one last

	takebacks []takeback // goals with reverse_on that it reached

	planned uint32 // version in force when its timer was last looked at, where that is after Version
	still   bool   // its campaign stood still when it came to its step, which it has not begun

	startedAt  int64 // planned instant at which time started it, ms; 0: its trigger event started it
	firstStart int64 // start of it before it took a new trigger, ms; 0: it took none, or no wait asks

	behind uint64 // first event of the rings after the entry, see ringedAtEntry; 0: not known

	reply []byte // JSON object that the last call it waited for answered, nil when none

	exposed []exposed // what it counts for in experiments that look for a winner

	loops   []loopCount // steps that it went back to
	leaps   uint32      // how often in all
	leapAt  int64       // log time of the last, ms
	HeldOut bool        // of the control group: what it would send is a ghost
	Held    *Held       // the send that it rests in; nil for any other rest
	origin  *origin     // where it was entered, when it came by a merge
}

// GoalHit is a goal that a chain reached.
type GoalHit struct {
	ID       string
	Value    Money
	HasValue bool
	Currency string // empty where the goal says none
}

func (ch *Chain) before(other *Chain) bool {
	if ch.Campaign != other.Campaign {
		return ch.Campaign < other.Campaign
	}
	return ch.Entry < other.Entry
}

// wakeAt is when the chain's timer fires, 0 without one.
func (ch *Chain) wakeAt() int64 { return max(ch.Due, ch.Wake) }

func (ch *Chain) live() bool { return ch.Outcome == Active }

func (ch *Chain) reached(goal string) bool {
	for i := range ch.Goals {
		if ch.Goals[i].ID == goal {
			return true
		}
	}
	return false
}

// variant is that of the last experiment that the chain passed, empty before.
func (ch *Chain) variant() string {
	if n := len(ch.Variants); n > 0 {
		return ch.Variants[n-1].Variant
	}
	return ""
}

// lookup is the JSON text of a variable of the chain, nil when it is missing.
func (ch *Chain) lookup(name, inner string) []byte {
	switch name {
	case "key":
		return AppendJSONString(nil, ch.Key)
	case "entered_at":
		return AppendJSONString(nil, FormatTime(ch.EnteredAt))
	case "variants":
		for _, v := range ch.Variants {
			if v.Step == inner {
				return AppendJSONString(nil, v.Variant)
			}
		}
	}
	return nil
}

// untilFrom is the first instant that counts for a chain that came to its step at one.
func (ch *Chain) untilFrom(came int64) int64 {
	if ch.leaps > 0 && ch.leapAt == came {
		return came + 1
	}
	return came
}

// row is the chain as a row of the warehouse.
func (ch *Chain) row(c *Customer) ChainRow {
	r := ChainRow{
		Workspace: c.Workspace, Campaign: ch.Campaign, Version: ch.Version, Customer: c.ID,
		Key: ch.Key, Entry: ch.Entry, EnteredAt: ch.EnteredAt, EndedAt: ch.EndedAt, Outcome: ch.Outcome,
		Variants: append([]Passed(nil), ch.Variants...),
		HeldOut:  ch.HeldOut,
	}
	for _, g := range ch.Goals {
		if ch.reversed(g.ID) {
			continue
		}
		if g.ID == ch.EndedBy || r.Goal == "" {
			r.Goal, r.Value, r.HasValue, r.Currency = g.ID, g.Value, g.HasValue, g.Currency
		}
	}
	return r
}

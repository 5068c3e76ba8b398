package machine

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
)

// Fate is what a new version means for a live chain.
type Fate string

// What a new version can mean for a live chain: a closed list.
const (
	FateFollows Fate = "follows"      // goes by the new version, its timer stays
	FateMoved   Fate = "replanned"    // goes by the new version, its timer moves
	FatePinned  Fate = "pinned"       // keeps the version by which it goes
	FateExits   Fate = "exits"        // ends
	FateRemoved Fate = "step_removed" // its step is gone: it ends when its timer fires
	FateHeld    Fate = "held"         // stands still: the campaign becomes a draft or is paused
)

// ChainImpact is what a new version means for one live chain.
type ChainImpact struct {
	Campaign string
	Step     string // at which it waits now
	Fate     Fate
	AtOnce   bool // its timer will be due as soon as the version is there
}

// Impact is what a change of definitions means for one customer.
type Impact struct {
	// Chains has the live chains of the campaigns in question, by (campaign, entry).
	Chains []ChainImpact
	// Entered are the campaigns that a customer who is already there enters, Refused
	// those that refuse them and why. A campaign can be there more than once.
	Entered []string
	Refused []Refusal
}

// Refusal is a campaign that a customer who is already there does not enter, and why.
type Refusal struct {
	Campaign string
	Reason   output.Reason
}

// PreviewChange returns what the campaigns in use, which came at log time now, mean for a customer.
// names (sorted) are the campaigns with a new version; v is the task for the customers who are already
// there, nil when there is none. It plays the change on c, so c must be a copy, and the
// machine must be one that serves no log.
func (m *Machine) PreviewChange(c *customer.Customer, names []string, v *active.BulkTask, now int64) Impact {
	var f Impact
	var live []*customer.Chain
	for _, ch := range c.Chains {
		if ch.Live() && listed(names, ch.Campaign) {
			live = append(live, ch)
			f.Chains = append(f.Chains, ChainImpact{Campaign: ch.Campaign, Step: ch.Step})
		}
	}
	var out output.Output
	m.Replan(c, now, &out)
	f.note(out.Decisions, names)
	for i, ch := range live {
		f.Chains[i].Fate = m.fate(ch, out.Decisions)
		wake := ch.WakeAt()
		f.Chains[i].AtOnce = ch.Live() && f.Chains[i].Fate != FateHeld && wake != 0 &&
			wake <= ReplanAt(now, c.Workspace, c.ID)
	}
	if v == nil || len(v.Existing) == 0 {
		return f
	}
	out.Reset()
	m.Visit(c, v, now, &out)
	if due := c.NextDue(); due != 0 && due <= now {
		m.Fire(c, now, now, &out) // an inactivity that is over is armed for this instant
	}
	f.note(out.Decisions, v.Existing)
	return f
}

// note takes the entries and refusals of the named campaigns (sorted) from decisions.
func (f *Impact) note(decisions []output.Decision, names []string) {
	for i := range decisions {
		d := &decisions[i]
		if !listed(names, d.Campaign) {
			continue
		}
		switch d.Kind {
		case output.Entered:
			f.Entered = append(f.Entered, d.Campaign)
		case output.Refused:
			f.Refused = append(f.Refused, Refusal{d.Campaign, d.Reason})
		default:
		}
	}
}

// fate returns what Replan did to a chain, judged by the chain and the decisions that were written.
func (m *Machine) fate(ch *customer.Chain, decisions []output.Decision) Fate {
	current := m.set.ByName[ch.Campaign]
	p := m.set.ProgramOf(ch)
	if !ch.Live() || p == nil || current == nil {
		return FateExits
	}
	if m.chains.frozen(ch) {
		return FateHeld
	}
	if p != current {
		return FatePinned
	}
	if s, _ := p.Step(ch.Step); s == nil {
		return FateRemoved
	}
	for i := range decisions {
		d := &decisions[i]
		if d.Kind == output.Replanned && d.Campaign == ch.Campaign && d.Entry == ch.Entry {
			return FateMoved
		}
	}
	return FateFollows
}

// listed reports whether a sorted list has a name.
func listed(sorted []string, name string) bool {
	i := sort.SearchStrings(sorted, name)
	return i < len(sorted) && sorted[i] == name
}

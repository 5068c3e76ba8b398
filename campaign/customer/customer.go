package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/output"
)

// Limits of one customer (design R15).
const (
	MaxLiveChains = 100
	ringSize      = 32 // recent events kept of each name that a goal, stop or wait names
	MaxEnded      = 100
	MaxTraits     = 64 << 10 // bytes
	MaxPending    = 256      // deliveries without a final result
	MaxKeys       = 1000     // keys of a campaign whose entries are remembered
)

// Customer is the whole state of one customer. It is owned by one shard and not
// safe for concurrent use.
type Customer struct {
	Workspace    string
	ID           string
	CreatedAt    int64  // log time of the first record, ms
	CreatedPlace uint64 // place of the first record in the log: its sequence, or a little more
	Traits       []byte // canonical JSON object, nil when empty

	Counters []Counter         // sorted by ID
	Rings    []Ring            // sorted by Name
	Ringed   uint64            // events that the rings took so far
	Entries  []Entry           // sorted by (Campaign, Key)
	Watches  []InactivityTimer // armed inactivity triggers, sorted by Campaign
	Chains   []*Chain          // sorted by (Campaign, Entry); ended ones stay while measured
	Queue    []Queued          // entries into paused campaigns, oldest first
	Pending  []Pending         // deliveries handed off and without a final result, oldest first

	Streaks []Streak    // sorted by Campaign
	Dates   []DateWatch // sorted by (Campaign, Offset)
	Levels  []Latch     // sorted by Campaign
	Windows []Window    // sorted by Event
	Tags    []string    // sorted; never changed in place
	// Toured is the number of the last bulk scan that reached the customer ahead of its turn;
	// 0 when no bulk scan is under way.
	Toured   uint64
	Consents []Consent    // sorted by (Subject, Name)
	CapUses  []CapUse     // sorted by Cap
	Holds    []DedupeLock // dedupe keys, sorted by Key

	IdleAt    int64      // when an anonymous customer without another record is forgotten, ms; 0: never
	Expired   bool       // they are forgotten; not stored
	Merged    *Tombstone // of an anonymous customer who merged, nil else
	Sources   []Source   // who merged into this one, sorted by ID
	Uncounted []string   // counters that missed what came with a merge, sorted
	Device    ContextZone
	Stamps    []TraitStamp // when traits were set within the last day, sorted by trait
	Noted     []string     // faults of the data that were recorded, oldest first; see noteOnce
	Unseen    bool         // nothing is known yet but who merged into this one
}

// New is a customer first seen at now with the record at place.
func New(workspace, id string, now int64, place uint64) *Customer {
	return &Customer{Workspace: workspace, ID: id, CreatedAt: now, CreatedPlace: place}
}

// Entry remembers a customer's entries into a campaign. The one with an empty
// Key and Keyed false counts all entries; keyed ones exist where the re-entry
// rule needs them.
type Entry struct {
	Campaign string
	Key      string
	Keyed    bool
	Number   uint32 // entries so far
	LastIn   int64  // log time of the last entry, ms
	LastOut  int64  // log time at which the last chain ended, ms; 0 before
}

// InactivityTimer is an armed inactivity trigger.
type InactivityTimer struct {
	Campaign string
	Due      int64
	// Trigger is the stored form of the latest matching event, nil when the
	// customer never did it.
	Trigger []byte
}

// Pending is a delivery that was handed off and has no final result yet.
type Pending struct {
	Delivery output.Delivery // the current attempt
	// RetryAt is when the next attempt is emitted, ms; 0 while an attempt is out.
	RetryAt int64
}

// Entry returns the history of entries into a campaign; nil where there is none.
func (c *Customer) Entry(campaign, key string, keyed bool) *Entry {
	i := c.entryIndex(campaign, key, keyed)
	if i < len(c.Entries) && c.Entries[i].is(campaign, key, keyed) {
		return &c.Entries[i]
	}
	return nil
}

// EnsureEntry returns the history of entries into a campaign, which it creates where there is none.
func (c *Customer) EnsureEntry(campaign, key string, keyed bool) *Entry {
	i := c.entryIndex(campaign, key, keyed)
	if i == len(c.Entries) || !c.Entries[i].is(campaign, key, keyed) {
		c.Entries = append(c.Entries, Entry{})
		copy(c.Entries[i+1:], c.Entries[i:])
		c.Entries[i] = Entry{Campaign: campaign, Key: key, Keyed: keyed}
	}
	return &c.Entries[i]
}

func (c *Customer) entryIndex(campaign, key string, keyed bool) int {
	return sort.Search(len(c.Entries), func(i int) bool {
		e := &c.Entries[i]
		if e.Campaign != campaign {
			return e.Campaign > campaign
		}
		if e.Keyed != keyed {
			return e.Keyed
		}
		return e.Key >= key
	})
}

func (e *Entry) is(campaign, key string, keyed bool) bool {
	return e.Campaign == campaign && e.Keyed == keyed && e.Key == key
}

// Watch returns the armed inactivity timer of a campaign; nil where there is none.
func (c *Customer) Watch(campaign string) (index int, found bool) {
	i := sort.Search(len(c.Watches), func(i int) bool { return c.Watches[i].Campaign >= campaign })
	return i, i < len(c.Watches) && c.Watches[i].Campaign == campaign
}

// SetWatch arms the inactivity timer of a campaign, in place of the one that was armed.
func (c *Customer) SetWatch(w InactivityTimer) {
	i, found := c.Watch(w.Campaign)
	if !found {
		c.Watches = append(c.Watches, InactivityTimer{})
		copy(c.Watches[i+1:], c.Watches[i:])
	}
	c.Watches[i] = w
}

// DropWatch disarms the inactivity timer of a campaign.
func (c *Customer) DropWatch(campaign string) {
	if i, found := c.Watch(campaign); found {
		c.Watches = append(c.Watches[:i], c.Watches[i+1:]...)
	}
}

// AddChain adds a chain at its place in the order of L1.
func (c *Customer) AddChain(ch *Chain) {
	i := sort.Search(len(c.Chains), func(i int) bool { return !c.Chains[i].Before(ch) })
	c.Chains = append(c.Chains, nil)
	copy(c.Chains[i+1:], c.Chains[i:])
	c.Chains[i] = ch
}

// NextDue is when the customer's earliest timer is due, Never when a chain waits without
// one, 0 when there is nothing to look at.
func (c *Customer) NextDue() int64 {
	next := int64(0)
	consider := func(due int64) {
		if due != 0 && (next == 0 || due < next) {
			next = due
		}
	}
	for _, ch := range c.Chains {
		if ch.Live() && ch.WakeAt() == 0 {
			consider(Never) // so that a new version finds it
		}
		consider(ch.WakeAt())
	}
	if len(c.Queue) > 0 {
		consider(Never)
	}
	for i := range c.Watches {
		consider(c.Watches[i].Due)
	}
	for i := range c.Dates {
		consider(c.Dates[i].Due)
	}
	for i := range c.Levels {
		consider(c.Levels[i].Due)
	}
	for i := range c.Pending {
		consider(c.Pending[i].WakeAt())
	}
	consider(c.Expiry())
	return next
}

// WakeAt is when something must be decided about a pending delivery: the retry,
// or its expiry.
func (p *Pending) WakeAt() int64 {
	if p.RetryAt != 0 {
		return p.RetryAt
	}
	return p.Delivery.Expires
}

// HasPending says whether a delivery of a chain has no final result yet.
func (c *Customer) HasPending(ch *Chain) bool {
	for i := range c.Pending {
		if d := &c.Pending[i].Delivery; d.Campaign == ch.Campaign && d.Entry == ch.Entry {
			return true
		}
	}
	return false
}

// MayLeave says whether this attempt of a delivery may still be made at now: the
// delivery is pending, this attempt is the current one, and it has not expired.
func (c *Customer) MayLeave(id output.ID, attempt uint32, now int64) bool {
	for i := range c.Pending {
		if p := &c.Pending[i]; p.Delivery.ID == id {
			return p.Delivery.Attempt == attempt && p.RetryAt == 0 && now < p.Delivery.Expires
		}
	}
	return false
}

// Quarantine takes the due timers out of a customer whose timer cannot be fired:
// the chains that rest in them end, so that the same failure does not come
// again and again.
func (c *Customer) Quarantine(due, now int64) {
	for _, ch := range c.Chains {
		if wake := ch.WakeAt(); wake != 0 && wake <= due {
			ch.Due, ch.Wake, ch.Outcome, ch.EndedAt = 0, 0, output.Exited, now
		}
	}
	if c.IdleAt != 0 && c.IdleAt <= due {
		c.IdleAt = 0
	}
	watches := c.Watches[:0]
	for _, w := range c.Watches {
		if w.Due > due {
			watches = append(watches, w)
		}
	}
	c.Watches = watches
	for i := range c.Dates {
		if c.Dates[i].Due <= due {
			c.Dates[i].Due, c.Dates[i].Number = 0, 0
		}
	}
	for i := range c.Levels {
		if c.Levels[i].Due <= due {
			c.Levels[i].Due = 0
		}
	}
	pending := c.Pending[:0]
	for _, p := range c.Pending {
		if p.WakeAt() > due {
			pending = append(pending, p)
		}
	}
	c.Pending = pending
}

// Never is an instant later than that of any timer, ms: the year 2248.
const Never = int64(8 << 40)

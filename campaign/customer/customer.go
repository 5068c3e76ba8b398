package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/output"
)

// Limits of what one customer keeps. They bound the size of the stored state and the work of one
// record. What is beyond a limit is refused with a recorded reason, or the oldest is forgotten.
const (
	// MaxLiveChains is the number of chains that run at the same time, over all campaigns. An entry
	// beyond it is refused (too_many_chains).
	MaxLiveChains = 100
	// ringSize is the number of recent events that are kept of each name that a goal, stop or wait
	// names.
	ringSize = 32
	// MaxEnded is the number of ended chains that are kept for the measurement of goals; beyond it
	// those that ended first are dropped.
	MaxEnded = 100
	// MaxTraits is the greatest size of all traits together in bytes, as canonical JSON. A change
	// beyond it is refused.
	MaxTraits = 64 << 10
	// MaxPending is the number of deliveries that wait for their final result. A send beyond it is
	// dropped.
	MaxPending = 256
	// MaxKeys is the number of re-entry keys of one campaign whose entries are remembered.
	MaxKeys = 1000
)

// Customer is the whole state of one customer. One shard owns it, and only that shard's goroutine uses
// it.
//
// Every slice is sorted or in order of arrival as its field says. The stored form depends on it: equal
// customers must have equal bytes. Instants are in ms.
type Customer struct {
	Workspace string
	ID        string
	CreatedAt int64 // log time of the first record, ms
	// CreatedPlace is the place of the first record in the log: its sequence, or a little more. A
	// counter that was added after it missed part of the customer's history.
	CreatedPlace uint64
	Traits       []byte // canonical JSON object, nil when empty

	Counters []Counter // sorted by ID
	Rings    []Ring    // sorted by Name
	// Recorded is the number of events that the rings ever took; it numbers them (RecentEvent.N).
	Recorded uint64
	Entries  []Entry           // sorted by (Campaign, Key)
	Watches  []InactivityTimer // armed inactivity triggers, sorted by Campaign
	Chains   []*Chain          // sorted by (Campaign, Entry); ended ones stay while measured
	// Queue has the entries into paused campaigns, oldest first. They are decided when the campaign
	// resumes.
	Queue   []Queued
	Pending []Pending // deliveries handed off and without a final result, oldest first

	Streaks []Streak    // sorted by Campaign
	Dates   []DateWatch // sorted by (Campaign, Offset)
	Levels  []Latch     // sorted by Campaign
	Windows []Window    // sorted by Event
	Tags    []string    // sorted; never changed in place
	// Toured is the number of the last bulk scan that was applied to the customer before the scan's own
	// order came to them, because a record or timer came first; 0 while no bulk scan is under way.
	Toured   uint64
	Consents []Consent    // sorted by (Subject, Name)
	CapUses  []CapUse     // sorted by Cap
	Holds    []DedupeLock // dedupe keys, sorted by Key

	// IdleAt is when an anonymous customer without another record is forgotten; 0 means never.
	IdleAt int64
	// Expired marks a customer who was forgotten and is about to be removed. It is not stored.
	Expired bool
	// Merged is the tombstone of an anonymous customer who merged; otherwise nil.
	Merged *Tombstone
	// Sources has the anonymous customers who merged into this one, sorted by ID.
	Sources []Source
	// Uncounted has the ids of counters that miss part of the customer's history, because an anonymous
	// customer who merged was known before the counters began. Sorted.
	Uncounted []string
	// Device is the time zone of the customer's device.
	Device ContextZone
	Stamps []TraitStamp // when traits were set within the last day, sorted by trait
	// Noted has the faults in the customer's data that were recorded already, oldest first, so that a
	// value that is wrong in every event gives one decision and not one for each event.
	Noted []string
	// Unseen marks a customer of whom only the merge of an anonymous one is known: the next record
	// counts as their first.
	Unseen bool
}

// New returns a customer whose first record has the log time now (ms) and the place in the log.
func New(workspace, id string, now int64, place uint64) *Customer {
	return &Customer{Workspace: workspace, ID: id, CreatedAt: now, CreatedPlace: place}
}

// Entry is the history of a customer's entries into a campaign. The one with Keyed false counts all
// entries. Those with Keyed true count the entries of one re-entry key each, and exist only where the
// campaign's re-entry rule needs them.
type Entry struct {
	Campaign string
	Key      string
	// Keyed distinguishes the entries with an empty key from all entries.
	Keyed bool
	// Number is the number of entries so far; it numbers the chains of the campaign.
	Number  uint32
	LastIn  int64 // log time of the last entry, ms
	LastOut int64 // log time at which the last chain ended, ms; 0 before
}

// InactivityTimer is the timer of an inactivity trigger: it fires when the customer has been silent for
// long enough.
type InactivityTimer struct {
	Campaign string
	// Due is when it fires, in ms.
	Due int64
	// Trigger is the stored form of the latest matching event, nil when the
	// customer never did it.
	Trigger []byte
}

// Pending is a delivery that was handed off and has no final result yet. It stays until the channel
// accepts or refuses it, it expires, or it is recalled.
type Pending struct {
	Delivery output.Delivery // the current attempt
	// RetryAt is when the next attempt is emitted, ms; 0 while an attempt is out.
	RetryAt int64
}

// Entry returns the history of entries into a campaign; nil where there were none.
func (c *Customer) Entry(campaign, key string, keyed bool) *Entry {
	i := c.entryIndex(campaign, key, keyed)
	if i < len(c.Entries) && c.Entries[i].is(campaign, key, keyed) {
		return &c.Entries[i]
	}
	return nil
}

// EnsureEntry returns the history of entries into a campaign and adds an empty one where there is none.
// The pointer is valid until the next one is added.
func (c *Customer) EnsureEntry(campaign, key string, keyed bool) *Entry {
	i := c.entryIndex(campaign, key, keyed)
	if i == len(c.Entries) || !c.Entries[i].is(campaign, key, keyed) {
		c.Entries = append(c.Entries, Entry{})
		copy(c.Entries[i+1:], c.Entries[i:])
		c.Entries[i] = Entry{Campaign: campaign, Key: key, Keyed: keyed}
	}
	return &c.Entries[i]
}

// entryIndex returns the index of an entry in c.Entries, or the index at which it would be inserted.
// The order is campaign, Keyed false before true, key.
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

// Watch returns the index of a campaign's inactivity timer in c.Watches and whether it is armed; where
// it is not, index is where it would be inserted.
func (c *Customer) Watch(campaign string) (index int, found bool) {
	i := sort.Search(len(c.Watches), func(i int) bool { return c.Watches[i].Campaign >= campaign })
	return i, i < len(c.Watches) && c.Watches[i].Campaign == campaign
}

// SetWatch arms the inactivity timer of a campaign. It replaces the one that was armed.
func (c *Customer) SetWatch(w InactivityTimer) {
	i, found := c.Watch(w.Campaign)
	if !found {
		c.Watches = append(c.Watches, InactivityTimer{})
		copy(c.Watches[i+1:], c.Watches[i:])
	}
	c.Watches[i] = w
}

// DropWatch disarms the inactivity timer of a campaign; it does nothing where none is armed.
func (c *Customer) DropWatch(campaign string) {
	if i, found := c.Watch(campaign); found {
		c.Watches = append(c.Watches[:i], c.Watches[i+1:]...)
	}
}

// AddChain adds a chain and keeps c.Chains in the order in which a record is applied to them, see
// Chain.Before.
func (c *Customer) AddChain(ch *Chain) {
	i := sort.Search(len(c.Chains), func(i int) bool { return !c.Chains[i].Before(ch) })
	c.Chains = append(c.Chains, nil)
	copy(c.Chains[i+1:], c.Chains[i:])
	c.Chains[i] = ch
}

// NextDue returns the instant of the customer's earliest timer in ms. It is Never where nothing is due
// but a chain or a queued entry waits: the shard keeps such customers in its timers, so that a new
// version of the campaign finds them. It is 0 where nothing waits.
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

// WakeAt returns when something must be decided about a pending delivery: its retry, or its expiry
// while an attempt is under way.
func (p *Pending) WakeAt() int64 {
	if p.RetryAt != 0 {
		return p.RetryAt
	}
	return p.Delivery.Expires
}

// HasPending reports whether a delivery of the chain has no final result yet.
func (c *Customer) HasPending(ch *Chain) bool {
	for i := range c.Pending {
		if d := &c.Pending[i].Delivery; d.Campaign == ch.Campaign && d.Entry == ch.Entry {
			return true
		}
	}
	return false
}

// MayLeave reports whether this attempt of a delivery may still be made at now (ms): the delivery is
// pending, this attempt is the current one, and it has not expired. The dispatcher asks right before
// each attempt, so that a delivery that was recalled meanwhile does not leave.
func (c *Customer) MayLeave(id output.ID, attempt uint32, now int64) bool {
	for i := range c.Pending {
		if p := &c.Pending[i]; p.Delivery.ID == id {
			return p.Delivery.Attempt == attempt && p.RetryAt == 0 && now < p.Delivery.Expires
		}
	}
	return false
}

// Quarantine removes the timers that are due at or before due from a customer for whom firing them
// failed. The failure is a bug, and deterministic: with the timers left in place it would come again at
// every start. Chains that rest in such a timer end as exited at now, pending deliveries that were due
// are given up, and other timers are disarmed. Nothing is written about it but the caller's dead
// letter.
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

// Never is an instant later than that of any timer, in ms: the year 2248. A power of two, so that it is
// recognised in a dump.
const Never = int64(8 << 40)

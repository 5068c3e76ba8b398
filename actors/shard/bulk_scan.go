package shard

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
)

// The greatest numbers of bulk scans in a queue and of customers in a slice.
const (
	// maxBulkScans bounds the bulk scans that are queued in a partition. Each is kept in
	// memory and in the snapshot, with its event.
	maxBulkScans  = 1000 // queued at one time, in a partition
	maxTourVisits = 2000 // customers that one Step goes through
)

// bulkScan is work for all customers of a workspace in a shard: a broadcast, an
// occurrence of a schedule, or what follows when definitions change. Each Step does it
// for the next customers in the order of their keys. A customer whom a record or a timer
// reaches before their turn gets it right before that, so that the result for a customer
// does not depend on how far the scan has come.
type bulkScan struct {
	N         uint64          `json:"n"` // number of the scan in its shard, from 1
	Workspace string          `json:"workspace"`
	Task      active.BulkTask `json:"visit"`
	Cursor    string          `json:"cursor"` // key of the last customer it went through in order
}

// occurrence is the next time at which the schedule of a campaign is due.
type occurrence struct {
	Workspace string `json:"workspace"`
	Campaign  string `json:"campaign"`
	Spec      string `json:"spec"` // text of the schedule; another text starts anew
	Next      int64  `json:"next"` // log time, ms; 0: it has no further occurrence
}

// bulkScans is the queue of bulk scans of a shard and its schedules. The exported fields
// are stored with the snapshot; the others are derived.
//
// nextPage merges two sorted lists: index, the customers who were in memory when the
// first scan of the queue began or came after (createdSince); and storeKeys, the next
// keys of the store. Every customer is in at least one of them.
type bulkScans struct {
	*partition

	defs      *definitions
	dedupe    *dedupe.Set
	customers *customerCache
	timers    *timers
	changes   *changes
	runner    *runner

	Last      uint64       `json:"last"`      // number of the last bulk scan that was started
	Queue     []*bulkScan  `json:"queue"`     // in the order in which they were started; the first one runs
	Schedules []occurrence `json:"schedules"` // sorted by (Workspace, Campaign)

	dirty bool // changed since the last snapshot
	// index are the keys of the customers who were in memory when the first scan of the
	// queue began, sorted; indexed reports that it was made for that scan.
	index        []string
	indexed      bool
	createdSince []string // keys of customers who came after that, not sorted
	storeKeys    []string // next keys of the store, set by SetBulkScanPage
	paged        bool     // storeKeys is set for the next Step
	// soonest is the earliest Next of all schedules while known is true. Every Step asks
	// for it, and a workspace may have thousands of schedules.
	soonest int64
	known   bool
}

// nextOccurrence returns the log time, ms, at which the next schedule is due, 0 if none
// is.
func (t *bulkScans) nextOccurrence() int64 {
	if !t.known {
		t.soonest, t.known = 0, true
		for i := range t.Schedules {
			if next := t.Schedules[i].Next; next != 0 && (t.soonest == 0 || next < t.soonest) {
				t.soonest = next
			}
		}
	}
	return t.soonest
}

// HasBulkScan reports whether a bulk scan is under way. It goes on with each frame, so
// the host appends ticks at a higher rate meanwhile.
func (s *Shard) HasBulkScan() bool { return s.bulkScans.underWay() }

// start queues a task for all customers of a workspace. It returns false, and does
// nothing, when maxBulkScans are queued.
func (t *bulkScans) start(workspace string, v active.BulkTask) bool {
	if len(t.Queue) >= maxBulkScans {
		return false
	}
	t.Last++
	t.Queue = append(t.Queue, &bulkScan{N: t.Last, Workspace: workspace, Task: v})
	t.dirty = true
	return true
}

// BulkScanPage returns which keys of the store the next Step needs: those of the first n
// customers of a workspace after the id after. wanted is false if none are needed;
// otherwise they must be set with SetBulkScanPage before Needs and Step are called.
func (s *Shard) BulkScanPage() (workspace, after string, n int, wanted bool) {
	return s.bulkScans.page()
}

// underWay reports whether a bulk scan is queued.
func (t *bulkScans) underWay() bool { return len(t.Queue) > 0 }

// page returns what BulkScanPage says.
func (t *bulkScans) page() (workspace, after string, n int, wanted bool) {
	if len(t.Queue) == 0 || !t.customers.someStored() {
		return "", "", 0, false
	}
	head := t.Queue[0]
	_, after, _ = strings.Cut(head.Cursor, "\x00")
	// SetBulkScanPage leaves out deleted customers, so the page asks for as many more.
	return head.Workspace, after, maxTourVisits + t.changes.deleting(), true
}

// SetBulkScanPage sets the ids that BulkScanPage asked for, in byte order. Customers who
// were deleted since the snapshot are left out.
func (s *Shard) SetBulkScanPage(ids []string) { s.bulkScans.setPage(ids) }

// setPage does what SetBulkScanPage says.
func (t *bulkScans) setPage(ids []string) {
	t.storeKeys, t.paged = t.storeKeys[:0], true
	if len(t.Queue) == 0 {
		return
	}
	for _, id := range ids {
		if key := Key(t.Queue[0].Workspace, id); !t.changes.deletes(key) {
			t.storeKeys = append(t.storeKeys, key)
		}
	}
}

// nextPage returns the keys of the next maxTourVisits customers after the cursor, from
// memory and store merged. Fewer mean that the scan ends with them.
func (t *bulkScans) nextPage() []string {
	if len(t.Queue) == 0 {
		return nil
	}
	head := t.Queue[0]
	prefix := head.Workspace + "\x00"
	t.indexCustomers(prefix)
	from := max(head.Cursor, prefix)
	memory := t.index[sort.Search(len(t.index), func(i int) bool { return t.index[i] > from }):]
	stored := t.storeKeys
	var keys []string
	for len(keys) < maxTourVisits && (len(memory) > 0 || len(stored) > 0) {
		switch {
		case len(stored) == 0 || len(memory) > 0 && memory[0] < stored[0]:
			keys, memory = append(keys, memory[0]), memory[1:]
		case len(memory) == 0 || stored[0] < memory[0]:
			keys, stored = append(keys, stored[0]), stored[1:]
		default:
			keys, memory, stored = append(keys, memory[0]), memory[1:], stored[1:]
		}
	}
	return keys
}

// indexCustomers brings the index up to date: made anew for a new scan, else extended by
// the customers who came since.
func (t *bulkScans) indexCustomers(prefix string) {
	switch {
	case !t.indexed:
		t.index = t.index[:0]
		t.customers.each(func(key string, _ *resident) {
			if strings.HasPrefix(key, prefix) {
				t.index = append(t.index, key)
			}
		})
	case len(t.createdSince) > 0:
		for _, key := range t.createdSince {
			if strings.HasPrefix(key, prefix) {
				t.index = append(t.index, key)
			}
		}
	default:
		return
	}
	t.indexed, t.createdSince = true, t.createdSince[:0]
	sort.Strings(t.index)
}

// scanSlice applies the first scan of the queue to the customers of its next page, and
// takes it off the queue after the last page.
func (t *bulkScans) scanSlice(out *effect.Effects) {
	if len(t.Queue) == 0 {
		return
	}
	if t.customers.someStored() && !t.paged {
		panic(fmt.Sprintf("BUG: partition %d: a bulk scan goes on without a page of the store", t.config.Partition))
	}
	head, keys := t.Queue[0], t.nextPage()
	for _, key := range keys {
		h := t.customers.get(key)
		// Deleted since the page was read; only the store still has the customer.
		if h == nil && t.changes.deletes(key) {
			head.Cursor = key
			continue
		}
		if h == nil {
			panic(fmt.Sprintf("BUG: partition %d: customer %q is visited and was not loaded", t.config.Partition, key))
		}
		// Otherwise a record or timer reached the customer first (applyPending), or the
		// customer is newer than the scan (exempt).
		if h.c.Toured < head.N {
			t.runTask(h, head, out)
		}
		head.Cursor = key
	}
	t.dirty, t.paged, t.storeKeys = true, false, t.storeKeys[:0]
	if len(keys) < maxTourVisits {
		t.Queue = append(t.Queue[:0], t.Queue[1:]...)
		t.indexed, t.index, t.createdSince = false, nil, nil
	}
}

// runTask applies a bulk scan to one customer. Most tasks change nothing for most
// customers, so the customer is marked dirty only if the stored form differs from the
// copy that guard made. An unguarded shard has no such copy: it marks nearly all.
func (t *bulkScans) runTask(h *resident, scan *bulkScan, out *effect.Effects) {
	m := t.runner.use(scan.Workspace)
	t.runner.run(h, out, func() {
		m.Visit(h.c, &scan.Task, t.now, &out.Output)
	}, func(detail string) {
		out.DeadLetters = append(out.DeadLetters, effect.DeadLetter{
			Workspace: scan.Workspace, Customer: h.c.ID, Reason: output.ReasonPanic, Field: "visit", Detail: detail,
			At: t.now,
		})
	})
	if after := h.c.AppendTo(nil); !t.runner.unchanged(after) {
		t.changes.add(h)
		t.timers.rearm(h)
	}
}

// applyPending applies the scans that have not come to a customer yet, before a record or
// a timer changes the customer. Without it the outcome would depend on how far a scan has
// come.
func (t *bulkScans) applyPending(h *resident, out *effect.Effects) {
	if len(t.Queue) == 0 {
		// The numbers matter only while scans are queued. Zero is not stored, which saves
		// bytes.
		h.c.Toured = 0
		return
	}
	for i, scan := range t.Queue {
		// The first scan has passed the customers up to its cursor.
		if scan.Workspace != h.c.Workspace || scan.N <= h.c.Toured || i == 0 && h.timer.Key <= scan.Cursor {
			continue
		}
		t.runTask(h, scan, out)
		h.c.Toured = scan.N
	}
}

// exempt marks a customer who was just created as not concerned by the scans under way.
func (t *bulkScans) exempt(h *resident) {
	if len(t.Queue) > 0 {
		h.c.Toured = t.Last
		t.createdSince = append(t.createdSince, h.timer.Key)
	}
}

// activate follows up on definitions that replaced those of old: it sets the schedules
// anew and, if a campaign wants customers who are already there, queues a scan for it. An
// empty partition needs none.
func (t *bulkScans) activate(a *control.Apply, old *active.Set) {
	set := t.defs.set(a.Workspace)
	t.reschedule(a.Workspace)
	var names []string
	for i := range a.Documents {
		if d := &a.Documents[i]; d.Kind == program.KindCampaign {
			names = append(names, d.Name)
		}
	}
	v, needed := set.Activation(old, names)
	if v.Due = t.now; needed && t.customers.some() {
		t.start(a.Workspace, v)
	}
}

// reschedule brings the occurrences of a workspace in line with the schedules in force.
// One whose text did not change goes on, so that applying a campaign again neither
// repeats nor skips an occurrence; any other starts from the present log time.
func (t *bulkScans) reschedule(workspace string) {
	known := map[string]occurrence{}
	kept := t.Schedules[:0]
	for _, o := range t.Schedules {
		if o.Workspace != workspace {
			kept = append(kept, o)
			continue
		}
		known[o.Campaign] = o
	}
	schedules := t.runner.use(workspace).Schedules()
	for i := range schedules {
		o, same := known[schedules[i].Campaign]
		if !same || o.Spec != schedules[i].Spec {
			o = occurrence{Workspace: workspace, Campaign: schedules[i].Campaign, Spec: schedules[i].Spec}
			o.Next, _ = schedules[i].Next(t.now)
		}
		kept = append(kept, o)
	}
	sort.SliceStable(kept, func(i, j int) bool {
		a, b := &kept[i], &kept[j]
		return a.Workspace < b.Workspace || a.Workspace == b.Workspace && a.Campaign < b.Campaign
	})
	t.Schedules, t.dirty = kept, t.dirty || len(known) > 0 || len(schedules) > 0
	t.known = false
}

// applyBroadcast queues an event without a customer for all customers of the partition.
// It is dropped if it came before or no campaign waits for it, and becomes a dead letter
// if too many scans are queued.
func (t *bulkScans) applyBroadcast(data []byte, index int, out *effect.Effects) error {
	e, err := event.Decode(data)
	if err != nil {
		return err
	}
	if !t.dedupe.Add(dedupe.EventHash(e.Workspace, "", e.ID), t.now) {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		return nil
	}
	e.Time = min(e.Time, t.now)
	if !t.defs.set(e.Workspace).Broadcasts(e.Name) {
		return nil
	}
	v := active.BulkTask{Kind: active.BulkBroadcast, Due: t.now, Event: keep(&e)}
	if !t.start(e.Workspace, v) {
		out.DeadLetters = append(out.DeadLetters, effect.DeadLetter{
			Workspace: e.Workspace, Index: uint32(index), Reason: output.ReasonBulkScans, At: t.now,
			Detail: fmt.Sprintf("%d are on their way", maxBulkScans), Raw: data[:min(len(data), effect.MaxRaw)],
		})
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deadletter})
	}
	return nil
}

// keep returns a copy of an event with memory of its own: a bulk scan outlives the frame
// whose bytes the event aliases.
func keep(e *event.Event) *event.Event {
	own, err := event.Decode(e.AppendTo(nil))
	if err != nil {
		panic(fmt.Sprintf("BUG: an event cannot be read back: %v", err))
	}
	return &own
}

// next returns the log time, ms, at which scans and schedules need a Step, 0 if they do
// not. A scan under way needs one at once.
func (t *bulkScans) next(now int64) int64 {
	due := int64(0)
	if len(t.Queue) > 0 {
		due = max(now, 1)
	}
	if next := t.nextOccurrence(); next != 0 && (due == 0 || next < due) {
		due = next
	}
	return due
}

// encode returns the stored form: JSON, with fields in the order of the struct.
func (t *bulkScans) encode() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic(fmt.Sprintf("BUG: bulk scans cannot be written: %v", err))
	}
	return b
}

// load replaces the queue and the schedules by those of a stored form.
func (t *bulkScans) load(p []byte) error {
	t.known = false
	if err := json.Unmarshal(p, t); err != nil {
		return fmt.Errorf("actors: bulk scans: %w", err)
	}
	return nil
}

// forget queues a bulk scan that deletes the counters which old maintained and the set in
// force does not. If they stayed, a later campaign that asks for one again would go on
// from a count with a hole in it.
func (t *bulkScans) forget(workspace string, old *active.Set) {
	v, needed := t.defs.set(workspace).DroppedCounters(old)
	if v.Due = t.now; needed && t.customers.some() {
		t.start(workspace, v)
	}
}

// removed takes a deleted customer out of the lists of those to go through.
func (t *bulkScans) removed(key string) {
	if i := sort.SearchStrings(t.index, key); i < len(t.index) && t.index[i] == key {
		t.index = slices.Delete(t.index, i, i+1)
	}
	t.createdSince = slices.DeleteFunc(t.createdSince, func(other string) bool { return other == key })
}

// save adds the queue and the schedules to a snapshot if they changed since the last one.
func (t *bulkScans) save(b *storage.Batch) {
	if t.dirty {
		b.Set(storage.ToursKey(t.config.Partition), t.encode())
		t.dirty = false
	}
}

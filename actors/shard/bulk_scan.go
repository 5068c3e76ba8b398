package shard

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
)

// Limits of bulk scans.
const (
	maxBulkScans  = 1000 // on their way at one time, a partition
	maxTourVisits = 2000 // customers that one step visits in their turn
)

// bulkScan is something that happens to all customers of a workspace in a shard: a
// broadcast, an occurrence of a schedule, an activation. Each step visits the next
// customers in the order of their keys. A customer whom a record or a timer reaches
// first is visited before that, so that what happens to a customer does not depend on
// when their turn comes.
type bulkScan struct {
	N         uint64          `json:"n"`
	Workspace string          `json:"workspace"`
	Task      active.BulkTask `json:"visit"`
	Cursor    string          `json:"cursor"` // key of the last customer visited in their turn
}

// occurrence is when a schedule comes next.
type occurrence struct {
	Workspace string `json:"workspace"`
	Campaign  string `json:"campaign"`
	Spec      string `json:"spec"`
	Next      int64  `json:"next"` // ms
}

// bulkScans is what a shard keeps about bulk scans; the exported fields are state.
type bulkScans struct {
	Last      uint64       `json:"last"` // number of the last bulk scan
	Queue     []*bulkScan  `json:"queue"`
	Schedules []occurrence `json:"schedules"` // sorted by (Workspace, Campaign)

	dirty bool
	// index are the keys of the customers who were in memory when the first bulk scan of the
	// queue began, sorted; fresh those who came after. With the page, the next keys in
	// the store, they are all that there are. Visits need no more than these.
	index        []string
	indexed      bool
	createdSince []string
	storeKeys    []string
	paged        bool
	// soonest is the next occurrence of all schedules, once it is known: each step asks.
	soonest int64
	known   bool
}

// nextOccurrence is when the next schedule is due, 0 when none is.
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

// HasBulkScan says that a bulk scan is under way.
func (s *Shard) HasBulkScan() bool { return len(s.bulkScans.Queue) > 0 }

// start puts a visit of all customers on its way; false when too many are.
func (t *bulkScans) start(workspace string, v active.BulkTask) bool {
	if len(t.Queue) >= maxBulkScans {
		return false
	}
	t.Last++
	t.Queue = append(t.Queue, &bulkScan{N: t.Last, Workspace: workspace, Task: v})
	t.dirty = true
	return true
}

// BulkScanPage asks for the next keys of the store: the first n of the partition after
// after. wanted is false when none are needed; else they must be given with SetBulkScanPage
// before Needs and Step are called.
func (s *Shard) BulkScanPage() (workspace, after string, n int, wanted bool) {
	if len(s.bulkScans.Queue) == 0 || !s.customers.inStore {
		return "", "", 0, false
	}
	head := s.bulkScans.Queue[0]
	_, after, _ = strings.Cut(head.Cursor, "\x00")
	return head.Workspace, after, maxTourVisits + s.pendingDeletes.size(), true // those are left out
}

// SetBulkScanPage gives the ids of the workspace's customers that BulkScanPage asked for.
func (s *Shard) SetBulkScanPage(ids []string) {
	s.bulkScans.storeKeys, s.bulkScans.paged = s.bulkScans.storeKeys[:0], true
	if len(s.bulkScans.Queue) == 0 {
		return
	}
	for _, id := range ids {
		if key := Key(s.bulkScans.Queue[0].Workspace, id); !s.pendingDeletes.has(key) {
			s.bulkScans.storeKeys = append(s.bulkScans.storeKeys, key)
		}
	}
}

// nextPage lists the customers whose turn it is: the first of all that there are behind the
// cursor.
func (s *Shard) nextPage() []string {
	t := &s.bulkScans
	if len(t.Queue) == 0 {
		return nil
	}
	head := t.Queue[0]
	prefix := head.Workspace + "\x00"
	s.indexCustomers(prefix)
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

// indexCustomers brings the index up to date.
func (s *Shard) indexCustomers(prefix string) {
	t := &s.bulkScans
	switch {
	case !t.indexed:
		t.index = t.index[:0]
		for key := range s.customers.all { //nudge:unordered sorted below
			if strings.HasPrefix(key, prefix) {
				t.index = append(t.index, key)
			}
		}
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

// scanSlice visits those whose turn it is.
func (s *Shard) scanSlice(out *effect.Effects) {
	t := &s.bulkScans
	if len(t.Queue) == 0 {
		return
	}
	if s.customers.inStore && !t.paged {
		panic(fmt.Sprintf("BUG: partition %d: a bulk scan goes on without a page of the store", s.config.Partition))
	}
	head, keys := t.Queue[0], s.nextPage()
	for _, key := range keys {
		h := s.customers.get(key)
		if h == nil && s.pendingDeletes.has(key) {
			head.Cursor = key
			continue
		}
		if h == nil {
			panic(fmt.Sprintf("BUG: partition %d: customer %q is visited and was not loaded", s.config.Partition, key))
		}
		if h.c.Toured < head.N {
			s.runTask(h, head, out)
		}
		head.Cursor = key
	}
	t.dirty, t.paged, t.storeKeys = true, false, t.storeKeys[:0]
	if len(keys) < maxTourVisits {
		t.Queue = append(t.Queue[:0], t.Queue[1:]...)
		t.indexed, t.index, t.createdSince = false, nil, nil
	}
}

// runTask applies a bulk scan to one customer.
func (s *Shard) runTask(h *resident, t *bulkScan, out *effect.Effects) {
	s.machine.Use(s.defs.set(t.Workspace))
	s.guard(h, out, func() {
		s.machine.Visit(h.c, &t.Task, s.now, &out.Output)
	}, func(detail string) {
		out.DeadLetters = append(out.DeadLetters, effect.DeadLetter{
			Workspace: t.Workspace, Customer: h.c.ID, Reason: output.ReasonPanic, Field: "visit", Detail: detail,
			At: s.now,
		})
	})
	if after := h.c.AppendTo(nil); string(after) != string(s.image) {
		s.markDirty(h)
		s.rearm(h)
	}
}

// applyPending visits a customer for the bulk scans that have not come to them, before a record or
// a timer does.
func (s *Shard) applyPending(h *resident, out *effect.Effects) {
	if len(s.bulkScans.Queue) == 0 {
		h.c.Toured = 0
		return
	}
	for i, t := range s.bulkScans.Queue {
		if t.Workspace != h.c.Workspace || t.N <= h.c.Toured || i == 0 && h.timer.Key <= t.Cursor {
			continue
		}
		s.runTask(h, t, out)
		h.c.Toured = t.N
	}
}

// exempt notes a customer who is new: no bulk scan that is under way is about them.
func (s *Shard) exempt(h *resident) {
	if len(s.bulkScans.Queue) > 0 {
		h.c.Toured = s.bulkScans.Last
		s.bulkScans.createdSince = append(s.bulkScans.createdSince, h.timer.Key)
	}
}

// activate follows up on definitions that took the place of old ones.
func (s *Shard) activate(a *control.Apply, old *active.Set) {
	set := s.defs.set(a.Workspace)
	s.reschedule(a.Workspace)
	var names []string
	for i := range a.Documents {
		if d := &a.Documents[i]; d.Kind == program.KindCampaign {
			names = append(names, d.Name)
		}
	}
	v, needed := set.Activation(old, names)
	if v.Due = s.now; needed && (len(s.customers.all) > 0 || s.customers.inStore) {
		s.bulkScans.start(a.Workspace, v)
	}
}

// reschedule brings the occurrences of a workspace in line with its schedules: one that
// is as it was goes on, another begins now.
func (s *Shard) reschedule(workspace string) {
	t := &s.bulkScans
	known := map[string]occurrence{}
	kept := t.Schedules[:0]
	for _, o := range t.Schedules {
		if o.Workspace != workspace {
			kept = append(kept, o)
			continue
		}
		known[o.Campaign] = o
	}
	s.machine.Use(s.defs.set(workspace))
	schedules := s.machine.Schedules()
	for i := range schedules {
		o, same := known[schedules[i].Campaign]
		if !same || o.Spec != schedules[i].Spec {
			o = occurrence{Workspace: workspace, Campaign: schedules[i].Campaign, Spec: schedules[i].Spec}
			o.Next, _ = schedules[i].Next(s.now)
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

// applyBroadcast puts an event without a customer on its way to all of the partition's.
func (s *Shard) applyBroadcast(data []byte, index int, out *effect.Effects) error {
	e, err := event.Decode(data)
	if err != nil {
		return err
	}
	if !s.dedupe.Add(dedupe.EventHash(e.Workspace, "", e.ID), s.now) {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		return nil
	}
	e.Time = min(e.Time, s.now)
	if !s.defs.set(e.Workspace).Broadcasts(e.Name) {
		return nil
	}
	v := active.BulkTask{Kind: active.BulkBroadcast, Due: s.now, Event: keep(&e)}
	if !s.bulkScans.start(e.Workspace, v) {
		out.DeadLetters = append(out.DeadLetters, effect.DeadLetter{
			Workspace: e.Workspace, Index: uint32(index), Reason: output.ReasonBulkScans, At: s.now,
			Detail: fmt.Sprintf("%d are on their way", maxBulkScans), Raw: data[:min(len(data), effect.MaxRaw)],
		})
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deadletter})
	}
	return nil
}

// keep is an event with bytes of its own: a bulk scan outlives its frame.
func keep(e *event.Event) *event.Event {
	own, err := event.Decode(e.AppendTo(nil))
	if err != nil {
		panic(fmt.Sprintf("BUG: an event cannot be read back: %v", err))
	}
	return &own
}

// next is when bulk scans and schedules need a step; 0 when they do not.
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

// encode is the stored form: JSON with fields in a fixed order.
func (t *bulkScans) encode() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic(fmt.Sprintf("BUG: bulk scans cannot be written: %v", err))
	}
	return b
}

func (t *bulkScans) load(p []byte) error {
	t.known = false
	if err := json.Unmarshal(p, t); err != nil {
		return fmt.Errorf("actors: bulk scans: %w", err)
	}
	return nil
}

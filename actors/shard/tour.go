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

// Limits of tours.
const (
	maxTours      = 1000 // on their way at one time, a partition
	maxTourVisits = 2000 // customers that one step visits in their turn
)

// tour is something that happens to all customers of a workspace in a shard: a
// broadcast, an occurrence of a schedule, an activation. Each step visits the next
// customers in the order of their keys. A customer whom a record or a timer reaches
// first is visited before that, so that what happens to a customer does not depend on
// when their turn comes.
type tour struct {
	N         uint64       `json:"n"`
	Workspace string       `json:"workspace"`
	Visit     active.Visit `json:"visit"`
	Cursor    string       `json:"cursor"` // key of the last customer visited in their turn
}

// occurrence is when a schedule comes next.
type occurrence struct {
	Workspace string `json:"workspace"`
	Campaign  string `json:"campaign"`
	Spec      string `json:"spec"`
	Next      int64  `json:"next"` // ms
}

// tours is what a shard keeps about tours; the exported fields are state.
type tours struct {
	Last      uint64       `json:"last"` // number of the last tour
	Queue     []*tour      `json:"queue"`
	Schedules []occurrence `json:"schedules"` // sorted by (Workspace, Campaign)

	dirty bool
	// index are the keys of the customers who were in memory when the first tour of the
	// queue began, sorted; fresh those who came after. With the page, the next keys in
	// the store, they are all that there are. Visits need no more than these.
	index   []string
	indexed bool
	fresh   []string
	page    []string
	paged   bool
	// soonest is the next occurrence of all schedules, once it is known: each step asks.
	soonest int64
	known   bool
}

// nextOccurrence is when the next schedule is due, 0 when none is.
func (t *tours) nextOccurrence() int64 {
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

// Touring says that a tour is under way.
func (s *Shard) Touring() bool { return len(s.tours.Queue) > 0 }

// start puts a visit of all customers on its way; false when too many are.
func (t *tours) start(workspace string, v active.Visit) bool {
	if len(t.Queue) >= maxTours {
		return false
	}
	t.Last++
	t.Queue = append(t.Queue, &tour{N: t.Last, Workspace: workspace, Visit: v})
	t.dirty = true
	return true
}

// TourPage asks for the next keys of the store: the first n of the partition after
// after. wanted is false when none are needed; else they must be given with SetTourPage
// before Needs and Step are called.
func (s *Shard) TourPage() (workspace, after string, n int, wanted bool) {
	if len(s.tours.Queue) == 0 || !s.customers.passivated {
		return "", "", 0, false
	}
	head := s.tours.Queue[0]
	_, after, _ = strings.Cut(head.Cursor, "\x00")
	return head.Workspace, after, maxTourVisits + s.removals.size(), true // those are left out
}

// SetTourPage gives the ids of the workspace's customers that TourPage asked for.
func (s *Shard) SetTourPage(ids []string) {
	s.tours.page, s.tours.paged = s.tours.page[:0], true
	if len(s.tours.Queue) == 0 {
		return
	}
	for _, id := range ids {
		if key := Key(s.tours.Queue[0].Workspace, id); !s.removals.has(key) {
			s.tours.page = append(s.tours.page, key)
		}
	}
}

// turn lists the customers whose turn it is: the first of all that there are behind the
// cursor.
func (s *Shard) turn() []string {
	t := &s.tours
	if len(t.Queue) == 0 {
		return nil
	}
	head := t.Queue[0]
	prefix := head.Workspace + "\x00"
	s.indexCustomers(prefix)
	from := max(head.Cursor, prefix)
	memory := t.index[sort.Search(len(t.index), func(i int) bool { return t.index[i] > from }):]
	stored := t.page
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
	t := &s.tours
	switch {
	case !t.indexed:
		t.index = t.index[:0]
		for key := range s.customers.all { //nudge:unordered sorted below
			if strings.HasPrefix(key, prefix) {
				t.index = append(t.index, key)
			}
		}
	case len(t.fresh) > 0:
		for _, key := range t.fresh {
			if strings.HasPrefix(key, prefix) {
				t.index = append(t.index, key)
			}
		}
	default:
		return
	}
	t.indexed, t.fresh = true, t.fresh[:0]
	sort.Strings(t.index)
}

// tourSlice visits those whose turn it is.
func (s *Shard) tourSlice(out *effect.Effects) {
	t := &s.tours
	if len(t.Queue) == 0 {
		return
	}
	if s.customers.passivated && !t.paged {
		panic(fmt.Sprintf("BUG: partition %d: a tour goes on without a page of the store", s.config.Partition))
	}
	head, keys := t.Queue[0], s.turn()
	for _, key := range keys {
		h := s.customers.get(key)
		if h == nil && s.removals.has(key) {
			head.Cursor = key
			continue
		}
		if h == nil {
			panic(fmt.Sprintf("BUG: partition %d: customer %q is visited and was not loaded", s.config.Partition, key))
		}
		if h.c.Toured < head.N {
			s.visit(h, head, out)
		}
		head.Cursor = key
	}
	t.dirty, t.paged, t.page = true, false, t.page[:0]
	if len(keys) < maxTourVisits {
		t.Queue = append(t.Queue[:0], t.Queue[1:]...)
		t.indexed, t.index, t.fresh = false, nil, nil
	}
}

// visit applies a tour to one customer.
func (s *Shard) visit(h *hosted, t *tour, out *effect.Effects) {
	s.machine.Use(s.defs.set(t.Workspace))
	s.guard(h, out, func() {
		s.machine.Visit(h.c, &t.Visit, s.now, &out.Output)
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

// catchUp visits a customer for the tours that have not come to them, before a record or
// a timer does.
func (s *Shard) catchUp(h *hosted, out *effect.Effects) {
	if len(s.tours.Queue) == 0 {
		h.c.Toured = 0
		return
	}
	for i, t := range s.tours.Queue {
		if t.Workspace != h.c.Workspace || t.N <= h.c.Toured || i == 0 && h.timer.Key <= t.Cursor {
			continue
		}
		s.visit(h, t, out)
		h.c.Toured = t.N
	}
}

// arrived notes a customer who is new: no tour that is under way is about them.
func (s *Shard) arrived(h *hosted) {
	if len(s.tours.Queue) > 0 {
		h.c.Toured = s.tours.Last
		s.tours.fresh = append(s.tours.fresh, h.timer.Key)
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
	if v.Due = s.now; needed && (len(s.customers.all) > 0 || s.customers.passivated) {
		s.tours.start(a.Workspace, v)
	}
}

// reschedule brings the occurrences of a workspace in line with its schedules: one that
// is as it was goes on, another begins now.
func (s *Shard) reschedule(workspace string) {
	t := &s.tours
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
	v := active.Visit{Kind: active.VisitBroadcast, Due: s.now, Event: keep(&e)}
	if !s.tours.start(e.Workspace, v) {
		out.DeadLetters = append(out.DeadLetters, effect.DeadLetter{
			Workspace: e.Workspace, Index: uint32(index), Reason: output.ReasonTours, At: s.now,
			Detail: fmt.Sprintf("%d are on their way", maxTours), Raw: data[:min(len(data), effect.MaxRaw)],
		})
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deadletter})
	}
	return nil
}

// keep is an event with bytes of its own: a tour outlives its frame.
func keep(e *event.Event) *event.Event {
	own, err := event.Decode(e.AppendTo(nil))
	if err != nil {
		panic(fmt.Sprintf("BUG: an event cannot be read back: %v", err))
	}
	return &own
}

// next is when tours and schedules need a step; 0 when they do not.
func (t *tours) next(now int64) int64 {
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
func (t *tours) encode() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic(fmt.Sprintf("BUG: tours cannot be written: %v", err))
	}
	return b
}

func (t *tours) load(p []byte) error {
	t.known = false
	if err := json.Unmarshal(p, t); err != nil {
		return fmt.Errorf("actors: tours: %w", err)
	}
	return nil
}

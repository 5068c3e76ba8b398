package workload

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// Edges adds, to a workload that is drawn, campaigns that customers of their own come to at
// the very instants at which a rule turns: a cap's window and a streak's gap that are just
// over, a broadcast that comes before chains of an older version have left, an experiment
// that has new figures but not twice as many. All else stays what it was. The instants are
// exact in a world whose calls are taken in at once.
func Edges(rng *rand.Rand, w *Workload) {
	e := &edges{d: &draw{rng: rng}, w: w}
	e.cap()
	e.streak()
	e.visit()
	e.looks()
	slices.SortStableFunc(w.Calls, func(x, y Call) int { return cmp.Compare(x.At, y.At) })
	slices.SortStableFunc(w.Edits, func(x, y Edit) int { return cmp.Compare(x.At, y.At) })
	slices.SortStableFunc(w.Broadcasts, func(x, y Call) int { return cmp.Compare(x.At, y.At) })
}

type edges struct {
	d *draw
	w *Workload
	n int // calls added
}

// from is the instant of an early call: what follows hardly makes the world longer.
func (e *edges) from() int64 { return pick(e.d, e.w.Calls[:1+len(e.w.Calls)/4]).At }

func (e *edges) call(at int64, customer, name string) {
	e.n++
	e.w.Calls = append(e.w.Calls, Call{At: at, Event: audit.Event{
		Customer: customer, ID: "edge" + strconv.Itoa(e.n), Name: name, Time: at, Type: audit.TypeTrack,
	}})
}

// cap has customers come again when what a cap counts is a window old: to the millisecond,
// and one before and after.
func (e *edges) cap() {
	const name = "edge"
	window := pick(e.d, []time.Duration{time.Minute, 30 * time.Minute, time.Hour})
	limit := audit.Cap{Name: name, Limit: 1 + e.d.rng.IntN(2), Window: window}
	capped := func(h *audit.WorkspacePolicy) *audit.WorkspacePolicy {
		var next audit.WorkspacePolicy
		if h != nil {
			next = *h
		}
		next.Caps = append(slices.Clone(next.Caps), limit)
		return &next
	}
	e.w.Policy = capped(e.w.Policy)
	for i := range e.w.Edits {
		if h := e.w.Edits[i].Policy; h != nil {
			e.w.Edits[i].Policy = capped(h)
		}
	}
	e.w.Campaigns = append(e.w.Campaigns, audit.Campaign{
		Name: "edge-cap", Trigger: audit.Trigger{Kind: audit.KindEvent, Event: "Edge Seen"},
		Policy: audit.Policy{Category: "edge", Caps: []string{name}},
		Steps:  []audit.Step{{ID: "say", Send: &audit.Send{Channels: []string{"telegram"}}}},
	})
	for i := range 4 {
		at := e.from()
		for range limit.Limit {
			e.call(at, "edge-cap"+strconv.Itoa(i), "Edge Seen")
		}
		for range 3 {
			at += window.Milliseconds() + pick(e.d, []int64{-1, 0, 0, 0, 1})
			e.call(at, "edge-cap"+strconv.Itoa(i), "Edge Seen")
		}
	}
}

// streak has events come exactly max_gap after those before, and a little off it.
func (e *edges) streak() {
	gap := pick(e.d, []time.Duration{time.Minute, 30 * time.Minute, time.Hour})
	length := 2 + e.d.rng.IntN(2)
	e.w.Campaigns = append(e.w.Campaigns, audit.Campaign{
		Name:    "edge-streak",
		Trigger: audit.Trigger{Kind: audit.KindStreak, Event: "Edge Read", Length: length, MaxGap: gap},
		Steps:   []audit.Step{{ID: "rest", Delay: &audit.Delay{For: time.Minute}}},
	})
	for i := range 3 {
		at := e.from()
		for range 3 * length {
			e.call(at, "edge-streak"+strconv.Itoa(i), "Edge Read")
			at += gap.Milliseconds() + pick(e.d, []int64{-1, 0, 0, 0, 0, 1})
		}
	}
}

// visit has a broadcast come soon after a version that ends the chains of the broadcast
// before: they must not be in its way.
func (e *edges) visit() {
	const name = "Edge Storm"
	c := audit.Campaign{
		Name: "edge-storm", Trigger: audit.Trigger{Kind: audit.KindBroadcast, Event: name},
		Steps: []audit.Step{{ID: "rest", Delay: &audit.Delay{For: 2 * time.Hour}}},
	}
	e.w.Campaigns = append(e.w.Campaigns, c)
	c.InFlight = audit.Exit
	at := pick(e.d, e.w.Calls[len(e.w.Calls)/4:len(e.w.Calls)/2]).At // there are customers by then
	edit := at + time.Hour.Milliseconds()
	e.w.Edits = append(e.w.Edits, Edit{At: edit, Campaigns: []audit.Campaign{c}})
	for i, at := range []int64{at, edit + pick(e.d, []int64{1, 20, 1000, 10_000, 30_000})} {
		e.w.Broadcasts = append(e.w.Broadcasts, Call{At: at, Event: audit.Event{
			ID: "edge-b" + strconv.Itoa(i), Name: name, Time: at, Type: audit.TypeTrack,
		}})
	}
}

// looks has an experiment whose variants are equal at the first look, which is then passed
// over while there are not yet twice the exposures, and of which one variant alone converts.
func (e *edges) looks() {
	c := audit.Campaign{
		Name: "edge-looks", Trigger: audit.Trigger{Kind: audit.KindEvent, Event: "Edge Shown"},
		Goals: []audit.Goal{{ID: "bought", Match: audit.Match{Event: "Edge Bought"}, Window: time.Hour}},
		Steps: []audit.Step{
			{ID: "x", Experiment: &audit.Experiment{
				Variants: []audit.Variant{{ID: "a", Weight: 50, Goto: audit.End}, {ID: "b", Weight: 50}},
				Winner:   &audit.Rule{MinPer: 2, MinTime: time.Minute, Confidence: 0.513},
			}},
			{ID: "rest", Delay: &audit.Delay{For: time.Minute}},
		},
	}
	e.w.Campaigns = append(e.w.Campaigns, c)
	at, winner := e.from(), e.d.rng.IntN(2) == 0
	n := 0
	show := func(first, converts bool) {
		who := ""
		for who == "" || (audit.Bucket(c.Name+"/x", who) < 5000) != first {
			n++
			who = "edge-looks" + strconv.Itoa(n)
		}
		e.call(at, who, "Edge Shown")
		if converts {
			e.call(at+time.Minute.Milliseconds(), who, "Edge Bought")
		}
	}
	for i, each := range []int{2, 1, 4} {
		for range each {
			show(winner, i > 0)
			show(!winner, false)
		}
		at += 3 * time.Hour.Milliseconds() // these have matured before the next
	}
}

package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/stream"
)

// audit folds the log once more, with the auditor, and compares what it decides
// with the effects.
func (p *partition) audit(h *history) error {
	a := audit.New(nil)
	a.Slot = func(at int64, customer string) int64 { return machine.ReplanAt(at, workspace, customer) }
	f := reading{w: p.w, a: a, byID: h.byID(), number: h.numbers()}
	for i := range h.frames {
		a.Frame(h.frames[i].Frame.Time)
		for j, r := range h.frames[i].Frame.Records {
			if _, skipped := p.skips[control.RecordPosition{Seq: h.frames[i].At.Seq, Index: j}]; skipped {
				continue
			}
			if err := f.record(&r); err != nil {
				return err
			}
		}
	}
	p.counted, p.tallies = f.counted, a.AllExperimentCounts()
	return p.compare(h, &f)
}

// compare compares what the auditor decided with the effects.
func (p *partition) compare(h *history, f *reading) error {
	a := f.a
	p.versions(h)
	for _, what := range a.Noted() {
		p.w.mark(what)
	}
	p.held(a.Deliveries())
	if err := compareDeliveries(h, a.Deliveries(), p.w.opt.StrictDue); err != nil {
		return err
	}
	if err := compareStates(h, a.States(), f.number); err != nil {
		return err
	}
	if err := compareConversions(h, a.Conversions()); err != nil {
		return err
	}
	if err := compareFaults(h, a.Faults()); err != nil {
		return err
	}
	return compareChains(h, a.Chains())
}

// held marks deliveries that were held over a crash, and steps that a loop sent again.
func (p *partition) held(all []audit.Delivery) {
	type step struct {
		chainID
		step, channel string
	}
	since, sent := map[step]int64{}, map[step]bool{}
	for i := range all {
		d := &all[i]
		id := step{chainID{d.Campaign, d.Customer, d.Entry}, d.Step, d.Channel}
		switch d.Status {
		case audit.Deferred:
			since[id] = d.At
		case audit.HandedOff:
			from := since[id]
			if from != 0 && slices.ContainsFunc(p.crashes, func(at int64) bool { return at > from && at < d.At }) {
				p.w.mark(reachHeldCrash)
			}
			if sent[id] {
				p.w.mark(reachLoopSend)
			}
			sent[id] = true
		}
	}
}

// reading gives the records of a log to the auditor.
type reading struct {
	w    *World
	a    *audit.Auditor
	byID map[output.ID]*output.Delivery
	// number counts the messages of one step and channel of a chain, which loops repeat.
	number map[output.ID]int
	ctl    uint64 // last control record; copies of what was applied say nothing
	// counted is what the model counted for an experiment when its decision came.
	counted map[uint64]audit.ExperimentCounts
}

func (f *reading) record(r *stream.Record) error {
	a, byID := f.a, f.byID
	switch r.Kind {
	case stream.KindControl:
		c, err := control.Decode(r.Data)
		if err != nil {
			return err
		}
		if c.K == f.ctl+1 {
			f.ctl = c.K
			if c.Apply != nil {
				e := &f.w.applied[f.w.editOf[c.K]]
				if e.Policy != nil {
					a.SetPolicies(*e.Policy)
				}
				a.Apply(e.Campaigns)
			}
			if c.Decide != nil {
				f.decide(c.K, c.Decide)
			}
		}
	case stream.KindEvent:
		e, err := readEvent(r.Data)
		if err != nil {
			return err
		}
		e.Time = min(e.Time, a.Now()) // an event is never from after the log time
		a.Event(e)
	case stream.KindBroadcast:
		e, err := readEvent(r.Data)
		if err != nil {
			return err
		}
		a.Broadcast(e)
	case stream.KindResult:
		result, err := output.DecodeResult(r.Data)
		if err != nil {
			return err
		}
		d := byID[result.Delivery]
		if d == nil {
			return fmt.Errorf("result of a delivery that is not: %+v", result)
		}
		verdict := map[output.Verdict]string{
			output.Accepted: audit.Accepted, output.Temporary: audit.Temporary, output.Permanent: audit.Permanent,
		}
		a.Result(audit.Result{
			Campaign: d.Campaign, Customer: d.Customer, Entry: int(d.Entry), Step: d.Step, Channel: d.Channel,
			Number: f.number[d.ID], Attempt: int(result.Attempt), Verdict: verdict[result.Verdict],
			Reply: replyOf(&result),
		})
	default: // the others change no customer
	}
	return nil
}

// versions marks what the new versions of campaigns led to.
func (p *partition) versions(h *history) {
	entered := map[chainID]uint32{}
	for i := range h.messages {
		for _, c := range h.messages[i].Chains {
			id := chainID{c.Campaign, c.Customer, int(c.Entry)}
			if entered[id] == 0 {
				entered[id] = c.Version
			}
			if entered[id] != c.Version {
				p.w.mark(reachFollowed)
			}
		}
		for j := range h.messages[i].Decisions {
			if h.messages[i].Decisions[j].Reason == output.ReasonStepGone {
				p.w.mark(reachStepGone)
			}
		}
	}
}

// byID are the deliveries as they were handed off first.
func (h *history) byID() map[output.ID]*output.Delivery {
	by := map[output.ID]*output.Delivery{}
	for d := range h.deliveries() {
		if by[d.ID] == nil && d.Status == output.HandedOff {
			by[d.ID] = d
		}
	}
	return by
}

// deliveries are all rows, in their order.
func (h *history) deliveries() iter.Seq[*output.Delivery] {
	return func(yield func(*output.Delivery) bool) {
		for i := range h.messages {
			for j := range h.messages[i].Deliveries {
				if !yield(&h.messages[i].Deliveries[j]) {
					return
				}
			}
		}
	}
}

// numbers counts the messages of each step and channel of a chain, from 0.
func (h *history) numbers() map[output.ID]int {
	number, next := map[output.ID]int{}, map[identity]int{}
	for i := range h.messages {
		gone := forgottenIn(&h.messages[i])
		maps.DeleteFunc(next, func(id identity, _ int) bool { return gone[id.chain.customer] })
		for j := range h.messages[i].Deliveries {
			d := &h.messages[i].Deliveries[j]
			if _, ok := number[d.ID]; d.Status == output.HandedOff && !ok {
				number[d.ID] = next[identityOf(d)]
				next[identityOf(d)]++
			}
		}
	}
	return number
}

// decided says whether a row is what was decided of a message at first, not what
// became of it later.
func decided(d *output.Delivery) bool {
	switch d.Status {
	case output.HandedOff:
		return d.Attempt == 1
	case output.StatusGhost, output.StatusDropped, output.StatusDefer:
		return true
	default:
		return false
	}
}

// compareStates compares what became of the deliveries, each customer's in the order
// reached.
func compareStates(h *history, model []audit.State, number map[output.ID]int) error {
	engine, want := map[string][]audit.State{}, map[string][]audit.State{}
	for d := range h.deliveries() {
		if decided(d) {
			continue
		}
		engine[d.Customer] = append(engine[d.Customer], audit.State{
			Campaign: d.Campaign, Customer: d.Customer, Entry: int(d.Entry), Step: d.Step, Channel: d.Channel,
			Number: number[d.ID], Status: string(d.Status), Attempt: int(d.Attempt), At: d.At,
		})
	}
	for _, s := range model {
		want[s.Customer] = append(want[s.Customer], s)
	}
	return match("state of a delivery", engine, want, func(x, y audit.State) int {
		by := cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.Campaign, y.Campaign), cmp.Compare(x.Entry, y.Entry))
		if x.Status == audit.Recalled && y.Status == audit.Recalled { // taken back together, in no order
			by = cmp.Or(by, cmp.Compare(x.Step, y.Step), cmp.Compare(x.Channel, y.Channel),
				cmp.Compare(x.Number, y.Number))
		}
		return by
	}, nil)
}

// match compares two lists a customer. Rows of one instant are written by campaign and
// entry number, whatever the order of the decisions.
func match[T comparable](
	what string, engine, model map[string][]T, order func(x, y T) int, fit func(got *T, want T),
) error {
	for customer := range model { // each on its own: no order shows
		if engine[customer] == nil {
			engine[customer] = []T{}
		}
	}
	for _, customer := range slices.Sorted(maps.Keys(engine)) {
		got, want := engine[customer], model[customer]
		slices.SortStableFunc(got, order)
		slices.SortStableFunc(want, order)
		for i := range max(len(got), len(want)) {
			switch {
			case i == len(want):
				return fmt.Errorf("audit: a %s too many: %+v", what, got[i])
			case i == len(got):
				return fmt.Errorf("audit: no such %s: %+v", what, want[i])
			}
			if fit != nil {
				fit(&got[i], want[i])
			}
			if got[i] != want[i] {
				return fmt.Errorf("audit: %s\n  engine %+v\n  model  %+v", what, got[i], want[i])
			}
		}
	}
	return nil
}

// compareConversions compares the goals reached and taken back.
func compareConversions(h *history, model []audit.Conversion) error {
	engine, want := map[string][]audit.Conversion{}, map[string][]audit.Conversion{}
	for i := range h.messages {
		for _, g := range h.messages[i].Goals {
			engine[g.Customer] = append(engine[g.Customer], audit.Conversion{
				Campaign: g.Campaign, Customer: g.Customer, Entry: int(g.Entry), Goal: g.Goal, Step: g.Step,
				Value: float64(g.Value) / 1e6, Currency: g.Currency, At: g.At, Reversal: g.Reversal,
			})
		}
	}
	for _, c := range model {
		want[c.Customer] = append(want[c.Customer], c)
	}
	return match("conversion", engine, want, func(x, y audit.Conversion) int {
		return cmp.Or(cmp.Compare(x.Campaign, y.Campaign), cmp.Compare(x.Entry, y.Entry))
	}, nil)
}

// compareFaults compares the expressions of chains that could not be computed.
func compareFaults(h *history, model []audit.Fault) error {
	engine, want := map[string][]audit.Fault{}, map[string][]audit.Fault{}
	for i := range h.messages {
		for j := range h.messages[i].Decisions {
			d := &h.messages[i].Decisions[j]
			if d.Kind == output.Erred && d.Reason == output.ReasonEvaluation && d.Entry != 0 {
				engine[d.Customer] = append(engine[d.Customer], audit.Fault{
					Campaign: d.Campaign, Customer: d.Customer, Entry: int(d.Entry), At: d.At,
				})
			}
		}
	}
	for _, f := range model {
		want[f.Customer] = append(want[f.Customer], f)
	}
	return match("expression that cannot be computed", engine, want, func(x, y audit.Fault) int {
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.Campaign, y.Campaign), cmp.Compare(x.Entry, y.Entry))
	}, nil)
}

func readEvent(data []byte) (audit.Event, error) {
	e, err := event.Decode(data)
	if err != nil {
		return audit.Event{}, err
	}
	out := audit.Event{
		Customer: e.Customer, ID: e.ID, Name: e.Name, Time: e.Time, Type: audit.TypeTrack,
		Historical: e.Historical,
	}
	if e.Type == event.Identify {
		out.Type, out.Name = audit.TypeIdentify, ""
	}
	if len(e.Properties) > 0 {
		err = json.Unmarshal(e.Properties, &out.Properties)
	}
	if err == nil && len(e.Traits) > 0 {
		err = json.Unmarshal(e.Traits, &out.Traits)
	}
	if err == nil && len(e.Context) > 0 {
		err = json.Unmarshal(e.Context, &out.Context)
	}
	return out, err
}

// delivered are the first rows of the deliveries, by customer, each customer's in the
// order written.
func delivered(h *history) map[string][]audit.Delivery {
	by := map[string][]audit.Delivery{}
	for d := range h.deliveries() {
		if !decided(d) {
			continue
		}
		by[d.Customer] = append(by[d.Customer], audit.Delivery{
			Campaign: d.Campaign, Version: int(d.Version), Customer: d.Customer, Key: d.Key,
			Entry: int(d.Entry), Step: d.Step, Channel: d.Channel, At: d.At, Due: d.Due, TriggerID: d.TriggerID,
			Status: string(d.Status), Reason: string(d.Reason), Variant: d.Variant,
		})
	}
	return by
}

func compareDeliveries(h *history, model []audit.Delivery, strict bool) error {
	want := map[string][]audit.Delivery{}
	for _, d := range model {
		want[d.Customer] = append(want[d.Customer], d)
	}
	return match("delivery", delivered(h), want, func(x, y audit.Delivery) int {
		by := cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.Campaign, y.Campaign), cmp.Compare(x.Entry, y.Entry))
		if strict && by == 0 { // late timers of a chain that fire at one instant
			by = cmp.Compare(x.Due, y.Due)
		}
		return by
	}, func(got *audit.Delivery, want audit.Delivery) {
		if !strict && want.Due == want.At { // decided by a record, not by a timer
			got.Due = want.Due
		}
		if want.TriggerID == audit.AnyID {
			got.TriggerID = audit.AnyID
		}
	})
}

// chainID names a chain.
type chainID struct {
	campaign, customer string
	entry              int
}

func (c chainID) String() string { return fmt.Sprintf("%s/%s/%d", c.campaign, c.customer, c.entry) }

func compareChains(h *history, model []audit.Chain) error {
	type id struct { // who was forgotten begins their numbers anew
		chainID
		entered int64
	}
	engine := map[id]output.ChainRow{}
	for i := range h.messages {
		for _, c := range h.messages[i].Chains {
			engine[id{chainID{c.Campaign, c.Customer, int(c.Entry)}, c.EnteredAt}] = c // the last row holds
		}
	}
	for _, want := range model {
		which := id{chainID{want.Campaign, want.Customer, want.Entry}, want.EnteredAt}
		got, ok := engine[which]
		value := unit.Money(want.Value * 1e6)
		if !ok || string(got.Outcome) != want.Outcome || got.EndedAt != want.EndedAt ||
			got.EnteredAt != want.EnteredAt || got.Goal != want.Goal || got.Key != want.Key ||
			got.Value != value || got.Currency != want.Currency || !shows(&got, &want) ||
			got.HeldOut != want.HeldOut ||
			!slices.EqualFunc(got.Variants, want.Variants, func(x output.Passed, y audit.Passed) bool {
				return x.Step == y.Step && x.Variant == y.Variant
			}) {
			return fmt.Errorf("audit: chain\n  engine %+v\n  model  %+v", got, want)
		}
		delete(engine, which)
	}
	return first(engine, func(c output.ChainRow) error { return fmt.Errorf("audit: a chain too many: %+v", c) })
}

// shows reports whether a row has the version of its chain: that under which it ran last or, while the
// chain is live, one under which it ran since something of it was last written.
func shows(got *output.ChainRow, want *audit.Chain) bool {
	return int(got.Version) == want.Version || want.EndedAt == 0 && slices.Contains(want.Shown, int(got.Version))
}

// Delivered is what was handed off for the first time, by customer, a line each.
func (w *World) Delivered() (map[string][]string, error) {
	lines := map[string][]string{}
	for _, p := range w.parts {
		h, err := p.history()
		if err != nil {
			return nil, err
		}
		for customer, all := range delivered(h) { // each customer on its own: no order shows
			for _, d := range all {
				lines[customer] = append(lines[customer], fmt.Sprintf("%+v", d))
			}
		}
	}
	return lines, nil
}

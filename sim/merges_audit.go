package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/stream"
)

// together folds the logs of all partitions with an auditor each. What one partition
// sends another is the model's own, so a partition waits where a transfer comes in until
// the one that it comes from is that far: the order in which it happened.
type together struct {
	w     *World
	hs    []*history
	reads []*reading
	next  []int             // frame of each partition
	sent  map[string][]sent // by source: all but the parts of states, in their order
	last  map[string]uint64 // by receiver and source: the last number applied
	took  map[string]int    // of sent
	names *names
}

// sent is what the model sends on from one anonymous customer.
type sent struct {
	state  *audit.MergingCustomer
	event  *audit.Event
	result *output.Result
}

// auditTogether is audit for a world whose customers merge.
func (w *World) auditTogether(hs []*history) error {
	t := &together{
		w: w, hs: hs, next: make([]int, len(hs)), sent: map[string][]sent{}, last: map[string]uint64{},
		took: map[string]int{}, names: nameAll(hs),
	}
	for range hs {
		a := audit.New(nil)
		a.Slot = func(at int64, customer string) int64 { return machine.ReplanAt(at, workspace, customer) }
		t.reads = append(t.reads, &reading{w: w, a: a, byID: t.names.first, number: t.names.number})
	}
	for p := range hs {
		for t.next[p] < len(hs[p].frames) {
			if err := t.frame(p); err != nil {
				return fmt.Errorf("partition %d: %w", p, err)
			}
		}
	}
	if err := t.all(); err != nil {
		return err
	}
	for i, p := range w.parts {
		if err := p.compare(hs[i], t.reads[i]); err != nil {
			return fmt.Errorf("partition %d: %w", i, err)
		}
	}
	return nil
}

func (t *together) frame(p int) error {
	in := &t.hs[p].frames[t.next[p]]
	t.next[p]++
	t.reads[p].a.Frame(in.Frame.Time)
	for j, r := range in.Frame.Records {
		if _, skipped := t.w.parts[p].skips[control.RecordPosition{Seq: in.At.Seq, Index: j}]; skipped {
			continue
		}
		if err := t.record(p, &r); err != nil {
			return fmt.Errorf("frame %d, record %d: %w", in.At.Seq, j, err)
		}
	}
	return nil
}

func (t *together) record(p int, r *stream.Record) error {
	a := t.reads[p].a
	switch r.Kind {
	case stream.KindEvent:
		e, err := event.Decode(r.Data)
		if err != nil {
			return err
		}
		if a.Erased(e.Customer) {
			t.w.mark(reachErasedEvent)
			return nil
		}
		if e.Type == event.Alias {
			t.alias(a, &e)
			return nil
		}
		if a.Into(e.Customer) == "" {
			return t.reads[p].record(r)
		}
		late, err := readEvent(r.Data)
		if err == nil && a.IsNew(e.Customer, e.ID) {
			t.w.mark(reachLateEvent)
			t.sent[e.Customer] = append(t.sent[e.Customer], sent{event: &late})
		}
		return err
	case stream.KindResult:
		result, err := output.DecodeResult(r.Data)
		if err != nil || a.Erased(result.Customer) {
			return err
		}
		if a.Into(result.Customer) == "" {
			return t.result(a, &result, result.Customer)
		}
		t.w.mark(reachLateResult)
		t.sent[result.Customer] = append(t.sent[result.Customer], sent{result: &result})
		return nil
	case stream.KindTransfer:
		return t.transfer(p, r.Data)
	case stream.KindErase:
		e, err := erase.Decode(r.Data)
		if err == nil && !a.Erase(e.Customer) {
			t.w.mark(reachEraseTwice)
		}
		return err
	default:
		return t.reads[p].record(r)
	}
}

func (t *together) alias(a *audit.Auditor, e *event.Event) {
	if m, ok := a.MakeTombstone(e.Customer, e.ID, e.Target()); ok {
		t.sent[e.Customer] = append(t.sent[e.Customer], sent{state: m})
	} else if a.Into(e.Customer) != e.Target() {
		t.w.mark(reachMergedElse)
	}
}

func (t *together) result(a *audit.Auditor, r *output.Result, holder string) error {
	d, ok := t.names.of[r.Delivery]
	if !ok {
		return fmt.Errorf("result of a delivery that is not: %+v", r)
	}
	verdict := map[output.Verdict]string{
		output.Accepted: audit.Accepted, output.Temporary: audit.Temporary, output.Permanent: audit.Permanent,
	}
	a.Result(audit.Result{
		Campaign: d.chain.campaign, Customer: d.chain.customer, Entry: d.chain.entry, Step: d.step,
		Channel: d.channel, Number: t.names.number[r.Delivery], Attempt: int(r.Attempt),
		Verdict: verdict[r.Verdict], Holder: holder,
	})
	return nil
}

// transfer takes what comes to a known customer, each number once.
func (t *together) transfer(p int, data []byte) error {
	tr, err := event.DecodeTransfer(data)
	if err != nil {
		return err
	}
	a, key := t.reads[p].a, tr.Customer+" "+tr.Source
	switch {
	case tr.N <= t.last[key]:
		t.w.mark(reachCarriedTwice)
		return nil
	case tr.N != t.last[key]+1:
		return fmt.Errorf("transfer %d of %s after %d", tr.N, tr.Source, t.last[key])
	}
	t.last[key] = tr.N
	if tr.Kind == event.TransferPart {
		return nil
	}
	from := stream.PartitionOf(workspace, tr.Source, len(t.hs))
	for len(t.sent[tr.Source]) <= t.took[tr.Source] {
		if from == p || t.next[from] >= len(t.hs[from].frames) {
			return fmt.Errorf("transfer %d of %s, kind %d, is of nothing", tr.N, tr.Source, tr.Kind)
		}
		if err := t.frame(from); err != nil {
			return err
		}
	}
	s := t.sent[tr.Source][t.took[tr.Source]]
	t.took[tr.Source]++
	is := map[bool]event.TransferKind{
		s.state != nil: event.TransferState, s.event != nil: event.TransferEvent,
		s.result != nil: event.TransferResult,
	}[true]
	if is != tr.Kind {
		return fmt.Errorf("transfer %d of %s has kind %d, the model's has %d", tr.N, tr.Source, tr.Kind, is)
	}
	if a.Erased(tr.Customer) {
		t.w.mark(reachEraseMerged)
		return nil
	}
	switch {
	case s.state != nil:
		if from != p {
			t.w.mark(reachMergeAcross)
		}
		if tr.N == 1 && len(tr.Body) == 0 {
			t.w.mark(reachNoState)
		}
		a.Merge(tr.Customer, s.state)
	case s.event != nil:
		e := *s.event
		e.Customer, e.Time = tr.Customer, min(e.Time, a.Now())
		a.Event(e)
	default:
		return t.result(a, s.result, tr.Customer)
	}
	return nil
}

// all: everything that the model sent on came, but to those who were erased: theirs came
// too, and was dropped.
func (t *together) all() error {
	for _, source := range slices.Sorted(maps.Keys(t.sent)) {
		if t.took[source] != len(t.sent[source]) {
			return fmt.Errorf("%d of %d transfers of %s came", t.took[source], len(t.sent[source]), source)
		}
	}
	return nil
}

// names tells deliveries apart whatever their customer is called by then.
type names struct {
	first  map[output.ID]*output.Delivery
	of     map[output.ID]identity // by the chain as it was entered
	number map[output.ID]int      // among the messages of its step and channel
}

// mostLoops is how often a chain may have gone back.
const mostLoops = 300

// nameAll looks for the chain of each delivery: ids rest on the customer at entry.
func nameAll(hs []*history) *names {
	n := &names{map[output.ID]*output.Delivery{}, map[output.ID]identity{}, map[output.ID]int{}}
	from := map[string][]string{}
	for _, h := range hs {
		for i := range h.messages {
			for _, d := range h.messages[i].Decisions {
				if d.Kind == output.Merged && !customer.Anonymous(d.Customer) {
					from[d.Customer] = append(from[d.Customer], d.Detail)
				}
			}
		}
	}
	next := map[identity]int{}
	for _, anonymous := range []bool{true, false} { // a chain moves from the one to the other
		for _, h := range hs {
			for d := range h.deliveries() {
				if n.first[d.ID] != nil || d.Status != output.HandedOff ||
					customer.Anonymous(d.Customer) != anonymous {
					continue
				}
				of := bornAs(d, from[d.Customer])
				n.first[d.ID], n.of[d.ID] = d, of
				n.number[d.ID] = next[of]
				next[of]++
			}
		}
	}
	return n
}

// bornAs is the chain of a delivery as it was entered.
func bornAs(d *output.Delivery, from []string) identity {
	is := func(customer string, entry int) bool {
		chain := output.ChainID(d.Workspace, d.Campaign, customer, d.Key, uint32(entry))
		for k := range uint32(mostLoops) {
			if output.DeliveryID(chain, d.Step, d.Channel, k) == d.ID {
				return true
			}
		}
		return false
	}
	of := identityOf(d)
	for _, customer := range slices.Concat([]string{d.Customer}, from) {
		for entry := int(d.Entry); entry > 0; entry-- {
			if is(customer, entry) {
				of.chain.customer, of.chain.entry = customer, entry
				return of
			}
			if customer == d.Customer {
				break
			}
		}
	}
	return of
}

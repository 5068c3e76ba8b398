package sim

import (
	"encoding/json"
	"fmt"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/stream"
)

// audit folds the log once more, with the auditor, and compares what it decides
// with the effects.
func (p *partition) audit(h *history) error {
	a := audit.New(nil)
	a.Turn = func(at int64, customer string) int64 { return campaign.ReplanAt(at, workspace, customer) }
	f := reading{w: p.w, a: a, byID: h.byID()}
	for i := range h.frames {
		a.Frame(h.frames[i].Frame.Time)
		for j, r := range h.frames[i].Frame.Records {
			if _, skipped := p.skips[actors.Place{Seq: h.frames[i].At.Seq, Index: j}]; skipped {
				continue
			}
			if err := f.record(&r); err != nil {
				return err
			}
		}
	}
	p.versions(h)
	if err := compareDeliveries(h, a.Deliveries(), p.w.opt.StrictDue); err != nil {
		return err
	}
	if err := compareStates(h, a.States()); err != nil {
		return err
	}
	return compareChains(h, a.Chains())
}

// reading gives the records of a log to the auditor.
type reading struct {
	w    *World
	a    *audit.Auditor
	byID map[campaign.ID]*campaign.Delivery
	ctl  uint64 // last control record; copies of what was applied say nothing
}

func (f *reading) record(r *stream.Record) error {
	a, byID := f.a, f.byID
	switch r.Kind {
	case stream.KindControl:
		c, err := actors.DecodeControl(r.Data)
		if err != nil {
			return err
		}
		if c.K == f.ctl+1 {
			f.ctl = c.K
			if c.Apply != nil {
				a.Apply(f.w.applied[c.K-2])
			}
		}
	case stream.KindEvent:
		e, err := readEvent(r.Data)
		if err != nil {
			return err
		}
		e.Time = min(e.Time, a.Now()) // an event is never from after the log time
		a.Event(e)
	case stream.KindResult:
		result, err := campaign.DecodeResult(r.Data)
		if err != nil {
			return err
		}
		d := byID[result.Delivery]
		if d == nil {
			return fmt.Errorf("result of a delivery that is not: %+v", result)
		}
		verdict := map[campaign.Verdict]string{
			campaign.Accepted: audit.Accepted, campaign.Temporary: audit.Temporary, campaign.Permanent: audit.Permanent,
		}
		a.Result(audit.Result{
			Campaign: d.Campaign, Customer: d.Customer, Entry: int(d.Entry), Step: d.Step, Channel: d.Channel,
			Attempt: int(result.Attempt), Verdict: verdict[result.Verdict],
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
			if h.messages[i].Decisions[j].Reason == campaign.ReasonStepGone {
				p.w.mark(reachStepGone)
			}
		}
	}
}

// byID are the deliveries as they were handed off first.
func (h *history) byID() map[campaign.ID]*campaign.Delivery {
	by := map[campaign.ID]*campaign.Delivery{}
	for i := range h.messages {
		for j := range h.messages[i].Deliveries {
			if d := &h.messages[i].Deliveries[j]; by[d.ID] == nil {
				by[d.ID] = d
			}
		}
	}
	return by
}

// compareStates compares what became of the deliveries, each customer's in the order
// reached.
func compareStates(h *history, model []audit.State) error {
	engine := map[string][]audit.State{}
	for i := range h.messages {
		for j := range h.messages[i].Deliveries {
			d := &h.messages[i].Deliveries[j]
			if d.Status == campaign.HandedOff && d.Attempt == 1 {
				continue
			}
			engine[d.Customer] = append(engine[d.Customer], audit.State{
				Campaign: d.Campaign, Customer: d.Customer, Entry: int(d.Entry), Step: d.Step, Channel: d.Channel,
				Status: string(d.Status), Attempt: int(d.Attempt), At: d.At,
			})
		}
	}
	for _, want := range model {
		got := engine[want.Customer]
		if len(got) == 0 {
			return fmt.Errorf("audit: no such state of a delivery: %+v", want)
		}
		if got[0] != want {
			return fmt.Errorf("audit: state of a delivery\n  engine %+v\n  model  %+v", got[0], want)
		}
		engine[want.Customer] = got[1:]
	}
	return first(engine, func(rest []audit.State) error {
		if len(rest) == 0 {
			return nil
		}
		return fmt.Errorf("audit: a state too many: %+v", rest[0])
	})
}

func readEvent(data []byte) (audit.Event, error) {
	e, err := campaign.DecodeEvent(data)
	if err != nil {
		return audit.Event{}, err
	}
	out := audit.Event{
		Customer: e.Customer, ID: e.ID, Name: e.Name, Time: e.Time, Type: audit.TypeTrack,
		Historical: e.Historical,
	}
	if e.Type == campaign.Identify {
		out.Type, out.Name = audit.TypeIdentify, ""
	}
	if len(e.Properties) > 0 {
		err = json.Unmarshal(e.Properties, &out.Properties)
	}
	if err == nil && len(e.Traits) > 0 {
		err = json.Unmarshal(e.Traits, &out.Traits)
	}
	return out, err
}

// delivered are the deliveries handed off for the first time, by customer, each
// customer's in the order decided.
func delivered(h *history) map[string][]audit.Delivery {
	by := map[string][]audit.Delivery{}
	for i := range h.messages {
		for j := range h.messages[i].Deliveries {
			d := &h.messages[i].Deliveries[j]
			if d.Status != campaign.HandedOff || d.Attempt != 1 {
				continue
			}
			by[d.Customer] = append(by[d.Customer], audit.Delivery{
				Campaign: d.Campaign, Version: int(d.Version), Customer: d.Customer, Key: d.Key,
				Entry: int(d.Entry), Step: d.Step, Channel: d.Channel, At: d.At, Due: d.Due, TriggerID: d.TriggerID,
			})
		}
	}
	return by
}

func compareDeliveries(h *history, model []audit.Delivery, strict bool) error {
	engine := delivered(h)
	for _, want := range model {
		got := engine[want.Customer]
		if len(got) == 0 {
			return fmt.Errorf("audit: no such delivery: %+v", want)
		}
		if !strict && want.Due == want.At { // decided by a record, not by a timer
			got[0].Due = want.Due
		}
		if got[0] != want {
			return fmt.Errorf("audit: delivery\n  engine %+v\n  model  %+v", got[0], want)
		}
		engine[want.Customer] = got[1:]
	}
	return first(engine, func(rest []audit.Delivery) error {
		if len(rest) == 0 {
			return nil
		}
		return fmt.Errorf("audit: a delivery too many: %+v", rest[0])
	})
}

// chainID names a chain.
type chainID struct {
	campaign, customer string
	entry              int
}

func (c chainID) String() string { return fmt.Sprintf("%s/%s/%d", c.campaign, c.customer, c.entry) }

func compareChains(h *history, model []audit.Chain) error {
	engine := map[chainID]campaign.ChainRow{}
	for i := range h.messages {
		for _, c := range h.messages[i].Chains {
			engine[chainID{c.Campaign, c.Customer, int(c.Entry)}] = c // the last row holds
		}
	}
	for _, want := range model {
		id := chainID{want.Campaign, want.Customer, want.Entry}
		got, ok := engine[id]
		value := campaign.Money(want.Value * 1e6)
		if !ok || string(got.Outcome) != want.Outcome || got.EndedAt != want.EndedAt ||
			got.EnteredAt != want.EnteredAt || got.Goal != want.Goal || got.Key != want.Key ||
			got.Value != value || int(got.Version) != want.Version {
			return fmt.Errorf("audit: chain\n  engine %+v\n  model  %+v", got, want)
		}
		delete(engine, id)
	}
	return first(engine, func(c campaign.ChainRow) error { return fmt.Errorf("audit: a chain too many: %+v", c) })
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

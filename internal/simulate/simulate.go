// Package simulate runs campaigns over recorded calls on a virtual clock. It is what nudge
// simulate and the scenarios of nudge test use.
//
// It drives the same shards as production does, with a tick at each instant at which a
// timer is due; every send succeeds at once. The result depends on the input alone; the
// number of partitions does not change it.
//
// simulate.go has the clock, experiments.go the looks at experiments, carry.go merges;
// scenario.go runs scenarios. report.go, revenue.go and lift.go write the outcome.
package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// Workspace is the workspace that simulations run in.
const Workspace = "default"

// maxRun is how long after the last call chains may keep the clock running, in ms: ten
// years. A chain that waits longer is probably a mistake, and ticking on would take
// forever.
const maxRun = 10 * 366 * 24 * 3600 * 1000

// Config describes one simulation.
type Config struct {
	// Lang is the language of the expressions in Documents.
	Lang *expr.Language
	// Documents are in force from the beginning, as version 1. Scenarios among them are
	// ignored.
	Documents []parse.Parsed
	// Partitions is the number of shards, at least 1.
	Partitions int
	// Until is when Finish ends, in ms, inclusive; 0 means when no chain waits any more.
	Until int64
	// Sink takes what was decided, in order.
	Sink Sink
	// Progress is called after each call; nil for none.
	Progress func()
	// Reach returns why a delivery that was handed off cannot arrive, for example because
	// its text cannot be rendered. nil means that all arrive.
	Reach func(d *output.Delivery) error
	// Prepare changes each program before it runs, for a scenario; nil for none.
	Prepare func(*program.Program)
	// Trace collects the rules that are evaluated for its customer, who is in Workspace;
	// nil for none.
	Trace *trace.Trace
}

// Sink takes the outcome: first the deliveries of a call or instant, then its decisions,
// chains and goals, each by customer, campaign and entry number. An error ends the
// simulation.
type Sink interface {
	Delivery(d *output.Delivery) error
	Decision(d *output.Decision) error
	Chain(c *output.ChainRow) error
	Goal(g *output.GoalRow) error
}

// Simulation is one run. It belongs to one goroutine.
type Simulation struct {
	config Config
	shards []*shard.Shard
	// seqs is the sequence of the last frame of each shard.
	seqs []uint64
	// live has the chains that have not ended; Finish goes on while there are any.
	live map[string]bool
	// now is the virtual time in ms. It never goes back.
	now int64

	// control is the number of the last control record.
	control uint64
	trials  trials
}

// New returns a simulation before its first call, which comes at start (ms). It applies the
// documents to all shards and fails where one of them does not compile.
func New(c Config, start int64) (*Simulation, error) {
	s := &Simulation{config: c, live: map[string]bool{}, now: start, control: 1}
	s.trials.hour = start / unit.HourMillis
	// Shards compile the documents themselves, so the scenario's changes are made in the
	// compiler.
	compile := func(workspace string, d *program.Document) (program.Definition, error) {
		parsed, err := parse.Document(c.Lang, workspace, d)
		if err == nil && parsed.Campaign != nil && c.Prepare != nil {
			c.Prepare(parsed.Campaign)
		}
		return parsed, err
	}
	control := control.Record{K: 1, Apply: &control.Apply{Workspace: Workspace}}
	for i := range c.Documents {
		if c.Documents[i].Scenario != nil {
			continue
		}
		d := c.Documents[i].Document
		d.Version = 1
		if err := s.trials.add(compile, &d, c.Documents[i].Campaign); err != nil {
			return nil, err
		}
		control.Apply.Documents = append(control.Apply.Documents, d)
	}
	record := stream.Record{Kind: stream.KindControl, Data: control.Encode()}
	// The shards recover from an empty store, as new partitions do.
	store := storage.NewMemory()
	for p := range c.Partitions {
		shard := shard.New(shard.Config{Partition: p, Compile: compile, Trace: c.Trace})
		if err := shard.Recover(store); err != nil {
			return nil, err
		}
		s.shards = append(s.shards, shard)
		s.seqs = append(s.seqs, 0)
		if _, err := s.step(p, record); err != nil {
			return nil, err
		}
		// The shard did not take the record, although its documents were checked.
		if shard.Control() != 1 {
			return nil, errors.New("BUG: the definitions were checked and do not apply")
		}
	}
	return s, nil
}

// Call applies a call at its event time, after all timers that are due until then. Times
// must not go back.
func (s *Simulation) Call(e *event.Event) error { return s.CallAt(e, e.Time) }

// CallAt is Call for an event that arrived at log time at (ms), which is not before its
// event time. Times must not go back.
func (s *Simulation) CallAt(e *event.Event, at int64) error {
	if err := s.advance(at); err != nil {
		return err
	}
	s.now = at
	outs, err := s.apply(e)
	if err != nil {
		return err
	}
	if s.config.Progress != nil {
		s.config.Progress()
	}
	return s.hand(outs)
}

// apply gives a call to the shard of its customer, and returns what followed. A broadcast
// has no customer: it goes to all shards, which are ticked until it has reached everyone.
func (s *Simulation) apply(e *event.Event) (outs []output.Output, err error) {
	if e.Customer != "" {
		p := stream.PartitionOf(e.Workspace, e.Customer, len(s.shards))
		out, err := s.step(p, stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)})
		if err != nil {
			return nil, err
		}
		more, err := s.carry(out.Transfers)
		return append([]output.Output{out}, more...), err
	}
	for p, shard := range s.shards {
		record := stream.Record{Kind: stream.KindBroadcast, Data: e.AppendTo(nil)}
		for {
			out, err := s.step(p, record)
			if err != nil {
				return nil, err
			}
			outs = append(outs, out)
			if !shard.HasBulkScan() {
				break
			}
			record = stream.Record{Kind: stream.KindTick}
		}
	}
	return outs, nil
}

// AdvanceTo fires all timers that are due until an instant (ms), inclusive, and leaves the
// clock there. Times must not go back.
func (s *Simulation) AdvanceTo(at int64) error {
	if err := s.advance(at); err != nil {
		return err
	}
	s.now = max(s.now, at)
	return nil
}

// Finish lets the clock run to Config.Until, or while a chain waits. It stops early where
// the chains wait for events only and all remaining timers recur without end. It fails
// where chains wait for longer than maxRun.
func (s *Simulation) Finish() error {
	if s.config.Until != 0 {
		return s.advance(s.config.Until)
	}
	end := s.now + maxRun
	for len(s.live) > 0 {
		due := s.nextDue()
		if due == 0 || !slices.ContainsFunc(s.shards, (*shard.Shard).HasOneShotTimers) {
			return nil
		}
		if due > end {
			return errors.New("chains still wait ten years after the last call; say until when with --until")
		}
		if err := s.advance(due); err != nil {
			return err
		}
	}
	return nil
}

// nextDue returns when the next timer of any shard is due, in ms; 0 where there is none.
func (s *Simulation) nextDue() int64 {
	next := int64(0)
	for _, shard := range s.shards {
		if due := shard.NextDue(); due != 0 && (next == 0 || due < next) {
			next = due
		}
	}
	return next
}

// advance fires all timers due at or before limit, each at its instant, and looks at the
// experiments at the full hours between.
func (s *Simulation) advance(limit int64) error {
	for {
		due := s.nextDue()
		if look := s.nextLook(due, limit); look != 0 {
			if err := s.look(look); err != nil {
				return err
			}
			continue
		}
		if due == 0 || due > limit {
			return nil
		}
		s.now = max(s.now, due)
		var outs []output.Output
		for p, shard := range s.shards {
			for {
				if next := shard.NextDue(); next == 0 || next > s.now {
					break
				}
				out, err := s.step(p, stream.Record{Kind: stream.KindTick})
				if err != nil {
					return err
				}
				outs = append(outs, out)
			}
		}
		if err := s.hand(outs); err != nil {
			return err
		}
	}
}

// step gives shard p one record at the present instant, and then the results of what it
// sent: every delivery arrives at once, unless Config.Reach has an error for it. A dead
// letter is an error here, because in a simulation only a bug or a bad input can cause one.
func (s *Simulation) step(p int, record stream.Record) (output.Output, error) {
	var all output.Output
	records := []stream.Record{record}
	for len(records) > 0 {
		s.seqs[p]++
		in := shard.Input{At: shard.Position{Seq: s.seqs[p]}, Frame: stream.Frame{Time: s.now, Records: records}}
		// The results of one step are the records of the next.
		records = nil
		// A step may do a part of the frame only; it is called until it reports done.
		for done := false; !done; {
			var out effect.Effects
			var err error
			if done, err = s.shards[p].Step(&in, &out); err != nil {
				return all, err
			}
			for i := range out.DeadLetters {
				l := &out.DeadLetters[i]
				return all, fmt.Errorf(
					"customer %s at %s: %s: %s",
					l.Customer,
					unit.FormatTime(l.At),
					l.Reason,
					l.Detail,
				)
			}
			taken := recalled(out.Deliveries)
			for i := range out.Deliveries {
				if d := &out.Deliveries[i]; d.Status == output.HandedOff && taken[d.ID] {
					d.Status, d.Reason = output.StatusDropped, output.ReasonChainEnd
				} else if d.Status == output.HandedOff {
					r := output.Result{
						Workspace: d.Workspace, Customer: d.Customer, Delivery: d.ID, Attempt: d.Attempt,
						Verdict: output.Accepted,
					}
					if s.config.Reach != nil {
						if failure := s.config.Reach(d); failure != nil {
							r.Verdict, r.Detail = output.Permanent, failure.Error()
						}
					}
					records = append(records, stream.Record{Kind: stream.KindResult, Data: r.AppendTo(nil)})
				}
			}
			all.Deliveries = append(all.Deliveries, out.Deliveries...)
			all.Decisions = append(all.Decisions, out.Decisions...)
			all.Chains = append(all.Chains, out.Chains...)
			all.Goals = append(all.Goals, out.Goals...)
			all.Transfers = append(all.Transfers, out.Transfers...)
		}
	}
	return all, nil
}

// recalled returns the deliveries that the same record made and recalled, for example
// through an event that a step emits. No channel would have seen them.
func recalled(all []output.Delivery) map[output.ID]bool {
	var taken map[output.ID]bool
	for i := range all {
		if all[i].Status == output.StatusRecall {
			if taken == nil {
				taken = map[output.ID]bool{}
			}
			taken[all[i].ID] = true
		}
	}
	return taken
}

// leaves reports whether a row is the last one of a chain under an anonymous customer who
// merged.
func leaves(c *output.ChainRow) bool {
	return c.Outcome == output.Moved && customer.Anonymous(c.Customer)
}

// hand gives the sink what followed from one call, or from the timers of one instant, in
// the order that Sink describes. The sort is stable, so the rows of one chain keep their
// own order. Without it the order would depend on the number of partitions.
func (s *Simulation) hand(outs []output.Output) error {
	var all output.Output
	for i := range outs {
		all.Deliveries = append(all.Deliveries, outs[i].Deliveries...)
		all.Decisions = append(all.Decisions, outs[i].Decisions...)
		all.Chains = append(all.Chains, outs[i].Chains...)
		all.Goals = append(all.Goals, outs[i].Goals...)
	}
	slices.SortStableFunc(all.Deliveries, func(a, b output.Delivery) int {
		return place{a.Customer, a.Campaign, a.Entry}.compare(place{b.Customer, b.Campaign, b.Entry})
	})
	slices.SortStableFunc(all.Decisions, func(a, b output.Decision) int {
		return place{a.Customer, a.Campaign, a.Entry}.compare(place{b.Customer, b.Campaign, b.Entry})
	})
	slices.SortStableFunc(all.Chains, func(a, b output.ChainRow) int {
		if leaves(&a) != leaves(&b) { // before the row under the known customer that goes on
			if leaves(&a) {
				return -1
			}
			return 1
		}
		return place{a.Customer, a.Campaign, a.Entry}.compare(place{b.Customer, b.Campaign, b.Entry})
	})
	slices.SortStableFunc(all.Goals, func(a, b output.GoalRow) int {
		return place{a.Customer, a.Campaign, a.Entry}.compare(place{b.Customer, b.Campaign, b.Entry})
	})
	for i := range all.Chains {
		c := &all.Chains[i]
		key := fmt.Sprintf("%s\x00%s\x00%d", c.Campaign, c.Customer, c.Entry)
		if c.Outcome == output.Active {
			s.live[key] = true
		} else {
			delete(s.live, key)
		}
	}
	return s.write(&all)
}

// place is the position of a row among those of one call or instant.
type place struct {
	customer, campaign string
	entry              uint32
}

// compare orders places by customer, campaign and entry number.
func (p place) compare(other place) int {
	return cmp.Or(
		strings.Compare(p.customer, other.customer), strings.Compare(p.campaign, other.campaign),
		cmp.Compare(p.entry, other.entry),
	)
}

// write gives the sink the rows of one call or instant.
func (s *Simulation) write(o *output.Output) error {
	for i := range o.Deliveries {
		if err := s.config.Sink.Delivery(&o.Deliveries[i]); err != nil {
			return err
		}
	}
	for i := range o.Decisions {
		if err := s.config.Sink.Decision(&o.Decisions[i]); err != nil {
			return err
		}
	}
	for i := range o.Chains {
		if err := s.config.Sink.Chain(&o.Chains[i]); err != nil {
			return err
		}
	}
	for i := range o.Goals {
		if err := s.config.Sink.Goal(&o.Goals[i]); err != nil {
			return err
		}
	}
	return nil
}

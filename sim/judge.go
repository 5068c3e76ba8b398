package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// history is what the two streams of a partition hold at the end.
type history struct {
	frames   []shard.Input
	messages []effect.Message
	raw      [][]byte // of the messages
	stored   []int64  // when each message was stored, by the world's clock and not by log time
}

// judge says whether the world that came to rest is right.
func (w *World) judge() {
	if w.err != nil {
		return
	}
	for _, p := range w.parts {
		w.fail(p.rested())
	}
	w.rest()
	for _, p := range w.parts {
		if w.err == nil {
			w.fail(p.defined())
		}
	}
	if w.err != nil {
		return
	}
	rows := map[string]map[place]bool{}
	var hs []*history
	for _, p := range w.parts {
		h, err := p.history()
		if err != nil {
			w.fail(err)
			return
		}
		for _, check := range p.checks() {
			if err := check(h); err != nil {
				w.fail(fmt.Errorf("partition %d: %w", p.number, err))
				return
			}
		}
		p.rows(h, rows)
		hs = append(hs, h)
	}
	if w.opt.Identity.Merges {
		w.fail(w.judgeMerges(hs))
	}
	w.fail(w.judgeDecisions())
	w.fail(w.collect.check(rows))
}

// checks are those of one partition alone.
func (p *partition) checks() []func(*history) error {
	all := []func(*history) error{p.semantics, p.parts, p.replays, p.once}
	if p.w.opt.Identity.Merges { // the model of all together; see judgeMerges
		return all
	}
	return append(all, p.audit, p.sends)
}

// rested says whether an owner has nothing left to do, and has it take a last
// snapshot.
func (p *partition) rested() error {
	n := p.newest()
	if n == nil {
		return fmt.Errorf("partition %d has no owner after the heal", p.number)
	}
	shard := n.owner.Shard
	k, _ := shard.Emitted()
	switch {
	case p.wrong != nil:
		return fmt.Errorf("partition %d never noticed that its log is not the one that was read", p.number)
	case shard.Applied().Seq != last(p.events) || n.owner.Acked() != shard.Applied():
		return fmt.Errorf("liveness: partition %d has applied %d and acknowledged %d of %d frames", p.number,
			shard.Applied().Seq, n.owner.Acked().Seq, last(p.events))
	case n.owner.Busy() || len(p.waiting) > 0 || n.unapplied > 0:
		return fmt.Errorf("liveness: partition %d: owner busy %v, %d frames under way, %d records waiting", p.number,
			n.owner.Busy(), n.unapplied, len(p.waiting))
	case shard.NextDue() != 0:
		return fmt.Errorf(
			"liveness: partition %d has a timer due at %d and rests at %d",
			p.number,
			shard.NextDue(),
			p.w.now,
		)
	case k != last(p.effects):
		return fmt.Errorf("C2: partition %d emitted %d effect messages and has %d", p.number, k, last(p.effects))
	}
	p.w.reach[reachCascade] += shard.MemoryStats().Cascades
	n.owner.Snapshot()
	return nil
}

// defined: the partition has applied every control record once, and has in its
// snapshot the definitions that the last of them left (R12).
func (p *partition) defined() error {
	shard := p.newest().owner.Shard
	if k := uint64(len(p.w.ctl)); shard.Control() != k {
		return fmt.Errorf("partition %d stands at control record %d of %d", p.number, shard.Control(), k)
	}
	stored, err := p.newest().disk.Get(storage.DefinitionsKey(p.number))
	if err != nil {
		return err
	}
	var got map[string]struct {
		Documents []program.Document `json:"documents"`
	}
	if err := json.Unmarshal(stored, &got); err != nil {
		return fmt.Errorf("partition %d: definitions: %w", p.number, err)
	}
	var want []program.Document
	for _, name := range slices.Sorted(maps.Keys(p.w.inForce)) { // by kind and name
		want = append(want, p.w.inForce[name])
	}
	if !reflect.DeepEqual(got[workspace].Documents, want) {
		return fmt.Errorf("partition %d has in force\n  %+v\nand should have\n  %+v", p.number,
			got[workspace].Documents, want)
	}
	return nil
}

func (p *partition) history() (*history, error) {
	h, ctx := &history{}, context.Background()
	for seq := uint64(1); seq <= last(p.events); seq++ {
		m, err := p.events.Get(ctx, seq)
		if err != nil {
			return nil, err
		}
		in, err := shard.DecodeInput(m)
		if err != nil {
			return nil, err
		}
		h.frames = append(h.frames, in)
	}
	for n := uint64(1); n <= last(p.effects); n++ {
		raw, err := p.effects.Get(ctx, n)
		if err != nil {
			return nil, err
		}
		m, err := effect.DecodeMessage(raw.Data)
		if err != nil {
			return nil, err
		}
		if m.N != n {
			return nil, fmt.Errorf("C2: message %d stands at %d of FX_%d", m.N, n, p.number)
		}
		h.messages, h.raw = append(h.messages, m), append(h.raw, raw.Data)
		h.stored = append(h.stored, raw.Time.UnixMilli())
	}
	return h, nil
}

// mostTimers is how many timers one step may fire (R8).
const mostTimers = 10_000

// parts: what timers start in one part of a frame is bounded; what is beyond goes on in
// the next.
func (p *partition) parts(h *history) error {
	type part struct {
		seq  uint64
		part uint32
	}
	entered := map[part]int{}
	for i := range h.messages {
		m := &h.messages[i]
		if m.Part > 0 {
			p.w.mark(reachCut)
		}
		for j := range m.Decisions {
			if d := &m.Decisions[j]; d.Kind == output.Entered && d.EventID == "" {
				entered[part{m.Seq, m.Part}]++
			}
		}
		if n := entered[part{m.Seq, m.Part}]; n > mostTimers {
			return fmt.Errorf("frame %d, part %d: %d timers fired in one step", m.Seq, m.Part, n)
		}
	}
	return nil
}

// once: each event of the log is applied once, and each that ingest acknowledged
// is in the log.
func (p *partition) once(h *history) error {
	type row struct {
		seq   uint64
		index int
	}
	dropped, letters := map[row]output.Kind{}, 0
	for i := range h.messages {
		for j := range h.messages[i].DeadLetters {
			l := &h.messages[i].DeadLetters[j]
			if _, skipped := p.skips[control.RecordPosition{Seq: h.messages[i].Seq, Index: int(l.Index)}]; !skipped {
				return fmt.Errorf("a dead letter: %+v", l)
			}
			letters++
		}
		for _, d := range h.messages[i].Drops {
			dropped[row{h.messages[i].Seq, int(d.Index)}] = d.Reason
		}
	}
	if letters != len(p.skips) {
		return fmt.Errorf("%d dead letters of %d records passed over", letters, len(p.skips))
	}
	seen, passed, now := map[string]bool{}, map[string]bool{}, int64(0)
	fresh := map[string]int64{} // when the id was new, log time
	for i := range h.frames {
		now = max(now, h.frames[i].Frame.Time)
		for j, r := range h.frames[i].Frame.Records {
			if r.Kind != stream.KindEvent {
				continue
			}
			e, err := event.Decode(r.Data)
			if err != nil {
				return err
			}
			id, at := e.Customer+" "+e.ID, row{h.frames[i].At.Seq, j}
			if _, skipped := p.skips[control.RecordPosition{Seq: at.seq, Index: j}]; skipped {
				passed[id] = true
				continue
			}
			again := seen[id] && now < fresh[id]+audit.Duplicates
			if !again {
				seen[id], fresh[id] = true, now
			}
			if e.Type == event.Alias && !again && dropped[at] != "" {
				continue // said again under another id
			}
			if again != (dropped[at] == output.Deduplicate) {
				return fmt.Errorf(
					"event %s in frame %d, record %d: seen before %v, dropped %q",
					id,
					at.seq,
					j,
					again,
					dropped[at],
				)
			}
			if again {
				p.w.mark(reachDuplicate)
			}
		}
	}
	for i := range p.w.load.Calls {
		e := &p.w.load.Calls[i].Event
		if stream.PartitionOf(workspace, e.Customer, len(p.w.parts)) != p.number {
			continue
		}
		if id := e.Customer + " " + e.ID; !p.w.lost[id] && (!p.w.acked[id] || !seen[id] && !passed[id]) {
			return fmt.Errorf("event %s: acknowledged %v, in the log %v", id, p.w.acked[id], seen[id])
		}
	}
	return nil
}

// rows adds the rows that the warehouse must have.
func (p *partition) rows(h *history, want map[string]map[place]bool) {
	add := func(table string, seq uint64, n int, skip map[int]bool) {
		if want[table] == nil {
			want[table] = map[place]bool{}
		}
		for i := range n {
			if !skip[i] {
				want[table][place{p.number, seq, i}] = true
			}
		}
	}
	dropped := map[uint64]map[int]bool{}
	for i := range h.messages {
		m := &h.messages[i]
		retries := map[int]bool{}
		for j := range m.Deliveries {
			retries[j] = m.Deliveries[j].Status == output.HandedOff && m.Deliveries[j].Attempt > 1
		}
		add("deliveries", m.N, len(m.Deliveries), retries)
		add("decisions", m.N, len(m.Decisions), nil)
		add("chain_states", m.N, len(m.Chains), nil)
		add("goals", m.N, len(m.Goals), nil)
		add("dead_letters", m.N, len(m.DeadLetters), nil)
		for _, d := range m.Drops {
			if dropped[m.Seq] == nil {
				dropped[m.Seq] = map[int]bool{}
			}
			dropped[m.Seq][int(d.Index)] = true
		}
	}
	for i := range h.frames {
		in := &h.frames[i]
		skip := map[int]bool{}
		for j := range in.Frame.Records {
			skip[j] = dropped[in.At.Seq][j] || in.Frame.Records[j].Kind != stream.KindEvent
		}
		add("events", in.At.Seq, len(in.Frame.Records), skip)
	}
}

var errReplay = errors.New("C1: a replay of the log gives something else")

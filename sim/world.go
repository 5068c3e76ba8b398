package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/dedupe"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/sim/workload"
	"github.com/nudge-engine/nudge/stream"
)

const (
	workspace = "default"
	traceKept = 50
	// maxRest bounds the occurrences between the heal and rest, maxAll those of all
	// phases, maxTime the time after the heal.
	maxRest = 300_000
	maxAll  = 3_000_000
	maxTime = 3 * 24 * 3_600_000
)

// World is one deployment on one goroutine. Every choice comes from rng.
type World struct {
	opt  Options
	load workload.Workload
	rng  *rand.Rand

	now     int64 // ms
	queue   queue
	healed  bool
	owners  int // that were started, of all partitions
	log     *stream.Memory
	parts   []*partition
	clock   clock
	sink    *dispatcher
	collect *collector

	ctl      [][]byte                    // the control records, in their order
	applied  []workload.Edit             // what is applied before the calls and by each edit
	applies  []control.Apply             // the same, as records say it
	editOf   map[uint64]int              // of applied, by control record
	decider  *decider                    // nil: no experiment is decided
	inForce  map[string]program.Document // after all of them
	programs map[versionKey]program.Definition
	restored time.Time       // what the log stamps while messages are put back
	lost     map[string]bool // of acked, in frames that the log lost and nobody had read
	acked    map[string]bool // customer and id of events that ingest acknowledged
	reach    Reach

	trace struct {
		hash xxhash.Digest
		line []byte
		last []string
	}
	err error
}

// versionKey names a version of a campaign.
type versionKey struct {
	kind    string
	name    string
	version uint32
}

// New is a world before its first instant.
func New(lang *expr.Language, rng *rand.Rand, o Options, load workload.Workload) (*World, error) {
	w := &World{
		opt: o, load: load, rng: rng, now: workload.Start - 1000, programs: map[versionKey]program.Definition{},
		inForce: map[string]program.Document{}, acked: map[string]bool{}, lost: map[string]bool{}, reach: Reach{},
		editOf: map[uint64]int{},
	}
	w.trace.hash.Reset()
	w.log = stream.NewMemory(func() time.Time { return w.stamp() })
	w.record(control.Record{Genesis: &control.Genesis{
		LogID: "sim", Partitions: o.Partitions, Semantics: effect.Semantics, DedupeIDs: dedupe.DefaultIDs,
	}})
	for _, e := range append([]workload.Edit{{Campaigns: load.Campaigns, Policy: load.Policy}}, load.Edits...) {
		if err := w.define(lang, e); err != nil {
			return nil, err
		}
	}
	w.recordApply(0)
	for p := range o.Partitions {
		part := &partition{w: w, number: p, hashes: []uint64{0}, upgrade: upgrade{runs: effect.Semantics}}
		var err error
		if part.events, err = w.log.Open(context.Background(), stream.EventStream(p), streamOptions()); err != nil {
			return nil, err
		}
		if part.effects, err = w.log.Open(context.Background(), stream.EffectStream(p), streamOptions()); err != nil {
			return nil, err
		}
		w.parts = append(w.parts, part)
	}
	w.sink = newDispatcher(w)
	var err error
	w.collect, err = newCollector(w)
	return w, err
}

func streamOptions() stream.Options { return stream.Options{MaxBytes: 1 << 40} }

// Run plays the world to its end and judges it.
func (w *World) Run() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	for _, p := range w.parts {
		p.control(1)
		p.control(2)
		p.start(1, nil)
	}
	last := workload.Start
	for i := range w.load.Calls {
		call := &w.load.Calls[i]
		w.at(call.At, func() { w.call(call) })
		last = max(last, call.At)
	}
	for i := range w.load.Edits {
		w.at(w.load.Edits[i].At, func() { w.edit(i) })
		last = max(last, w.load.Edits[i].At)
	}
	for _, e := range w.load.Erasures {
		w.at(e.At, func() { w.erase(e.Customer) })
		last = max(last, e.At)
	}
	w.decides(last)
	if w.opt.Upgrade {
		for _, p := range w.parts {
			w.at(workload.Start+w.rng.Int64N(last-workload.Start+1), p.tryUpgrade)
		}
	}
	for i := range w.load.Broadcasts {
		call := &w.load.Broadcasts[i]
		w.at(call.At, func() { w.broadcast(call) })
		last = max(last, call.At)
	}
	heal := last
	if !w.opt.HealEarly {
		heal += w.rng.Int64N(w.longest())
	}
	w.at(heal, w.heal)
	w.rest()
	w.checkRest(heal)
	w.judge()
	return w.err
}

// edit applies campaigns again.
func (w *World) edit(i int) {
	w.note("edit %d", i)
	for _, p := range w.parts {
		if n := p.newest(); n != nil && n.owner.Shard.NextDue() != 0 {
			w.mark(reachEdited)
		}
	}
	w.copyControl(w.recordApply(i + 1))
}

// rest runs until nothing is planned any more.
func (w *World) rest() {
	for left, all := maxRest, maxAll; len(w.queue.heap) > 0 && w.err == nil; {
		o := w.queue.pop()
		w.now = max(w.now, o.at)
		o.do()
		if w.healed {
			left--
		}
		if all--; left == 0 || all == 0 {
			w.fail(errors.New("the world does not come to rest"))
		}
	}
}

// heal turns the faults off and brings every partition up.
func (w *World) heal() {
	w.healed = true
	w.note("heal")
	w.clock.heal(w)
	for _, p := range w.parts {
		for len(p.nodes) > 1 {
			p.nodes[0].die()
		}
		if len(p.nodes) == 0 {
			p.start(p.host, p.disk)
		}
	}
}

// stamp is when the log stores a message.
func (w *World) stamp() time.Time {
	if !w.restored.IsZero() {
		return w.restored
	}
	return time.UnixMilli(w.now).UTC()
}

func (w *World) at(at int64, do func()) { w.queue.push(max(at, w.now), do) }

func (w *World) after(d int64, do func()) { w.at(w.now+d, do) }

// delay is how long an answer takes.
func (w *World) delay() int64 {
	if w.opt.Latency == 0 {
		return 0
	}
	return w.rng.Int64N(w.opt.Latency + 1)
}

// hit draws whether a fault comes; none comes after the heal.
func (w *World) hit(r Rate) bool { return r > 0 && !w.healed && w.rng.IntN(1000) < int(r) }

// draw is hit for what is no fault: it goes on after the heal.
func (w *World) draw(r Rate) bool { return r > 0 && w.rng.IntN(1000) < int(r) }

func (w *World) fail(err error) {
	if w.err == nil && err != nil {
		w.err = err
		w.note("FAILED %v", err)
	}
}

// note writes a line of the trace: every decision shows in it.
func (w *World) note(format string, args ...any) {
	line := fmt.Appendf(w.trace.line[:0], "%s ", time.UnixMilli(w.now).UTC().Format("01-02T15:04:05.000"))
	line = fmt.Appendf(line, format, args...)
	w.trace.line = line
	_, _ = w.trace.hash.Write(line) // never fails
	if len(w.trace.last) == traceKept {
		w.trace.last = append(w.trace.last[:0], w.trace.last[1:]...)
	}
	w.trace.last = append(w.trace.last, string(line))
}

// Hash is the hash of the trace; two runs of a seed must agree in it.
func (w *World) Hash() uint64 { return w.trace.hash.Sum64() }

// Trace is the last lines of the trace.
func (w *World) Trace() []string { return w.trace.last }

// Reached is how often each rare situation came about.
func (w *World) Reached() Reach { return w.reach }

// define makes what a control record applies: campaigns and the policy.
func (w *World) define(lang *expr.Language, e workload.Edit) error {
	k := len(w.applied) + 2
	apply := control.Apply{Workspace: workspace}
	put := func(name, text string, needs map[string][]program.Variable) error {
		parsed, err := parse.File(lang, name, []byte(text))
		if err != nil {
			return fmt.Errorf("%w\n%s", err, text)
		}
		doc := parsed[0].Document
		doc.Version, doc.Needs = uint32(k), needs
		compiled, err := parse.Document(lang, workspace, &doc)
		if err != nil {
			return err
		}
		apply.Documents = append(apply.Documents, doc)
		w.inForce[doc.Kind+" "+doc.Name] = doc
		w.programs[versionKey{doc.Kind, doc.Name, doc.Version}] = compiled
		return nil
	}
	if e.Policy != nil {
		if err := put(audit.PolicyName, e.Policy.YAML(), nil); err != nil {
			return err
		}
	}
	e.Campaigns = slices.Clone(e.Campaigns)
	for i := range e.Campaigns {
		e.Campaigns[i].Version = k
		if err := put(e.Campaigns[i].Name, e.Campaigns[i].YAML(), needs(&e.Campaigns[i])); err != nil {
			return err
		}
	}
	w.applied, w.applies = append(w.applied, e), append(w.applies, apply)
	return nil
}

// record appends a control record, and gives its number.
func (w *World) record(c control.Record) int {
	c.K = uint64(len(w.ctl) + 1)
	w.ctl = append(w.ctl, c.Encode())
	return len(w.ctl)
}

// recordApply appends the record that applies what is before the calls (0) or an edit.
func (w *World) recordApply(i int) int {
	k := w.record(control.Record{Apply: &w.applies[i]})
	w.editOf[uint64(k)] = i
	return k
}

// needs are the variables of the messages, as apply finds them in their texts.
func needs(c *audit.Campaign) map[string][]program.Variable {
	var all map[string][]program.Variable
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Send != nil && s.Send.Needs != "" {
			if all == nil {
				all = map[string][]program.Variable{}
			}
			all[s.ID] = []program.Variable{{Path: "trigger.properties." + s.Send.Needs}}
		}
		all = callNeeds(all, &c.Steps[i])
	}
	return all
}

func (w *World) compile(_ string, d *program.Document) (program.Definition, error) {
	p, ok := w.programs[versionKey{d.Kind, d.Name, d.Version}]
	if !ok {
		return program.Definition{}, fmt.Errorf("sim: no version %d of %s %s", d.Version, d.Kind, d.Name)
	}
	return p, nil
}

func (w *World) shard(partition int, limit int64, semantics uint64) *shard.Shard {
	return shard.New(shard.Config{
		Partition: partition, Compile: w.compile, MemoryLimit: limit, Semantics: semantics,
		Skips: maps.Clone(w.parts[partition].skips), EraseKey: []byte(eraseKey),
	})
}

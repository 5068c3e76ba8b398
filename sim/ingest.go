package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/sim/workload"
	"github.com/nudge-engine/nudge/stream"
)

const (
	clockStill = 60_000 // ms, the longest that the writer's clock stands still
	retryPause = 100    // ms until a frame that failed is published again
)

var errLost = errors.New("sim: no answer")

// clock is the writers' clock: the world's, with an offset, and sometimes still.
type clock struct {
	offset int64
	still  int64 // what it shows until then
	until  int64
}

func (c *clock) read(w *World) int64 {
	if w.now < c.until {
		return c.still
	}
	return w.now + c.offset
}

// upset stops the clock for a while, or moves it.
func (c *clock) upset(w *World) {
	if w.now < c.until {
		return
	}
	if w.rng.IntN(2) == 0 {
		c.still, c.until = c.read(w), w.now+w.rng.Int64N(clockStill)
	} else {
		c.offset = w.rng.Int64N(2*w.opt.Jump) - w.opt.Jump
	}
	w.note("clock offset %d still until %d", c.offset, c.until)
	w.wakeAll()
}

// heal has the clock go right from now on.
func (c *clock) heal(w *World) {
	c.until, c.offset = 0, max(c.offset, 0)
	w.wakeAll()
}

func (w *World) wakeAll() {
	for _, p := range w.parts {
		for _, n := range p.nodes {
			n.wake()
		}
	}
}

// partition is one partition of the log, the double of its publisher, and its
// owners.
type partition struct {
	w       *World
	number  int
	events  stream.Stream
	effects stream.Stream

	waiting  []record
	inFlight bool
	logTime  int64 // greatest stamp so far

	nodes   []*node // running, the newest last
	started int     // owners so far
	host    int
	disk    *disk   // of the owner that crashed last
	crashes []int64 // when
	hashes  []uint64
	upgrade upgrade
	poison  *poison
	reached uint64                            // last frame that an owner came to
	skips   control.Skips                     // records that are passed over
	wrong   *rollback                         // the log is not the one that was read
	made    uint64                            // last effect message that the log has had
	erased  map[string]uint64                 // the frame that erased each
	counted map[uint64]audit.ExperimentCounts // by the model, when the decision came
	tallies []audit.ExperimentCounts          // by the model, at the end
	shown   uint64                            // last frame that the warehouse's writer may have read
}

// record is one record to be published. An event is encoded when its frame is
// sealed, because ingest bounds its time by the frame's.
type record struct {
	kind  stream.Kind
	data  []byte
	event *audit.Event
	acked func()
}

// call takes one call in.
func (w *World) call(c *workload.Call) {
	if w.hit(w.opt.Clock) {
		w.clock.upset(w)
	}
	p := w.parts[stream.PartitionOf(workspace, c.Event.Customer, len(w.parts))]
	id := c.Event.Customer + " " + c.Event.ID
	p.add(record{kind: stream.KindEvent, event: &c.Event, acked: func() { w.acked[id] = true }})
}

// broadcast takes in an event for all customers: a copy for each partition.
func (w *World) broadcast(c *workload.Call) {
	for _, p := range w.parts {
		p.add(record{kind: stream.KindBroadcast, event: &c.Event})
	}
}

// control copies control record k into the partition, and a late copy of an earlier one.
func (p *partition) control(k int) {
	data := p.w.ctl[k-1]
	p.add(record{kind: stream.KindControl, data: data})
	if p.w.hit(p.w.opt.CtlTwice) {
		p.add(record{kind: stream.KindControl, data: data})
	}
	if k > 1 && p.w.hit(p.w.opt.CtlTwice) {
		again := p.w.ctl[k-2]
		p.w.after(p.w.rng.Int64N(3_600_000), func() { p.add(record{kind: stream.KindControl, data: again}) })
	}
}

func (p *partition) add(r record) {
	p.waiting = append(p.waiting, r)
	p.send()
}

// send publishes the next frame unless one is in flight (R4).
func (p *partition) send() {
	if p.inFlight || len(p.waiting) == 0 || p.upgrade.draining || p.wrong != nil && p.wrong.found {
		return
	}
	p.inFlight = true
	p.w.after(p.w.delay(), p.publish)
}

func (p *partition) publish() {
	n := p.frameSize()
	refused := p.w.hit(p.w.opt.EvRefused)
	if !refused {
		p.store(p.waiting[:n])
	}
	lied := p.w.hit(p.w.opt.EvLied)
	if lied && !refused {
		p.w.mark(reachLied)
	}
	p.w.after(p.w.delay(), func() {
		if refused || lied {
			p.w.after(retryPause, func() { p.inFlight = false; p.send() })
			return
		}
		done := p.waiting[:n]
		p.waiting = p.waiting[n:]
		p.inFlight = false
		for i := range done {
			if done[i].acked != nil {
				done[i].acked()
			}
		}
		p.send()
	})
}

// frameSize is how many of the waiting records make the next frame.
func (p *partition) frameSize() int {
	n := min(len(p.waiting), p.w.opt.Frame)
	if p.w.opt.SameFrame {
		return n
	}
	seen := map[string]bool{}
	for i := range n {
		e := p.waiting[i].event
		if e == nil || e.Customer == "" {
			continue
		}
		if seen[e.Customer] {
			return i
		}
		seen[e.Customer] = true
	}
	return n
}

// store seals a frame and appends it.
func (p *partition) store(records []record) {
	stamp := p.w.clock.read(p.w)
	var b stream.Builder
	for _, r := range records {
		data := r.data
		if r.event != nil {
			data = p.encode(r.event, stamp)
		}
		b.Add(r.kind, data)
	}
	if stamp < p.logTime {
		p.w.mark(reachClockBack)
	}
	p.logTime = max(p.logTime, stamp)
	p.events.Append(stream.Append{Data: b.Seal(stamp)}, func(seq uint64, err error) {
		p.w.fail(err)
		p.w.note("EV_%d %d at %d: %d records, first of kind %d", p.number, seq, stamp, len(records), records[0].kind)
	})
	for _, n := range p.nodes {
		n.read()
	}
}

func (p *partition) encode(e *audit.Event, stamp int64) []byte {
	out := event.Event{
		Workspace: workspace,
		Customer:  e.Customer,
		ID:        e.ID,
		Type:      event.Track,
		Name:      e.Name,
		Time: min(
			e.Time,
			stamp,
		),
		Historical: e.Historical,
		Properties: p.object(e.Properties),
		Traits:     p.object(e.Traits),
		Context:    p.object(e.Context),
	}
	if e.Type == audit.TypeIdentify {
		out.Type, out.Name = event.Identify, "$identify"
	}
	if e.Type == audit.TypeAlias {
		out.Type, out.Name = event.Alias, "$alias"
	}
	if p.w.opt.Future {
		out.Time = e.Time
	}
	return out.AppendTo(nil)
}

func (p *partition) object(members map[string]any) []byte {
	if members == nil {
		return nil
	}
	b, err := json.Marshal(members)
	if err != nil {
		p.w.fail(fmt.Errorf("sim: %w", err))
	}
	return b
}

func last(s stream.Stream) uint64 {
	info, err := s.Info(context.Background())
	if err != nil {
		panic("BUG: the memory log fails: " + err.Error())
	}
	return info.Last
}

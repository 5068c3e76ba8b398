package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/stream"
)

// maxLost is the most messages that a log loses at once.
const maxLost = 6

// rollback is a tail that a stream lost although somebody had read it: the partition
// must halt, and goes on when the right log is back (R7).
type rollback struct {
	name   string
	stream stream.Stream
	from   uint64 // the last message that is left
	lost   []stream.Message
	saved  bool // the snapshot has read it: no owner may start
	found  bool // the partition has halted: ingest refuses its records
}

// applies says whether an owner has applied frames that are not the right ones.
func (r *rollback) applies(n *node) bool {
	return r.stream == n.p.events && n.owner.Shard.Applied().Seq > r.from
}

// rollBack loses a tail of the events or of the effects, now that no owner runs. Who
// has read it decides what follows: an event frame that is in a snapshot or made
// effects, or an effect that is in a snapshot, must be missed; a frame that nobody
// read cannot be; an effect that is in no snapshot is computed again.
func (p *partition) rollBack(d *disk) {
	if p.wrong != nil || p.inFlight || !p.w.hit(p.w.opt.Rollback) {
		return
	}
	r := &rollback{name: stream.EventStream(p.number), stream: p.events}
	if p.w.rng.IntN(3) == 0 {
		r.name, r.stream = stream.EffectStream(p.number), p.effects
	}
	end := last(r.stream)
	r.from = end - min(end, 1+p.w.rng.Uint64N(maxLost))
	if end == r.from {
		return
	}
	m := d.meta(p.number)
	read := m.Emitted > r.from
	if r.stream == p.events {
		read = m.Applied.Seq > r.from || p.origin() > r.from
		if !read && p.shown > r.from {
			return // only the warehouse has it, and its position is a number alone: nothing notices
		}
	}
	r.lost = p.tail(r.stream, r.from)
	p.made = last(p.effects)
	p.w.fail(p.w.log.Rollback(r.name, r.from))
	p.w.note("%s loses %d..%d, read %v", r.name, r.from+1, end, read)
	switch {
	case read:
		r.saved = r.stream == p.effects || m.Applied.Seq > r.from
		p.wrong = r
		if r.stream == p.events && p.w.rng.IntN(2) == 0 {
			p.w.after(1, func() { p.reuse(r) })
		}
	case r.stream == p.effects:
		p.w.mark(reachAgain)
	default:
		p.w.mark(reachUnread)
		p.renumber(r.from)
		p.hashes = p.hashes[:min(uint64(len(p.hashes)), last(p.effects)+1)]
		p.waiting = append(p.unread(r.lost), p.waiting...)
		p.send()
	}
}

// reuse writes other frames under the lost numbers, before an owner starts. A tick at
// another instant is another frame.
func (p *partition) reuse(r *rollback) {
	for range r.lost {
		if p.wrong == r && !r.found {
			p.store([]record{{kind: stream.KindTick}})
		}
	}
}

// renumber: frames that nobody had read are gone, and their numbers come again; a send
// that an owner allowed at one of them was allowed at the last that is left.
func (p *partition) renumber(left uint64) {
	for i := range p.w.sink.sends {
		s := &p.w.sink.sends[i]
		if stream.PartitionOf(workspace, s.delivery.Customer, len(p.w.parts)) == p.number {
			s.applied = min(s.applied, left)
		}
	}
}

// misses says whether a stream lacks what was read.
func (p *partition) misses() bool { return p.wrong != nil || last(p.effects) < p.made }

// origin is the frame that made the last effect.
func (p *partition) origin() uint64 {
	n := last(p.effects)
	if n == 0 {
		return 0
	}
	from, err := p.effectFrame(n)
	p.w.fail(err)
	return from
}

func (p *partition) tail(s stream.Stream, from uint64) (all []stream.Message) {
	for seq := from + 1; seq <= last(s); seq++ {
		m, err := s.Get(context.Background(), seq)
		p.w.fail(err)
		all = append(all, m)
	}
	return all
}

// records are what frames hold, to be published once more; ticks and claims are gone.
func (p *partition) records(frames []stream.Message) (all []record) {
	for _, m := range frames {
		f, err := stream.DecodeFrame(m.Data)
		p.w.fail(err)
		for _, r := range f.Records {
			if r.Kind != stream.KindTick && r.Kind != stream.KindClaim {
				all = append(all, record{kind: r.Kind, data: slices.Clone(r.Data)})
			}
		}
	}
	return all
}

// unread is what is published again of frames that nobody had read: the control actor
// completes its copies and the dispatcher gives its results again, the events are lost.
func (p *partition) unread(frames []stream.Message) (all []record) {
	for _, r := range p.records(frames) {
		if r.kind != stream.KindEvent {
			all = append(all, r)
			continue
		}
		e, err := event.Decode(r.data)
		p.w.fail(err)
		p.w.lost[e.Customer+" "+e.ID] = true
	}
	return all
}

// noticed says whether an error is the halt that a wrong log must lead to.
func (p *partition) noticed(err error) bool {
	return p.wrong != nil && (errors.Is(err, shard.ErrContinuity) || errors.Is(err, shard.ErrDiverged))
}

// restore puts the right log back and starts an owner. What was published meanwhile is
// published again behind it.
func (p *partition) restore(host int, d *disk) {
	r := p.wrong
	r.found = true
	p.host, p.disk = host, d
	if p.inFlight {
		p.w.after(retryPause, func() { p.restore(host, d) })
		return
	}
	p.w.mark(reachRolled)
	var again []record
	if r.stream == p.events {
		again = p.records(p.tail(r.stream, r.from))
	}
	p.w.fail(p.w.log.Rollback(r.name, r.from))
	for _, m := range r.lost {
		p.w.restored = m.Time
		r.stream.Append(stream.Append{Data: m.Data}, func(_ uint64, err error) { p.w.fail(err) })
	}
	p.w.restored = time.Time{}
	p.w.note("%s is put back", r.name)
	p.wrong = nil
	p.waiting = append(again, p.waiting...)
	p.restart(host, d)
	p.send()
}

package sim

import (
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/stream"
)

// poisonStarts is how many owners a poison record ends before it is passed over (R16).
const poisonStarts = 3

// poison is a record that ends each process that applies it. A partition has one at
// most.
type poison struct {
	place  control.RecordPosition
	starts int
}

// poisoned ends an owner that comes to the poison record and does not know that it is
// to be passed over. Which record it is, is drawn before any owner has come to it.
func (n *node) poisoned(in *shard.Input) bool {
	p := n.p
	// Not where a tail of the log may be lost: the skip would name another record then.
	if p.poison == nil && in.At.Seq > p.reached && n.w.opt.Rollback == 0 && n.w.hit(n.w.opt.Poison) {
		for i := range in.Frame.Records {
			if in.Frame.Records[i].Kind == stream.KindEvent {
				p.poison = &poison{place: control.RecordPosition{Seq: in.At.Seq, Index: i}}
			}
		}
	}
	p.reached = max(p.reached, in.At.Seq)
	if p.poison == nil || p.poison.place.Seq != in.At.Seq {
		return false
	}
	if _, known := n.skips[p.poison.place]; known {
		n.w.mark(reachPassedOver)
		return false
	}
	n.tell("ends with a poison record being applied")
	if p.poison.starts++; p.poison.starts == poisonStarts {
		p.passOver(p.poison.place)
	}
	n.crash()
	return true
}

// passOver writes the control record with which the next owner passes over a record.
func (p *partition) passOver(at control.RecordPosition) {
	const why = "it ended the process three times"
	w := p.w
	skip := control.Skip{Partition: p.number, Seq: at.Seq, Index: at.Index, Why: why}
	k := w.record(control.Record{Skip: &skip})
	if p.skips == nil {
		p.skips = control.Skips{}
	}
	p.skips[at] = why
	w.copyControl(k)
}

func (w *World) copyControl(k int) {
	for _, p := range w.parts {
		p.control(k)
	}
}

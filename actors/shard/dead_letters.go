package shard

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/clip"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/internal/wire"
	"github.com/nudge-engine/nudge/stream"
)

// deadLetters makes dead letters of records that are not applied, and tells the trace of them.
type deadLetters struct{ *partition }

// add makes a dead letter of a record that is not applied, and notes for the
// warehouse that the record has no row.
func (lt *deadLetters) add(index int, r *stream.Record, reason output.Reason, detail string, out *effect.Effects) {
	l := effect.DeadLetter{
		Index: uint32(index), Reason: reason, Detail: clip.Text(detail, effect.MaxDetail),
		Raw: r.Data[:min(len(r.Data), effect.MaxRaw)], At: lt.now,
	}
	if r.Kind == stream.KindEvent || r.Kind == stream.KindTransfer {
		d := wire.NewDecoder(r.Data)
		l.Workspace, l.Customer = d.String(), d.String()
	}
	lt.trace(&l)
	out.DeadLetters = append(out.DeadLetters, l)
	out.Drops = append(out.Drops, effect.Drop{Index: l.Index, Reason: output.Deadletter})
}

// duplicate records in the trace that an event came again.
func (lt *deadLetters) duplicate(e *event.Event) {
	lt.config.Trace.Aside(e.Workspace, e.Customer, lt.now, output.Decision{Kind: output.Deduplicate, EventID: e.ID})
}

// trace records in the trace that a record became a dead letter. For a panic
// runner.run has recorded it already.
func (lt *deadLetters) trace(l *effect.DeadLetter) {
	if l.Reason == output.ReasonPanic {
		return
	}
	lt.config.Trace.Aside(l.Workspace, l.Customer, lt.now, output.Decision{
		Kind: output.Deadletter, Reason: l.Reason, Detail: l.Detail,
	})
}

package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// isSinceEntry says whether a remembered event happened since the chain entered: by event
// time, so that it does not matter which of the two came first. Of one time the order of
// the log decides, where the chain knows it: one that entered under a version without such
// a wait does not.
func (ch *Chain) isSinceEntry(r *Remembered, e, trigger *Event) bool {
	from := ch.entryStart(trigger)
	switch {
	case e.Time != from:
		return e.Time > from
	case ch.behind > 0:
		return r.N >= ch.behind
	}
	return trigger == nil || e.ID != trigger.ID
}

// behindSection keeps where the log stood when a chain entered that may look back.
//
//nudge:constant read only
var behindSection = section[*Chain]{
	tag:    37,
	has:    func(ch *Chain) bool { return ch.behind > 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendUint(b, ch.behind) },
	decode: func(ch *Chain, d *wire.Decoder, _ Names) { ch.behind = d.Uint() },
}

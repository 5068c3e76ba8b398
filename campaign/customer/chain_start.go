package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Start is the instant, by event time in ms, from which events concern a chain: that of
// its trigger event, or the planned instant where time started it. What happened before
// says nothing about the chain, whenever it arrives.
func (ch *Chain) Start(trigger *event.Event) int64 {
	switch {
	case ch.StartedAt != 0:
		return ch.StartedAt
	case trigger != nil:
		return trigger.Time
	}
	return ch.EnteredAt
}

// EntryStart is the start that the chain had at its entry: what a wait "since: entry" goes
// by, also when the chain took a new trigger since.
func (ch *Chain) EntryStart(trigger *event.Event) int64 {
	if ch.FirstStart != 0 {
		return ch.FirstStart
	}
	return ch.Start(trigger)
}

// IsSinceEntry says whether a remembered event happened since the chain entered: by event
// time, so that it does not matter which of the two came first. Of one time the order of
// the log decides, where the chain knows it: one that entered under a version without such
// a wait does not.
func (ch *Chain) IsSinceEntry(r *RecentEvent, e, trigger *event.Event) bool {
	from := ch.EntryStart(trigger)
	switch {
	case e.Time != from:
		return e.Time > from
	case ch.Behind > 0:
		return r.N >= ch.Behind
	}
	return trigger == nil || e.ID != trigger.ID
}

// startSection keeps the instant at which time started a chain.
//
//nudge:constant read only
var startSection = section[*Chain]{
	tag:    38,
	has:    func(ch *Chain) bool { return ch.StartedAt != 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendInt(b, ch.StartedAt) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.StartedAt = d.Int() },
}

// firstStartSection keeps the start that a chain had at its entry.
//
//nudge:constant read only
var firstStartSection = section[*Chain]{
	tag:    39,
	has:    func(ch *Chain) bool { return ch.FirstStart != 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendInt(b, ch.FirstStart) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.FirstStart = d.Int() },
}

// behindSection keeps where the log stood when a chain entered that may look back.
//
//nudge:constant read only
var behindSection = section[*Chain]{
	tag:    37,
	has:    func(ch *Chain) bool { return ch.Behind > 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendUint(b, ch.Behind) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.Behind = d.Uint() },
}

package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// start is the instant, by event time in ms, from which events concern a chain: that of
// its trigger event, or the planned instant where time started it. What happened before
// says nothing about the chain, whenever it arrives.
func (ch *Chain) start(trigger *Event) int64 {
	switch {
	case ch.startedAt != 0:
		return ch.startedAt
	case trigger != nil:
		return trigger.Time
	}
	return ch.EnteredAt
}

// entryStart is the start that the chain had at its entry: what a wait "since: entry" goes
// by, also when the chain took a new trigger since.
func (ch *Chain) entryStart(trigger *Event) int64 {
	if ch.firstStart != 0 {
		return ch.firstStart
	}
	return ch.start(trigger)
}

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

// startSection keeps the instant at which time started a chain.
//
//nudge:constant read only
var startSection = section[*Chain]{
	tag:    38,
	has:    func(ch *Chain) bool { return ch.startedAt != 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendInt(b, ch.startedAt) },
	decode: func(ch *Chain, d *wire.Decoder, _ Names) { ch.startedAt = d.Int() },
}

// firstStartSection keeps the start that a chain had at its entry.
//
//nudge:constant read only
var firstStartSection = section[*Chain]{
	tag:    39,
	has:    func(ch *Chain) bool { return ch.firstStart != 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendInt(b, ch.firstStart) },
	decode: func(ch *Chain, d *wire.Decoder, _ Names) { ch.firstStart = d.Int() },
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

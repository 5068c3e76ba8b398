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

package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Start returns the instant, by event time in ms, from which events concern the chain. It is the time
// of its trigger event, or the planned instant where time started the chain. Events before it say
// nothing about the chain, however late they arrive. trigger is the decoded ch.Trigger, nil where there
// is none.
func (ch *Chain) Start(trigger *event.Event) int64 {
	switch {
	case ch.StartedAt != 0:
		return ch.StartedAt
	case trigger != nil:
		return trigger.Time
	}
	return ch.EnteredAt
}

// EntryStart returns the start that the chain had at its entry. Waits with "since: entry" count from
// it, also when the chain took a new trigger event since.
func (ch *Chain) EntryStart(trigger *event.Event) int64 {
	if ch.FirstStart != 0 {
		return ch.FirstStart
	}
	return ch.Start(trigger)
}

// IsSinceEntry reports whether the remembered event r, decoded as e, happened since the chain entered.
// It compares event times, so it does not matter which of the two arrived first. For an event of the
// same millisecond the order of the log decides, where the chain knows it (Behind); a chain that
// entered under a version without such a wait does not, and excludes only its trigger event.
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

// startSection stores Chain.StartedAt, the instant at which time started a chain, as a section of
// the stored customer.
//
//nudge:constant read only
var startSection = section[*Chain]{
	tag:    38,
	has:    func(ch *Chain) bool { return ch.StartedAt != 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendInt(b, ch.StartedAt) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.StartedAt = d.Int() },
}

// firstStartSection stores Chain.FirstStart, the start that a chain had at its entry.
//
//nudge:constant read only
var firstStartSection = section[*Chain]{
	tag:    39,
	has:    func(ch *Chain) bool { return ch.FirstStart != 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendInt(b, ch.FirstStart) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.FirstStart = d.Int() },
}

// behindSection stores Chain.Behind, the first remembered event after the chain's entry.
//
//nudge:constant read only
var behindSection = section[*Chain]{
	tag:    37,
	has:    func(ch *Chain) bool { return ch.Behind > 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendUint(b, ch.Behind) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.Behind = d.Uint() },
}

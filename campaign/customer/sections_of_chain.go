package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/wire"
)

// replySection stores the reply to the last call for which a chain waited.
//
//nudge:constant read only
var replySection = section[*Chain]{
	tag:    35,
	has:    func(ch *Chain) bool { return len(ch.Reply) > 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendBytes(b, ch.Reply) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.Reply = d.Bytes() },
}

// partlySentSection marks chains that rest in a deferred send of which another channel was handed off
// before (Held.Sent). It came later than heldSection, whose bytes must not change.
//
//nudge:constant read only
var partlySentSection = section[*Chain]{
	tag:    60,
	has:    func(ch *Chain) bool { return ch.Held != nil && ch.Held.Sent },
	append: func(_ *Chain, b []byte) []byte { return b },
	decode: func(ch *Chain, _ *wire.Decoder, _ event.Names) {
		if ch.Held != nil { // its section comes before this one
			ch.Held.Sent = true
		}
	},
}

// variantSection keeps the variants of a chain.
//
//nudge:constant read only
var variantSection = section[*Chain]{
	tag: 30,
	has: func(ch *Chain) bool { return len(ch.Variants) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		return output.AppendVariants(b, ch.Variants)
	},
	decode: func(ch *Chain, d *wire.Decoder, names event.Names) {
		ch.Variants = output.DecodeSharedVariants(d, names)
	},
}

// plannedSection stores Chain.Planned, the version by which a chain's timer was planned, where that
// is not the one under which the chain last ran.
//
//nudge:constant read only
var plannedSection = section[*Chain]{
	tag:    33,
	has:    func(ch *Chain) bool { return ch.Planned > ch.Version },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendUint(b, uint64(ch.Planned)) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.Planned = uint32(d.Uint()) },
}

// hasCurrency reports whether one of the goals that the chain reached has a currency.
func (ch *Chain) hasCurrency() bool {
	for i := range ch.Goals {
		if ch.Goals[i].Currency != "" {
			return true
		}
	}
	return false
}

// currencySection stores the currencies of Goals, in their order. It came later than the goals
// themselves, whose stored form must not change.
//
//nudge:constant read only
var currencySection = section[*Chain]{
	tag: 42,
	has: (*Chain).hasCurrency,
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(ch.Goals)))
		for i := range ch.Goals {
			b = wire.AppendString(b, ch.Goals[i].Currency)
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names event.Names) {
		for i := range d.Count(1) {
			if currency := names.Of(d.Bytes()); i < len(ch.Goals) {
				ch.Goals[i].Currency = currency
			}
		}
	},
}

// heldOutSection marks chains of the control group.
//
//nudge:constant read only
var heldOutSection = section[*Chain]{
	tag:    10,
	has:    func(ch *Chain) bool { return ch.HeldOut },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendBool(b, ch.HeldOut) },
	decode: func(ch *Chain, d *wire.Decoder, _ event.Names) { ch.HeldOut = d.Bool() },
}

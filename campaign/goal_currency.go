package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// hasCurrency says whether one of the goals that a chain reached has a currency.
func (ch *Chain) hasCurrency() bool {
	for i := range ch.Goals {
		if ch.Goals[i].Currency != "" {
			return true
		}
	}
	return false
}

// currencySection keeps the currencies of the goals that a chain reached, in their order.
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
	decode: func(ch *Chain, d *wire.Decoder, names Names) {
		for i := range d.Count(1) {
			if currency := names.of(d.Bytes()); i < len(ch.Goals) {
				ch.Goals[i].Currency = currency
			}
		}
	},
}

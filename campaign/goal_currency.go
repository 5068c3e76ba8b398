package campaign

import (
	"strings"

	"github.com/nudge-engine/nudge/internal/wire"
)

// CurrencyCode is the currency of an amount as sums are told apart by it: shops write USD,
// payment services usd, and both are one sum. What is no code of three letters stays as it
// is, without the spaces around it.
func CurrencyCode(text string) string {
	text = strings.TrimSpace(text)
	if len(text) != 3 {
		return text
	}
	for _, c := range []byte(text) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return text
		}
	}
	return strings.ToUpper(text)
}

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

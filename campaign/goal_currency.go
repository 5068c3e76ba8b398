package campaign

import "strings"

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

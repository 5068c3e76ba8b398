package simulate

import (
	"maps"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Revenue is the value of goals in their one currency, as a decimal. It is empty, and null
// in JSON, where there are several currencies; then only Revenues has figures.
type Revenue string

// MarshalJSON implements json.Marshaler.
func (r Revenue) MarshalJSON() ([]byte, error) {
	if r == "" {
		return []byte("null"), nil
	}
	return []byte(r), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Revenue) UnmarshalJSON(text []byte) error {
	if *r = Revenue(text); *r == "null" {
		*r = ""
	}
	return nil
}

// Revenues has the values of goals by currency, as a JSON object; "" is the key of amounts
// without a currency. It is empty where there is at most one currency. Amounts in different
// currencies have no sum.
type Revenues string

// MarshalJSON implements json.Marshaler.
func (r Revenues) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Revenues) UnmarshalJSON(text []byte) error {
	*r = Revenues(text)
	return nil
}

// Money returns the value of the campaign's goals for people, each currency on its own.
func (s *Summary) Money() string { return s.purse.String() }

// Purse is a sum of amounts, each currency on its own. The zero value is empty.
type Purse struct{ sums map[string]unit.Money }

// Add adds an amount in a currency. A sum outside the range of Money stays at its end. A
// zero without a currency is ignored: a goal without a value would otherwise add a currency
// without a name.
func (p *Purse) Add(currency string, amount unit.Money) {
	if amount == 0 && currency == "" {
		return
	}
	if p.sums == nil {
		p.sums = map[string]unit.Money{}
	}
	p.sums[currency] = p.sums[currency].Plus(amount)
}

// Figures returns the sums as Revenue, where there is one currency or none, or else as
// Revenues.
func (p *Purse) Figures() (one Revenue, several Revenues) {
	names := p.names()
	if len(names) == 0 {
		return "0", ""
	}
	if len(names) == 1 {
		return Revenue(p.sums[names[0]].String()), ""
	}
	text := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(jsonvalue.AppendString(text, name), ':')
		text = append(text, p.sums[name].String()...)
	}
	return "", Revenues(append(text, '}'))
}

// String returns the sums for people: "10 EUR, 5.5 USD", or the amount alone where there is
// one currency.
func (p *Purse) String() string {
	names := p.names()
	if one, _ := p.Figures(); one != "" {
		return string(one)
	}
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = strings.TrimSpace(p.sums[name].String() + " " + name)
	}
	return strings.Join(words, ", ")
}

// names returns the currencies in order.
func (p *Purse) names() []string { return slices.Sorted(maps.Keys(p.sums)) }

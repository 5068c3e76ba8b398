package simulate

import (
	"maps"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Revenue is the value of goals in their one currency, a decimal; empty, and null in JSON,
// where there are several: then only Revenues has figures.
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

// Revenues are the values of goals by currency, as a JSON object ("": none is given); empty
// where there is one currency or none. Amounts in different currencies have no sum.
type Revenues string

// MarshalJSON implements json.Marshaler.
func (r Revenues) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Revenues) UnmarshalJSON(text []byte) error {
	*r = Revenues(text)
	return nil
}

// Money is the value of the campaign's goals as people read it, each currency on its own.
func (s *Summary) Money() string { return s.purse.String() }

// Purse adds amounts up, each currency on its own.
type Purse struct{ sums map[string]unit.Money }

// Add adds an amount of a currency; the sum stays at the end of the range where it would
// leave it. A zero without a currency is nothing.
func (p *Purse) Add(currency string, amount unit.Money) {
	if amount == 0 && currency == "" {
		return
	}
	if p.sums == nil {
		p.sums = map[string]unit.Money{}
	}
	p.sums[currency] = p.sums[currency].Plus(amount)
}

// Figures are the sums, as Revenue and Revenues say.
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

// String is the sums as people read them: "10 EUR, 5.5 USD"; the amount alone where there
// is one.
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

func (p *Purse) names() []string { return slices.Sorted(maps.Keys(p.sums)) }

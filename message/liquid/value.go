package liquid

import (
	"encoding/json"
	"strings"

	"github.com/shopspring/decimal"
)

// The values of a template are nil, bool, string, Number, []any, Object, map[string]any
// (names given by the caller), and inside of a rendering ranges and loops.

// Object is a JSON object whose members are in the order of its text, so that the same
// input always gives the same message.
type Object []Member

// Member is one member of an object.
type Member struct {
	Name  string
	Value any
}

// of returns the member with a name; nil where there is none. Objects are small, so they
// are searched.
func (o Object) of(name string) any {
	for i := range o {
		if o[i].Name == name {
			return o[i].Value
		}
	}
	return nil
}

// Number is an exact decimal number.
type Number struct {
	decimal.Decimal
	// Whole is true for a number without a point. The quotient of two of them is whole.
	Whole bool
}

// String returns the number as people write it: 1234567.5 and not 1.2345675e+06.
func (n Number) String() string { return n.Decimal.String() }

// NumberOf returns the Number that a JSON number is; the text itself where it has more
// digits than a Number may have.
func NumberOf(text string) any {
	if n, ok := parseNumber(text); ok {
		return n
	}
	return text
}

// parseNumber reads a number in the form of JSON, with spaces around it. ok is false where
// text is none or has too many digits: computing with it and printing it must be cheap. A
// number such as 1e300 is accepted, 1e999999999 is not.
func parseNumber(text string) (Number, bool) {
	text = strings.TrimSpace(text)
	// The decimal library accepts more forms, such as a leading plus sign or point.
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' || len(text) > 2*maxDigits {
		return Number{}, false
	}
	d, err := decimal.NewFromString(text)
	if err != nil || !bounded(d) {
		return Number{}, false
	}
	return Number{Decimal: d, Whole: !strings.ContainsAny(text, ".eE")}, true
}

// bounded reports whether a number has at most maxDigits digits on each side of the point.
func bounded(d decimal.Decimal) bool {
	const bitsPerDigit = 4 // more than there are
	// The exponent bounds the digits that printing adds; the coefficient has those that are
	// written.
	exponent := int(d.Exponent())
	return exponent >= -maxDigits && exponent <= maxDigits && d.Coefficient().BitLen() <= 2*maxDigits*bitsPerDigit
}

// integers is the range low..high. Its elements are made only when they are needed.
type integers struct{ low, high int }

// len returns the number of elements; 0 where high is below low.
func (i integers) len() int { return max(0, i.high-i.low+1) }

// loop is the variable forloop, or tablerowloop.
type loop struct {
	name string
	// index is the number of the present turn, from 0.
	index  int
	length int
	parent *loop
	// row is true for tablerow, cols is its number of columns.
	row  bool
	cols int
}

// of returns a member of the variable as Liquid defines it; nil for other names. index and
// col count from 1, index0 and col0 from 0; rindex and rindex0 count down to 1 and 0.
func (l *loop) of(name string) any {
	switch name {
	case "name":
		return l.name
	case "length":
		return count(l.length)
	case "index":
		return count(l.index + 1)
	case "index0":
		return count(l.index)
	case "rindex":
		return count(l.length - l.index)
	case "rindex0":
		return count(l.length - l.index - 1)
	case "first":
		return l.index == 0
	case "last":
		return l.index == l.length-1
	case "parentloop":
		if l.parent != nil {
			return l.parent
		}
	}
	// The rest is of tablerow only.
	if !l.row {
		return nil
	}
	switch name {
	case "row":
		return count(l.index/l.cols + 1)
	case "col":
		return count(l.index%l.cols + 1)
	case "col0":
		return count(l.index % l.cols)
	case "col_first":
		return l.index%l.cols == 0
	case "col_last":
		return l.index%l.cols == l.cols-1 || l.index == l.length-1
	}
	return nil
}

// count returns n as a Number.
func count(n int) Number { return Number{Decimal: decimal.NewFromInt(int64(n)), Whole: true} }

// truth reports whether a value counts as true: every value but nil and false does, as in
// Liquid.
func truth(v any) bool { return v != nil && v != false }

// text returns a value as it is printed: nil as nothing, the elements of a list one after
// the other, an object as JSON. Its cost is charged, also that of the texts of elements.
func (r *run) text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		r.read(len(v))
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	case Number:
		// Printing a number may make all of its digits.
		r.read(maxDigits)
		return v.String()
	case integers:
		return r.text(count(v.low)) + ".." + r.text(count(v.high))
	case []any:
		var b strings.Builder
		for _, x := range v {
			s := r.text(x)
			r.make(len(s))
			b.WriteString(s)
		}
		return b.String()
	case Object, map[string]any, *loop:
		return r.json(v)
	}
	panic("BUG: a value of a template has no text")
}

// json returns a value as JSON. Objects keep their order.
func (r *run) json(v any) string {
	var b strings.Builder
	r.appendJSON(&b, v)
	return b.String()
}

// appendJSON writes a value as JSON to b, and charges for each value before it writes it. A
// root, such as customer, is null: it has no fixed content, only what was captured.
func (r *run) appendJSON(b *strings.Builder, v any) {
	// Brackets, commas and the like.
	r.make(itemBytes)
	switch v := v.(type) {
	case Object:
		b.WriteByte('{')
		for i := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			r.appendJSON(b, v[i].Name)
			b.WriteByte(':')
			r.appendJSON(b, v[i].Value)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			r.appendJSON(b, x)
		}
		b.WriteByte(']')
	case integers:
		r.appendJSON(b, r.list(v))
	case Number:
		r.make(maxDigits)
		b.WriteString(v.String())
	case string:
		const mostPerByte = 6 // \u0000
		r.make(mostPerByte * len(v))
		text, err := json.Marshal(v)
		if err != nil {
			fail("json: %v", err)
		}
		b.Write(text)
	case bool:
		b.WriteString(r.text(v))
	case nil, map[string]any, *loop:
		b.WriteString("null")
	default:
		panic("BUG: a value of a template has no JSON")
	}
}

// list returns a value as a list that must not be changed, because it may be the value
// itself. A range is made, an object becomes pairs of name and value, nil is an empty list,
// and any other value is a list of itself.
func (r *run) list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		r.step(1)
		return v
	case integers:
		n := v.len()
		r.items(n)
		all := make([]any, n)
		for i := range all {
			all[i] = count(v.low + i)
		}
		return all
	case Object:
		// A pair is a list of two, so an object costs three elements for each member.
		r.items(3 * len(v))
		all := make([]any, len(v))
		for i := range v {
			all[i] = []any{v[i].Name, v[i].Value}
		}
		return all
	default:
		return []any{v}
	}
}

// number returns a value as a number, also a text that is one. For any other value it ends
// the rendering with an error that names the filter. Liquid would take 0, and the message
// would state a wrong amount.
func (r *run) number(filter string, v any) Number {
	switch v := v.(type) {
	case Number:
		return v
	case string:
		r.read(len(v))
		if n, ok := parseNumber(v); ok {
			return n
		}
		fail("%s: %q is no number", filter, clip(v))
	case nil:
		fail("%s: there is no value", filter)
	}
	fail("%s: %s is no number", filter, kindOf(v))
	return Number{}
}

// integer returns a value as a whole number that counts something; fractions are cut off.
func (r *run) integer(what string, v any) int {
	n := r.number(what, v)
	if n.Abs().Cmp(decimal.NewFromInt(maxInteger)) > 0 {
		exceed("%s: a number beyond %d", what, maxInteger)
	}
	return int(n.Truncate(0).IntPart())
}

// clip shortens a text for an error.
func clip(s string) string {
	const most = 40
	if letters := []rune(s[:min(len(s), 4*most)]); len(letters) > most {
		return string(letters[:most]) + "..."
	}
	return s
}

// kindOf names the type of a value in the words of the messages for authors. It is also the
// filter "type".
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "true or false"
	case string:
		return "a text"
	case Number:
		return "a number"
	case []any, integers:
		return "a list"
	case Object, map[string]any, *loop:
		return "an object"
	}
	return "a value"
}

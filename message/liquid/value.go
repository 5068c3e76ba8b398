package liquid

import (
	"encoding/json"
	"strings"

	"github.com/shopspring/decimal"
)

// The values of a template are nil, bool, string, Number, []any, Object, map[string]any
// (names given by the caller), and inside of a rendering ranges and loops.

// Object is a JSON object in the order of its text, so that the same input gives the same
// message.
type Object []Member

// Member is one member of an object.
type Member struct {
	Name  string
	Value any
}

// of is a member of an object, nil where there is none.
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
	// Whole says that it is written without a point: two of them are divided without rest.
	Whole bool
}

// String prints a number as people write it: 1234567.5 and not 1.2345675e+06.
func (n Number) String() string { return n.Decimal.String() }

// NumberOf is a number of JSON; one with more digits than a message can print is the text.
func NumberOf(text string) any {
	if n, ok := parseNumber(text); ok {
		return n
	}
	return text
}

// parseNumber reads a number, in bounds, so that calculating and printing it are cheap.
func parseNumber(text string) (Number, bool) {
	text = strings.TrimSpace(text)
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

// bounded says whether a number has few enough digits on both sides of the point.
func bounded(d decimal.Decimal) bool {
	const bitsPerDigit = 4 // more than there are
	exponent := int(d.Exponent())
	return exponent >= -maxDigits && exponent <= maxDigits && d.Coefficient().BitLen() <= 2*maxDigits*bitsPerDigit
}

// integers is low..high, which is made only as far as it is walked.
type integers struct{ low, high int }

func (i integers) len() int { return max(0, i.high-i.low+1) }

// loop is the variable forloop.
type loop struct {
	name   string
	index  int // from 0
	length int
	parent *loop
	row    bool // of tablerow
	cols   int
}

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

func count(n int) Number { return Number{Decimal: decimal.NewFromInt(int64(n)), Whole: true} }

// truth says whether a value counts as true: all but nil and false do.
func truth(v any) bool { return v != nil && v != false }

// text is a value as it is printed.
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

// json is a value as JSON, objects in their order.
func (r *run) json(v any) string {
	var b strings.Builder
	r.appendJSON(&b, v)
	return b.String()
}

func (r *run) appendJSON(b *strings.Builder, v any) {
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

// list is a value as a list: a range made, an object as pairs, any other value alone.
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

// number is a value as a number.
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

// integer is a value as a whole number that counts something.
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

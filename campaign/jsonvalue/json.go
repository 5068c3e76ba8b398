package jsonvalue

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/valyala/fastjson"
)

// Lazy is a JSON object that is parsed when it is first read. Most events are never read by an
// expression, so most of them are never parsed. A Lazy is reused for one object after the other to keep
// the memory of its parser. The zero value is an absent object.
type Lazy struct {
	// raw is the text of the object. It belongs to the caller and must not change before the next
	// Reset.
	raw    []byte
	parser fastjson.Parser
	// value is the parsed object, nil while parsed is false and where raw is no JSON. It lives in the
	// memory of parser.
	value  *fastjson.Value
	parsed bool
}

// Reset makes l the object with the text raw; nil or empty means absent. It invalidates every value
// that was read from l before.
func (l *Lazy) Reset(raw []byte) { l.raw, l.value, l.parsed = raw, nil, false }

// Object returns the parsed object, or nil where the text is absent, broken, or JSON of another type.
// The result is valid until the next Reset.
func (l *Lazy) Object() *fastjson.Object {
	if !l.parsed {
		l.parsed = true
		if len(l.raw) > 0 {
			if v, err := l.parser.ParseBytes(l.raw); err == nil {
				l.value = v
			}
		}
	}
	if l.value == nil {
		return nil
	}
	o, err := l.value.Object()
	if err != nil {
		return nil
	}
	return o
}

// Get returns the member named key, or nil where there is none.
func (l *Lazy) Get(key string) *fastjson.Value {
	o := l.Object()
	if o == nil {
		return nil
	}
	return o.Get(key)
}

// At returns the value at a dotted path such as "cart.total", or nil where there is none. A member
// whose own name is the whole path has precedence: some senders flatten nested objects into names with
// dots.
func (l *Lazy) At(path string) *fastjson.Value {
	v := l.Get(path)
	if v != nil || strings.IndexByte(path, '.') < 0 {
		return v
	}
	return l.value.Get(strings.Split(path, ".")...)
}

// SortedKeys returns the distinct keys of o in byte order. JSON allows a key to occur twice in the
// text; it is listed once.
func SortedKeys(o *fastjson.Object) []string {
	keys := make([]string, 0, o.Len())
	o.Visit(func(k []byte, _ *fastjson.Value) { keys = append(keys, string(k)) })
	sort.Strings(keys)
	// Drop repetitions in place: keys[:n] are the distinct keys so far.
	n := 0
	for i, k := range keys {
		if i == 0 || k != keys[n-1] {
			keys[n] = k
			n++
		}
	}
	return keys[:n]
}

// AppendCanonical appends v to b as JSON without spaces and with the keys of objects sorted, so that
// equal objects have equal bytes. Of a key that occurs twice the first value is taken. Numbers keep the
// text in which they were sent: 1 and 1.0 stay different.
func AppendCanonical(b []byte, v *fastjson.Value) []byte {
	switch v.Type() {
	case fastjson.TypeObject:
		o := v.GetObject()
		b = append(b, '{')
		for i, k := range SortedKeys(o) {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendString(b, k)
			b = append(b, ':')
			b = AppendCanonical(b, o.Get(k))
		}
		return append(b, '}')
	case fastjson.TypeArray:
		b = append(b, '[')
		for i, e := range v.GetArray() {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendCanonical(b, e)
		}
		return append(b, ']')
	case fastjson.TypeString:
		return AppendString(b, string(v.GetStringBytes()))
	default:
		return v.MarshalTo(b)
	}
}

// hexDigits are the digits of the \u escapes that AppendString writes.
const hexDigits = "0123456789abcdef"

// AppendString appends s to b as a JSON string. It escapes only what JSON requires, that is, quotes,
// backslashes and control characters, so that every text has exactly one form. s must be valid UTF-8.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// Merge returns the object old with the members of update set on it. A member that is null in update is
// removed. Members are replaced whole; nested objects are not merged. The result is canonical, and nil
// where no member is left.
//
// old may be nil. Where update is no JSON object, old is returned unchanged; where old is none, it
// counts as empty.
func Merge(old, update []byte) []byte {
	var po, pu fastjson.Parser
	u, err := pu.ParseBytes(update)
	if err != nil || u.Type() != fastjson.TypeObject {
		return old
	}
	var base *fastjson.Object
	if len(old) > 0 {
		if v, err := po.ParseBytes(old); err == nil {
			base = v.GetObject()
		}
	}
	changes := u.GetObject()
	keys := SortedKeys(changes)
	if base != nil {
		keys = append(keys, SortedKeys(base)...)
		sort.Strings(keys)
	}
	merged := []byte{'{'}
	// Both key lists are sorted together, so a key of both occurs twice in a row and is handled once.
	for i, k := range keys {
		if i > 0 && k == keys[i-1] {
			continue
		}
		v := changes.Get(k)
		if v == nil && base != nil {
			v = base.Get(k)
		}
		if v == nil || v.Type() == fastjson.TypeNull {
			continue
		}
		if len(merged) > 1 {
			merged = append(merged, ',')
		}
		merged = append(AppendString(merged, k), ':')
		merged = AppendCanonical(merged, v)
	}
	if len(merged) == 1 {
		return nil
	}
	return append(merged, '}')
}

// Equal reports whether two JSON values mean the same: 1 equals 1.0, 1 does not equal "1", and the
// order of members does not matter. A nil value equals nothing, not even nil.
func Equal(a, b *fastjson.Value) bool {
	if a == nil || b == nil || a.Type() != b.Type() {
		return false
	}
	if a.Type() == fastjson.TypeNumber {
		// Whole numbers are compared exactly; as doubles two large ids that differ would be equal.
		x, errX := a.Int64()
		y, errY := b.Int64()
		if errX == nil && errY == nil {
			return x == y
		}
		return a.GetFloat64() == b.GetFloat64()
	}
	switch a.Type() {
	case fastjson.TypeArray:
		x, y := a.GetArray(), b.GetArray()
		return slices.EqualFunc(x, y, Equal)
	case fastjson.TypeObject:
		x, y := a.GetObject(), b.GetObject()
		keys := SortedKeys(x)
		return slices.Equal(keys, SortedKeys(y)) && !slices.ContainsFunc(keys, func(k string) bool {
			return !Equal(x.Get(k), y.Get(k))
		})
	default:
		return bytes.Equal(AppendCanonical(nil, a), AppendCanonical(nil, b))
	}
}

// Member returns the member of o with a name, or nil where o is nil or has no such member.
func Member(o *fastjson.Object, name string) *fastjson.Value {
	if o == nil {
		return nil
	}
	return o.Get(name)
}

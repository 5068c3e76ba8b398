package jsonvalue

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/valyala/fastjson"
)

// Lazy parses a raw JSON object when it is first looked at, and keeps its
// parser's memory for the next.
type Lazy struct {
	raw    []byte
	parser fastjson.Parser
	value  *fastjson.Value
	parsed bool
}

// Reset points l at other JSON.
func (l *Lazy) Reset(raw []byte) { l.raw, l.value, l.parsed = raw, nil, false }

// Object is the parsed object; nil when the bytes are absent or no object.
// It is valid until the next reset.
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

// Get is a member of the object, nil when missing.
func (l *Lazy) Get(key string) *fastjson.Value {
	o := l.Object()
	if o == nil {
		return nil
	}
	return o.Get(key)
}

// At is what a dotted path leads to, nil when missing. A member whose own name is the path
// comes before the members of members.
func (l *Lazy) At(path string) *fastjson.Value {
	v := l.Get(path)
	if v != nil || strings.IndexByte(path, '.') < 0 {
		return v
	}
	return l.value.Get(strings.Split(path, ".")...)
}

// SortedKeys are the distinct keys of o in byte order.
func SortedKeys(o *fastjson.Object) []string {
	keys := make([]string, 0, o.Len())
	o.Visit(func(k []byte, _ *fastjson.Value) { keys = append(keys, string(k)) })
	sort.Strings(keys)
	n := 0
	for i, k := range keys {
		if i == 0 || k != keys[n-1] {
			keys[n] = k
			n++
		}
	}
	return keys[:n]
}

// AppendCanonical appends v as JSON whose objects have sorted keys, so that
// equal values have equal bytes. Numbers keep their text.
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

const hexDigits = "0123456789abcdef"

// AppendString appends s quoted, escaping only what JSON requires. s is valid UTF-8.
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

// Merge lays the members of update over those of old; a null removes its
// member. The result is canonical, nil when empty. What is no object changes
// nothing.
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

// Equal compares two JSON values by value: 1 equals 1.0, "1" does not.
func Equal(a, b *fastjson.Value) bool {
	if a == nil || b == nil || a.Type() != b.Type() {
		return false
	}
	if a.Type() == fastjson.TypeNumber {
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

// Member returns a member of an object; nil where o is nil or has no such member.
func Member(o *fastjson.Object, name string) *fastjson.Value {
	if o == nil {
		return nil
	}
	return o.Get(name)
}

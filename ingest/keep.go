package ingest

import (
	"bytes"

	"github.com/valyala/fastjson"
)

// keep copies bytes into the arena, which lives as long as the events. The copy is valid
// JSON of the same value.
func (d *decoder) keep(v *fastjson.Value) []byte {
	start := len(d.arena)
	d.arena = v.MarshalTo(d.arena)
	if bytes.IndexByte(d.arena[start:], '\\') >= 0 {
		// MarshalTo escapes as Go does, which for some characters is no JSON.
		d.arena = appendJSON(d.arena[:start], v)
	}
	return d.arena[start:len(d.arena):len(d.arena)]
}

// appendJSON appends v, the members of objects in their order.
func appendJSON(b []byte, v *fastjson.Value) []byte {
	switch v.Type() {
	case fastjson.TypeObject:
		b = append(b, '{')
		first := true
		v.GetObject().Visit(func(key []byte, member *fastjson.Value) {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(appendJSONText(b, key), ':')
			b = appendJSON(b, member)
		})
		return append(b, '}')
	case fastjson.TypeArray:
		b = append(b, '[')
		for i, element := range v.GetArray() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, element)
		}
		return append(b, ']')
	case fastjson.TypeString:
		return appendJSONText(b, v.GetStringBytes())
	default: // numbers keep their text
		return v.MarshalTo(b)
	}
}

// appendJSONText appends s quoted; what JSON does not need escaped stays as it is.
func appendJSONText(b, s []byte) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range s {
		switch {
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

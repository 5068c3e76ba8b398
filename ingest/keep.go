package ingest

import (
	"bytes"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/internal/wire"
)

// keep copies a value into the arena, which lives as long as the events, and returns the copy:
// valid JSON of the same value. Its capacity ends with it, so that an append cannot overwrite
// what follows.
func (d *decoder) keep(v *fastjson.Value) []byte {
	start := len(d.arena)
	d.arena = v.MarshalTo(d.arena)
	if bytes.IndexByte(d.arena[start:], '\\') >= 0 {
		// MarshalTo escapes as Go does, which for some characters is no JSON.
		d.arena = appendJSON(d.arena[:start], v)
	}
	return d.arena[start:len(d.arena):len(d.arena)]
}

// appendJSON appends v, the members of objects in their order. Numbers keep their text, for a
// double would lose digits.
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
			b = append(jsonvalue.AppendString(b, wire.Alias(key)), ':')
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
	// Escaped as JSON wants it, and not as Go writes texts.
	case fastjson.TypeString:
		return jsonvalue.AppendString(b, wire.Alias(v.GetStringBytes()))
	default: // numbers keep their text
		return v.MarshalTo(b)
	}
}

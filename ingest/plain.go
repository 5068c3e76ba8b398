package ingest

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/valyala/fastjson"
)

// fewKeys is up to how many keys of an object are compared one with another; more are sorted
// first, so that an object with many keys is not quadratic.
const fewKeys = 16

// plain refuses what two readers of one text may understand in two ways: a key that an object
// has twice, and a number that no double holds. The text is kept as it came, and rules,
// warehouse and channels each read it for themselves. It returns nil when there is nothing of
// the kind; paths begin with a dot.
func (d *decoder) plain(v *fastjson.Value) *FieldError {
	switch v.Type() {
	case fastjson.TypeNumber:
		if f, err := v.Float64(); err != nil || math.IsInf(f, 0) {
			return &FieldError{Code: codeFormat, Message: "the number is too large"}
		}
	case fastjson.TypeArray:
		for n, element := range v.GetArray() {
			if wrong := d.plain(element); wrong != nil {
				return wrong.within(fmt.Sprintf("[%d]", n))
			}
		}
	case fastjson.TypeObject:
		return d.plainObject(v.GetObject())
	// Texts, booleans and null mean one thing.
	default:
	}
	return nil
}

// plainObject is plain for an object, whose keys are part of the path.
func (d *decoder) plainObject(o *fastjson.Object) (wrong *FieldError) {
	if wrong := d.twice(o); wrong != nil {
		return wrong
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		if wrong != nil {
			return
		}
		if wrong = d.plain(v); wrong != nil {
			wrong = wrong.within("." + named(key))
		}
	})
	return wrong
}

// twice returns an error for a key that an object has more than once.
func (d *decoder) twice(o *fastjson.Object) *FieldError {
	// The keys are on the stack: kept in d, each would cost the garbage collector a write
	// barrier.
	var room [fewKeys][]byte
	keys := room[:0]
	o.Visit(func(key []byte, _ *fastjson.Value) { keys = append(keys, key) })
	// Sorted, equal keys are neighbours.
	if len(keys) > fewKeys {
		slices.SortFunc(keys, bytes.Compare)
	}
	for n, key := range keys {
		others := keys[n+1:]
		if len(keys) > fewKeys {
			others = others[:min(1, len(others))]
		}
		for _, other := range others {
			if bytes.Equal(key, other) {
				return &FieldError{
					Path: "." + named(key), Code: codeDuplicate,
					Message: "the object has this key twice",
				}
			}
		}
	}
	return nil
}

// named returns a key as it is shown in a path; the empty one shows as quotes.
func named(key []byte) string {
	if len(key) == 0 {
		return `""`
	}
	return clip(string(key), maxName)
}

// within puts the name of what the value is in before the path.
func (f *FieldError) within(outer string) *FieldError {
	f.Path = clip(outer+f.Path, maxName)
	return f
}

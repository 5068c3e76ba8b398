package expr

import (
	"math"
	"strconv"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
)

// maxValueDepth bounds how deeply a value that an expression made may nest, for example [[[...]]].
// The same depth bounds expressions, so only nested loops reach it.
const maxValueDepth = 32

// AppendValue appends a CEL value as JSON whose objects have sorted keys, so that equal values have
// equal bytes in the log. A time becomes an RFC 3339 text in UTC. depth is 0 for the caller and
// counts the levels of lists. ok is false for what JSON cannot say: NaN, infinity, durations,
// bytes, maps that the expression wrote, and what nests too deeply; then b may end in a part of the
// value.
func AppendValue(b []byte, v ref.Val, depth int) (_ []byte, ok bool) {
	if depth > maxValueDepth {
		return b, false
	}
	switch x := v.(type) {
	case types.String:
		return jsonvalue.AppendString(b, string(x)), true
	case types.Bool:
		return strconv.AppendBool(b, bool(x)), true
	case types.Int:
		return strconv.AppendInt(b, int64(x), 10), true
	case types.Uint:
		return strconv.AppendUint(b, uint64(x), 10), true
	case types.Double:
		if f := float64(x); !math.IsInf(f, 0) && !math.IsNaN(f) {
			return strconv.AppendFloat(b, f, 'f', -1, 64), true
		}
		return b, false
	case types.Null:
		return append(b, "null"...), true
	case types.Timestamp:
		return jsonvalue.AppendString(b, x.UTC().Format(time.RFC3339Nano)), true
	case jsonMap:
		if x.o == nil {
			return append(b, "{}"...), true
		}
		b = append(b, '{')
		for i, k := range jsonvalue.SortedKeys(x.o) {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsonvalue.AppendCanonical(append(jsonvalue.AppendString(b, k), ':'), x.o.Get(k))
		}
		return append(b, '}'), true
	case traits.Lister:
		b = append(b, '[')
		for i, it := 0, x.Iterator(); it.HasNext() == types.True; i++ {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = AppendValue(b, it.Next(), depth+1); !ok {
				return b, false
			}
		}
		return append(b, ']'), true
	default:
		return b, false
	}
}

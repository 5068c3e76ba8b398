package program

import (
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
)

// Is reports whether a JSON value (nil: missing) equals the literal; a nil literal accepts any
// value. Null equals a missing value only.
func (l *Literal) Is(v *fastjson.Value) bool {
	if l == nil {
		return true
	}
	want, err := fastjson.Parse(l.JSON)
	if err != nil || want.Type() == fastjson.TypeNull {
		return v == nil && err == nil
	}
	return jsonvalue.Equal(want, v)
}

// Literal is a JSON scalar of a definition, as text; null stands for a missing value.
type Literal struct{ JSON string }

package program

import (
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
)

// Is says whether a value (nil: none) is the literal's; no literal takes any.
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

// Literal is a JSON scalar of a definition; null stands for a missing value.
type Literal struct{ JSON string }

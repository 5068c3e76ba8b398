package campaign

import "github.com/valyala/fastjson"

// is says whether a value (nil: none) is the literal's; no literal takes any.
func (l *Literal) is(v *fastjson.Value) bool {
	if l == nil {
		return true
	}
	want, err := fastjson.Parse(l.JSON)
	if err != nil || want.Type() == fastjson.TypeNull {
		return v == nil && err == nil
	}
	return equalJSON(want, v)
}

// Literal is a JSON scalar of a definition; null stands for a missing value.
type Literal struct{ JSON string }

package jsonvalue

import (
	"strings"

	"github.com/valyala/fastjson"
)

// YesOrNo reads what forms and CRMs write for a boolean: true and false, the numbers 1 and
// 0, and the words true, false, yes, no, 1, 0 in any case, with spaces around. ok is false
// for anything else, a missing value (nil) among it: then nobody agreed to anything.
func YesOrNo(v *fastjson.Value) (yes, ok bool) {
	text, scalar := Text(v)
	if !scalar {
		return false, false
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "yes", "1":
		return true, true
	case "false", "no", "0":
		return false, true
	}
	return false, false
}

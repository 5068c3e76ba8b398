package jsonvalue

import (
	"strings"

	"github.com/valyala/fastjson"
)

// YesOrNo reads the forms in which web forms and CRM systems send a boolean: true and false, the
// numbers 1 and 0, and the words true, false, yes, no, 1, 0 in any case and with spaces around them. ok
// is false for anything else, including a missing value (nil). Callers must treat that as "not said"
// and never as consent.
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

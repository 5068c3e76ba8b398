package expr

import (
	"math"
	"strconv"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
)

// Keys, and what match compares, are identifiers: the same one is a number in a shop's
// webhook and a text on its page. Both are compared as text.

// textOfDouble replaces CEL's string(x) of a double: a whole number has all its digits, as in keys
// and matches. CEL writes 12345678 as 1.2345678e+07, and all numbers of events are doubles, ids and
// telephone numbers among them.
func textOfDouble(v ref.Val) ref.Val {
	d, ok := v.(types.Double)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	if f := float64(d); f == math.Trunc(f) && math.Abs(f) < jsonvalue.MaxWholeText {
		return types.String(strconv.FormatFloat(f+0, 'f', -1, 64)) // -0 is 0
	}
	return d.ConvertToType(types.StringType)
}

// KeyFromValue returns the text of a key that an expression yields; ok is false for lists, objects,
// times and null. The number 17 and the text "17" are the same key.
func KeyFromValue(v ref.Val) (key string, ok bool) {
	switch k := v.(type) {
	case types.String:
		return string(k), true
	case types.Double:
		if k == 0 {
			return "0", true // also where it is negative
		}
		return strconv.FormatFloat(float64(k), 'f', -1, 64), true
	case types.Int:
		return strconv.FormatInt(int64(k), 10), true
	case types.Uint:
		return strconv.FormatUint(uint64(k), 10), true
	case types.Bool:
		return strconv.FormatBool(bool(k)), true
	}
	return "", false
}

// pathOf returns the names of an expression that only selects, the variable first:
// event.properties.order.id -> ["event", "properties", "order", "id"]. It returns nil for any
// other.
func pathOf(x celast.Expr) []string {
	var names []string
	for ; x.Kind() == celast.SelectKind && !x.AsSelect().IsTestOnly(); x = x.AsSelect().Operand() {
		names = append([]string{x.AsSelect().FieldName()}, names...)
	}
	if x.Kind() != celast.IdentKind || len(names) < 2 {
		return nil
	}
	return append([]string{x.AsIdent()}, names...)
}

// ValueAt returns the JSON value at a path of at least three names, as Expr.Path has it: nil when
// it is missing, or not a member of properties, context or traits. It is the value as sent; CEL
// would turn its numbers into doubles.
func (s *Scope) ValueAt(path []string) *fastjson.Value {
	var o *fastjson.Object
	switch path[0] + "." + path[1] {
	case "event.properties":
		o = s.Event.Props.Object()
	case "event.context":
		o = s.Event.Context.Object()
	case "trigger.properties":
		o = s.Trigger.Props.Object()
	case "trigger.context":
		o = s.Trigger.Context.Object()
	case "customer.traits":
		o = s.Customer.Traits.Object()
	}
	if o == nil {
		return nil
	}
	v := o.Get(path[2])
	if v == nil || len(path) == 3 {
		return v
	}
	return v.Get(path[3:]...)
}

package trace

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types/ref"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/clip"
)

// MaxFact bounds one value of a trace, in bytes.
const MaxFact = 500

// exprParts is an expression taken apart for a trace.
type exprParts struct {
	Reads []*expr.Expr // the names that it reads, in the order written, each once
	Tree  exprNode     // what it is composed of
}

// exprNode is a part of an expression: a conjunction or disjunction of others, or neither.
type exprNode struct {
	expr *expr.Expr
	Of   []exprNode // none for what is neither
}

// Unmet adds the smallest parts because of which a part does not hold.
func (n *exprNode) Unmet(s *expr.Scope, all []string) []string {
	if n.expr == nil {
		return all
	}
	if holds, _ := n.expr.Holds(s); holds {
		return all
	}
	if len(n.Of) == 0 {
		return append(all, n.expr.Source)
	}
	for i := range n.Of {
		all = n.Of[i].Unmet(s, all)
	}
	return all
}

// TextFact is a text.
func TextFact(name, text string) Fact {
	return Fact{Name: name, Value: string(jsonvalue.AppendString(nil, text))}
}

// NumberFact is a whole number.
func NumberFact[T ~int | ~int64 | ~uint32 | ~uint64](name string, n T) Fact {
	return Fact{Name: name, Value: strconv.FormatInt(int64(n), 10)}
}

// FloatFact is a decimal number.
func FloatFact(name string, v float64) Fact {
	return Fact{Name: name, Value: strconv.FormatFloat(v, 'f', -1, 64)}
}

// TimeFact is an instant, ms since 1970.
func TimeFact(name string, ms int64) Fact {
	if ms == 0 {
		return Fact{Name: name}
	}
	return TextFact(name, unit.FormatTime(ms))
}

// SpanFact writes a duration with as many units as it takes: 1d2h0m5s is 1d2h5s.
func SpanFact(name string, ms int64) Fact {
	var b []byte
	rest := ms
	if rest < 0 {
		b, rest = append(b, '-'), -rest
	}
	for _, u := range [...]struct {
		name string
		unit int64
	}{{"d", unit.DayMillis}, {"h", unit.HourMillis}, {"m", 60_000}, {"s", 1000}, {"ms", 1}} {
		if rest >= u.unit {
			b = append(strconv.AppendInt(b, rest/u.unit, 10), u.name...)
			rest %= u.unit
		}
	}
	if ms == 0 {
		b = append(b, "0s"...)
	}
	return TextFact(name, string(b))
}

// TruthFact is true or false.
func TruthFact(name string, yes bool) Fact { return Fact{Name: name, Value: strconv.FormatBool(yes)} }

// JSONFact is a value as JSON has it.
func JSONFact(name string, v *fastjson.Value) Fact {
	if v == nil {
		return Fact{Name: name}
	}
	return Fact{Name: name, Value: clip.Text(string(jsonvalue.AppendCanonical(nil, v)), MaxFact)}
}

// FactValue returns a value of an expression as JSON; the name of its type where JSON has none.
func FactValue(v ref.Val) string {
	b, ok := expr.AppendValue(nil, v, 0)
	if !ok {
		return string(jsonvalue.AppendString(nil, v.Type().TypeName()))
	}
	if len(b) > MaxFact {
		return string(jsonvalue.AppendString(nil, clip.Text(string(b), MaxFact)+"..."))
	}
	return string(b)
}

// Apart takes an expression apart, once a source.
func (t *Trace) Apart(source string) *exprParts {
	if parts := t.parts[source]; parts != nil {
		return parts
	}
	parts := new(exprParts)
	t.parts[source] = parts
	parsed, issues := t.lang.Env.Parse(source)
	if issues != nil && issues.Err() != nil {
		return parts
	}
	tree := parsed.NativeRep()
	var reads []string
	collectReads(tree.Expr(), &reads)
	for _, text := range reads {
		if e, err := t.lang.Compile(text, nil); err == nil {
			parts.Reads = append(parts.Reads, e)
		}
	}
	parts.Tree = t.node(tree.Expr(), tree.SourceInfo())
	return parts
}

// node is a part of an expression with what it is composed of.
func (t *Trace) node(x celast.Expr, info *celast.SourceInfo) (n exprNode) {
	text, err := cel.ExprToString(x, info)
	if err != nil {
		return n
	}
	if n.expr, err = t.lang.Compile(text, nil); err != nil {
		return exprNode{}
	}
	if x.Kind() != celast.CallKind {
		return n
	}
	if f := x.AsCall().FunctionName(); f == "_&&_" || f == "_||_" {
		for _, arg := range x.AsCall().Args() {
			n.Of = append(n.Of, t.node(arg, info))
		}
	}
	return n
}

// collectReads adds the names that an expression reads, the longest ones.
func collectReads(x celast.Expr, all *[]string) {
	if text, ok := readPath(x); ok {
		if named := strings.ContainsAny(text, ".[") || text == "now"; named && !slices.Contains(*all, text) {
			*all = append(*all, text)
		}
		return
	}
	each := func(children ...celast.Expr) {
		for _, child := range children {
			collectReads(child, all)
		}
	}
	switch x.Kind() {
	case celast.SelectKind:
		each(x.AsSelect().Operand())
	case celast.CallKind:
		if x.AsCall().IsMemberFunction() {
			each(x.AsCall().Target())
		}
		each(x.AsCall().Args()...)
	case celast.ListKind:
		each(x.AsList().Elements()...)
	case celast.MapKind:
		for _, entry := range x.AsMap().Entries() {
			each(entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
	case celast.ComprehensionKind:
		c := x.AsComprehension()
		each(c.IterRange(), c.LoopStep(), c.Result())
	default: // literals, and names that a loop gives
	}
}

// readPath is the text of a name of the language: a variable, what is selected of it by
// constants, or one of its functions.
func readPath(x celast.Expr) (text string, ok bool) {
	switch x.Kind() {
	case celast.IdentKind:
		name := x.AsIdent()
		return name, slices.Contains([]string{"event", "trigger", "customer", "chain", "now"}, name)
	case celast.SelectKind:
		text, ok = readPath(x.AsSelect().Operand())
		return text + "." + x.AsSelect().FieldName(), ok
	case celast.CallKind:
		return callPath(x.AsCall())
	default:
		return "", false
	}
}

func callPath(call celast.CallExpr) (text string, ok bool) {
	args := make([]string, 0, len(call.Args()))
	of := call.Args()
	if call.FunctionName() == "_[_]" {
		of = of[1:]
	}
	for _, arg := range of {
		if arg.Kind() != celast.LiteralKind {
			return "", false
		}
		args = append(args, FactValue(arg.AsLiteral()))
	}
	switch call.FunctionName() {
	case "_[_]":
		text, ok = readPath(call.Args()[0])
		return text + "[" + strings.Join(args, ", ") + "]", ok
	case "count", "sum", "first", "last", "tagged":
		if !call.IsMemberFunction() {
			return "", false
		}
		text, ok = readPath(call.Target())
		return text + "." + call.FunctionName() + "(" + strings.Join(args, ", ") + ")", ok && text == "customer"
	default:
		return "", false
	}
}

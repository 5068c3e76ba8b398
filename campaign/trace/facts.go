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

// MaxFact is the greatest length in bytes of one value in a trace. Longer ones are cut.
const MaxFact = 500

// exprParts is an expression taken apart for a trace.
type exprParts struct {
	// Reads has the names that the expression reads, as expressions that can be evaluated, in the order
	// in which they are written, each once.
	Reads []*expr.Expr
	// Tree is the expression as a tree of conjunctions and disjunctions.
	Tree exprNode
}

// exprNode is a part of an expression: a conjunction or disjunction of other parts, or a condition that
// is neither.
type exprNode struct {
	// expr is the part compiled on its own; nil where that is not possible, as inside a comprehension.
	expr *expr.Expr
	// Of has the parts of a conjunction or disjunction; nil for any other condition.
	Of []exprNode
}

// Unmet appends to all the source of the smallest conditions because of which the part does not hold in
// scope s. It appends nothing where the part holds.
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

// TextFact returns a fact whose value is a text.
func TextFact(name, text string) Fact {
	return Fact{Name: name, Value: string(jsonvalue.AppendString(nil, text))}
}

// NumberFact returns a fact whose value is a whole number.
func NumberFact[T ~int | ~int64 | ~uint32 | ~uint64](name string, n T) Fact {
	return Fact{Name: name, Value: strconv.FormatInt(int64(n), 10)}
}

// FloatFact returns a fact whose value is a decimal number.
func FloatFact(name string, v float64) Fact {
	return Fact{Name: name, Value: strconv.FormatFloat(v, 'f', -1, 64)}
}

// TimeFact returns a fact whose value is an instant, given in ms since the Unix epoch; the value is
// missing for 0.
func TimeFact(name string, ms int64) Fact {
	if ms == 0 {
		return Fact{Name: name}
	}
	return TextFact(name, unit.FormatTime(ms))
}

// SpanFact returns a fact whose value is a duration, given in ms. It is written with as many units as
// it takes, and may be negative: 93,605,000 ms is "1d2h5s".
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

// TruthFact returns a fact whose value is true or false.
func TruthFact(name string, yes bool) Fact { return Fact{Name: name, Value: strconv.FormatBool(yes)} }

// JSONFact returns a fact whose value is v, cut to MaxFact bytes; it is missing for nil.
func JSONFact(name string, v *fastjson.Value) Fact {
	if v == nil {
		return Fact{Name: name}
	}
	return Fact{Name: name, Value: clip.Text(string(jsonvalue.AppendCanonical(nil, v)), MaxFact)}
}

// FactValue returns the value of an expression as JSON; the name of its type for values that JSON does
// not have; and for values over MaxFact bytes their beginning as a text.
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

// Apart returns the parts of an expression. They are computed once for each source and kept in the
// trace. They are empty where the source cannot be parsed.
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
	// What does not compile on its own, such as a name that a comprehension binds, is left out.
	for _, text := range reads {
		if e, err := t.lang.Compile(text, nil); err == nil {
			parts.Reads = append(parts.Reads, e)
		}
	}
	parts.Tree = t.node(tree.Expr(), tree.SourceInfo())
	return parts
}

// node returns the part of an expression that x is, with the parts of which it is composed. It writes x
// back as text and compiles it, so that each part can be evaluated on its own.
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

// collectReads appends to all the names that an expression reads. Of customer.traits.name it takes the
// whole, not the parts.
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

// readPath returns the text of a name of the language: a variable, a member that constants select from
// it, or a function of the customer. ok is false for any other expression.
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

// callPath is readPath for calls: the index operator, and the functions of the customer, with constant
// arguments.
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

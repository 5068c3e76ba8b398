package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/nudge-engine/nudge/campaign/customer"
)

// source is where the value of a term comes from. Its order is that of the cost of a look-up:
// IndexBuilder prefers the earlier of two that select equally well.
type source uint8

const (
	ofProperties source = iota // event.properties.NAME
	ofContext                  // event.context.NAME
	ofTraits                   // customer.traits.NAME
	ofTags                     // customer.tagged("NAME")
	ofCounter                  // how often the counter of that id counted
	// sources is the number of sources.
	sources
)

// fieldRef names a value that terms look at. name is that of the property, trait or tag, or the id
// of a counter.
type fieldRef struct {
	of   source
	name string
}

// termKind says what a term compares.
type termKind uint8

const (
	termOther   termKind = iota // none of the others; CEL evaluates it, and may fail
	termQuiet                   // none of the others; CEL evaluates it, and fails only for a missing value
	termHas                     // the value is there
	termEqual                   // it equals the literal
	termDiffers                 // it differs from the literal
	termIn                      // it equals one of the literals
	// The ranges: the value is less than the literal, and so on. They come last, so that ranges is one
	// comparison.
	termLess
	termAtMost
	termMore
	termAtLeast
)

// conjunct is one of the expressions that a predicate joins with &&; "term" for short.
type conjunct struct {
	kind     termKind
	field    fieldRef
	literals []ref.Val // one; of termIn at least one, all texts or all numbers
}

// terms are the conjuncts of a predicate, from left to right, up to the first that is not plain.
// For example, event.properties.a == 1 && customer.traits.b in ["x", "y"] has two: termEqual and
// termIn.
type terms struct {
	all []conjunct
	// bounded says that no term was left out: none loops, so evaluating the predicate cannot exceed
	// the limit of work.
	bounded bool
}

// termsOf takes a checked predicate apart.
func termsOf(checked *celast.AST) terms {
	t := terms{bounded: true}
	t.take(checked, checked.Expr())
	return t
}

// take appends the conjuncts of x.
func (t *terms) take(checked *celast.AST, x celast.Expr) {
	if !t.bounded {
		return
	}
	if x.Kind() == celast.CallKind && x.AsCall().FunctionName() == "_&&_" {
		for _, arg := range x.AsCall().Args() {
			t.take(checked, arg)
		}
		return
	}
	if made, ok := termOf(x); ok {
		t.all = append(t.all, made)
		return
	}
	if !plain(x) {
		t.bounded = false
		return
	}
	kind := termOther
	if quiet(checked, x) && checked.GetType(x.ID()).Kind() == types.BoolKind {
		kind = termQuiet
	}
	t.all = append(t.all, conjunct{kind: kind})
}

// termOf recognises has(X), customer.tagged("X") and comparisons of a field with literals. 5 < X is
// turned round to X > 5. ok is false for anything else.
func termOf(x celast.Expr) (conjunct, bool) {
	if x.Kind() == celast.SelectKind && x.AsSelect().IsTestOnly() {
		at, ok := placeOf(x.AsSelect().Operand(), x.AsSelect().FieldName())
		return conjunct{kind: termHas, field: at}, ok
	}
	if x.Kind() != celast.CallKind {
		return conjunct{}, false
	}
	call := x.AsCall()
	if call.FunctionName() == "tagged" && call.IsMemberFunction() {
		name, ok := literalText(call.Args()[0])
		return conjunct{kind: termHas, field: fieldRef{ofTags, name}}, ok
	}
	kind, ok := comparisons[call.FunctionName()]
	if !ok || len(call.Args()) != 2 {
		return conjunct{}, false
	}
	left, right := call.Args()[0], call.Args()[1]
	if kind == termIn {
		return termIsIn(left, right)
	}
	if left.Kind() == celast.LiteralKind {
		left, right, kind = right, left, flipped[kind]
	}
	at, ok := valuePlace(left)
	if !ok || right.Kind() != celast.LiteralKind {
		return conjunct{}, false
	}
	t := conjunct{kind: kind, field: at, literals: []ref.Val{right.AsLiteral()}}
	return t, t.comparable()
}

// comparisons are the operators that terms are made of.
//
//nudge:constant read only
var comparisons = map[string]termKind{
	"_==_": termEqual, "_!=_": termDiffers, "@in": termIn,
	"_<_": termLess, "_<=_": termAtMost, "_>_": termMore, "_>=_": termAtLeast,
}

// flipped is the comparison that holds when the two sides change places.
//
//nudge:constant read only
var flipped = map[termKind]termKind{
	termEqual: termEqual, termDiffers: termDiffers,
	termLess: termMore, termAtMost: termAtLeast, termMore: termLess, termAtLeast: termAtMost,
}

// comparable says whether the literal is one that the kind of term can work with.
func (t *conjunct) comparable() bool {
	switch t.literals[0].(type) {
	case types.String:
		return t.field.of != ofCounter
	case types.Double, types.Int, types.Uint:
		return true
	case types.Bool, types.Null:
		return t.field.of != ofCounter && !t.ranges()
	}
	return false
}

// ranges says whether a term bounds a value.
func (t *conjunct) ranges() bool { return t.kind >= termLess }

// termIsIn recognises X in ["a", "b"]. A list of texts and numbers together is left to CEL.
func termIsIn(left, right celast.Expr) (conjunct, bool) {
	at, ok := valuePlace(left)
	if !ok || right.Kind() != celast.ListKind || right.AsList().Size() == 0 {
		return conjunct{}, false
	}
	t := conjunct{kind: termIn, field: at}
	texts := 0
	for _, e := range right.AsList().Elements() {
		if e.Kind() != celast.LiteralKind {
			return conjunct{}, false
		}
		switch e.AsLiteral().(type) {
		case types.String:
			texts++
		case types.Double, types.Int, types.Uint:
		default:
			return conjunct{}, false
		}
		t.literals = append(t.literals, e.AsLiteral())
	}
	if texts != 0 && texts != len(t.literals) || texts > 0 && at.of == ofCounter {
		return conjunct{}, false
	}
	return t, true
}

// valuePlace recognises a value: X.NAME, X["NAME"], or a counter without a window.
func valuePlace(x celast.Expr) (fieldRef, bool) {
	if x.Kind() == celast.SelectKind && !x.AsSelect().IsTestOnly() {
		return placeOf(x.AsSelect().Operand(), x.AsSelect().FieldName())
	}
	if x.Kind() != celast.CallKind {
		return fieldRef{}, false
	}
	call := x.AsCall()
	switch {
	case call.FunctionName() == "_[_]":
		if name, ok := literalText(call.Args()[1]); ok {
			return placeOf(call.Args()[0], name)
		}
	case call.FunctionName() == "count" && call.IsMemberFunction() && len(call.Args()) == 1:
		name, ok := literalText(call.Args()[0])
		return fieldRef{ofCounter, customer.CounterID(name, "")}, ok
	}
	return fieldRef{}, false
}

// placeOf is the place of a member of event.properties, event.context or customer.traits.
func placeOf(object celast.Expr, name string) (fieldRef, bool) {
	if object.Kind() != celast.SelectKind || object.AsSelect().IsTestOnly() {
		return fieldRef{}, false
	}
	of := object.AsSelect().Operand()
	if of.Kind() != celast.IdentKind {
		return fieldRef{}, false
	}
	switch of.AsIdent() + "." + object.AsSelect().FieldName() {
	case "event.properties":
		return fieldRef{ofProperties, name}, true
	case "event.context":
		return fieldRef{ofContext, name}, true
	case "customer.traits":
		return fieldRef{ofTraits, name}, true
	}
	return fieldRef{}, false
}

// literalText returns the value of a text literal.
func literalText(x celast.Expr) (string, bool) {
	if x.Kind() != celast.LiteralKind {
		return "", false
	}
	text, ok := x.AsLiteral().(types.String)
	return string(text), ok
}

// plain says that an expression neither loops nor calls a function that might have effects. Only
// such a term may be skipped when another one is false: a loop can exceed the limit of work, which
// is recorded, and crash() of the fault harness must run.
func plain(x celast.Expr) bool {
	ok := true
	celast.PostOrderVisit(x, celast.NewExprVisitor(func(x celast.Expr) {
		switch x.Kind() {
		case celast.ComprehensionKind:
			ok = false
		case celast.CallKind:
			call := x.AsCall()
			name := call.FunctionName()
			operator := name[0] == '_' || name[0] == '!' || name[0] == '-' || name[0] == '@'
			ok = ok && (operator || call.IsMemberFunction() || conversions[name])
		default:
		}
	}))
	return ok
}

// conversions are the functions of CEL that are called without a receiver.
//
//nudge:constant read only
var conversions = map[string]bool{
	"size": true, "int": true, "uint": true, "double": true, "string": true, "bool": true, "bytes": true,
	"duration": true, "timestamp": true, "type": true, "dyn": true, "matches": true,
}

// quiet says that evaluating an expression fails for a missing value at most. It knows the types
// from the checker: a comparison of two numbers cannot fail, one of values of unknown type can.
func quiet(checked *celast.AST, x celast.Expr) bool {
	switch x.Kind() {
	case celast.LiteralKind, celast.IdentKind:
		return true
	case celast.SelectKind:
		_, member := placeOf(x.AsSelect().Operand(), x.AsSelect().FieldName())
		return member || x.AsSelect().Operand().Kind() == celast.IdentKind
	case celast.CallKind:
	default:
		return false
	}
	call := x.AsCall()
	for _, arg := range call.Args() {
		if !quiet(checked, arg) {
			return false
		}
	}
	all := func(ok func(types.Kind) bool) bool {
		for _, arg := range call.Args() {
			if !ok(checked.GetType(arg.ID()).Kind()) {
				return false
			}
		}
		return true
	}
	switch call.FunctionName() {
	case "_==_", "_!=_":
		return true
	case "_&&_", "_||_", "!_":
		return all(func(k types.Kind) bool { return k == types.BoolKind })
	case "_<_", "_<=_", "_>_", "_>=_":
		return all(func(k types.Kind) bool {
			return k == types.IntKind || k == types.UintKind || k == types.DoubleKind || k == types.TimestampKind
		})
	case "count", "sum", "first", "last", "tagged":
		return call.IsMemberFunction() && call.Target().Kind() == celast.IdentKind
	}
	return false
}

// There returns the term that the value of an expression exists, where the expression selects a
// field, and none otherwise. A caller that needs the value adds it before its own predicate, to be
// found by it.
func (e *Expr) There() []conjunct {
	if e == nil || e.member == (fieldRef{}) || e.member.of > ofTraits {
		return nil
	}
	return []conjunct{{kind: termHas, field: e.member}}
}

// literals makes a list of literals.
func literals(v ...ref.Val) []ref.Val { return v }

// Counted returns the term that a counter stands at exactly n, for a trigger on the n-th event.
func Counted(id string, n uint64) conjunct {
	return conjunct{kind: termEqual, field: fieldRef{ofCounter, id}, literals: literals(types.Uint(n))}
}

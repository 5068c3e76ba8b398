package expr

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/clip"
)

// Limits of one expression.
const (
	// maxExprBytes is the greatest length of the text, and thereby bounds the time of what costs.see
	// leaves unmetered.
	maxExprBytes = 4096
	// maxExprDepth is how deeply it may be nested, since CEL's parser recurses.
	maxExprDepth = 32
)

// errNoField has a text that Eval recognises as a missing value.
var errNoField = errors.New("no such key")

// Expr is a compiled expression. It is immutable and safe for concurrent use; each evaluation has a
// Scope of its own.
type Expr struct {
	// Source is the text as the definition has it.
	Source  string
	Program cel.Program
	// Asks are the counters that the expression reads, possibly repeated: the engine counts only
	// what some expression asks for.
	Asks []CounterAsk
	// Reads says by what the value can change.
	Reads  reads
	Output *cel.Type
	// terms has the terms of a predicate, by which it is answered without CEL and found by an Index;
	// none for other expressions.
	terms terms
	// Path has the names of an expression that only selects a member, such as
	// event.properties.order.id; nil for any other. Its value can be read as it was sent; see
	// pathOf.
	Path []string
	// member is the value that the expression selects, if it is no more than that, and zero
	// otherwise.
	member fieldRef
}

// CounterAsk is one counter that an expression reads, such as customer.sum("Order Completed",
// "total", "30d").
type CounterAsk struct {
	// Event is the name of the events counted.
	Event string
	// Sum is the property summed up, empty when events are only counted.
	Sum string
	// Window is how far back it looks, ms; 0: all that was counted.
	Window int64
}

// Language compiles expressions. It is safe for concurrent use.
type Language struct {
	// Env is the environment that expressions are checked in. Package trace parses with it too, to
	// show the values of the parts of a predicate.
	Env *cel.Env
	// unindexed leaves all to CEL, so that tests can compare.
	unindexed bool
}

// NewLanguage builds the CEL environment of the language: its variables, the functions of customer,
// and replacements for the functions of CEL whose answers depend on the machine.
func NewLanguage() (*Language, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("campaign: expression types: %w", err)
	}
	str, customer := cel.StringType, cel.ObjectType(typeCustomer)
	member := func(name, id string, result *cel.Type, args ...*cel.Type) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(id, append([]*cel.Type{customer}, args...), result,
			cel.FunctionBinding(func(v ...ref.Val) ref.Val { return readCounter(name, v) })))
	}
	env, err := cel.NewEnv(append([]cel.EnvOption{
		cel.CustomTypeProvider(provider{registry}),
		cel.CustomTypeAdapter(registry),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserRecursionLimit(maxExprDepth),
		cel.ParserExpressionSizeLimit(maxExprBytes),
		cel.Variable("event", cel.ObjectType(typeEvent)),
		cel.Variable("trigger", cel.ObjectType(typeEvent)),
		cel.Variable("customer", customer),
		cel.Variable("chain", cel.ObjectType(typeChain)),
		cel.Variable("now", cel.TimestampType),
		member("count", "customer_count", cel.IntType, str),
		member("count", "customer_count_window", cel.IntType, str, str),
		member("sum", "customer_sum", cel.DoubleType, str, str),
		member("sum", "customer_sum_window", cel.DoubleType, str, str, str),
		member("first", "customer_first", cel.TimestampType, str),
		member("first", "customer_first_window", cel.TimestampType, str, str),
		member("last", "customer_last", cel.TimestampType, str),
		member("last", "customer_last_window", cel.TimestampType, str, str),
		cel.Function("tagged", cel.MemberOverload("customer_tagged", []*cel.Type{customer, str}, cel.BoolType,
			cel.FunctionBinding(readTag))),
		cel.Function(overloads.TypeConvertString, cel.Overload(overloads.DoubleToString,
			[]*cel.Type{cel.DoubleType}, str, cel.UnaryBinding(textOfDouble))),
	}, append(zoneFunctions(), faults()...)...)...)
	if err != nil {
		return nil, fmt.Errorf("campaign: expression environment: %w", err)
	}
	return &Language{Env: env}, nil
}

// Compile parses and checks source and returns the expression. want is the type it must have, nil
// for any; a value whose type is known only when it is evaluated, such as event.properties.x,
// passes. The error is an Errors where places in source are known.
func (l *Language) Compile(source string, want *cel.Type) (*Expr, error) {
	ast, issues := l.Env.Compile(source)
	if issues != nil && issues.Err() != nil {
		return nil, l.exprErrors(source, issues)
	}
	if e, found := dateWithoutQuotes(source); found {
		return nil, Errors{e}
	}
	if got := ast.OutputType(); want != nil && !got.IsExactType(want) && !got.IsExactType(cel.DynType) {
		return nil, notGiven(got, "true or false is needed: compare it with something")
	}
	e := &Expr{Source: source, Output: ast.OutputType()}
	var spent costs
	var bad Errors
	celast.PostOrderVisit(ast.NativeRep().Expr(), celast.NewExprVisitor(func(x celast.Expr) {
		e.Reads.see(x)
		wrong := spent.see(ast.NativeRep(), x)
		if x.Kind() == celast.CallKind {
			ask, is, err := counterAskOf(x.AsCall())
			if wrong = cmp.Or(wrong, checkDuration(x.AsCall()), err); is {
				e.Asks = append(e.Asks, ask)
				e.Reads.Clock = e.Reads.Clock || ask.Window > 0
			}
		}
		if wrong != nil {
			bad = append(bad, Error{wrongAt(source, ast.NativeRep(), x), wrong.Error()})
		}
	}))
	if bad != nil {
		return nil, bad
	}
	program, err := l.Env.Program(ast, spent.options()...)
	if err != nil {
		return nil, fmt.Errorf("expression: %w", err)
	}
	e.Program = program
	e.member, _ = valuePlace(ast.NativeRep().Expr())
	e.Path = pathOf(ast.NativeRep().Expr())
	if e.Output.IsExactType(cel.BoolType) && !l.unindexed {
		e.terms = termsOf(ast.NativeRep())
	}
	return e, nil
}

// checkDuration refuses a literal duration(...) that CEL cannot parse, and says what to write. CEL
// knows hours and less, people write days: duration("3d") -> write duration("72h").
func checkDuration(call celast.CallExpr) error {
	if call.FunctionName() != "duration" || call.IsMemberFunction() || len(call.Args()) != 1 {
		return nil
	}
	text, constant := literalText(call.Args()[0])
	if !constant {
		return nil
	}
	if _, err := time.ParseDuration(text); err == nil {
		return nil
	}
	example := "72h"
	if ms, err := unit.ParseDuration(text); err == nil {
		example = fmt.Sprintf("%dh", ms/unit.HourMillis)
	}
	return fmt.Errorf("duration(%q) is not understood; write duration(%q): hours, minutes (m) or seconds (s)",
		clip.Text(text, 64), example)
}

// counterAskOf recognises a call that reads a counter, such as customer.count("X", "7d"). Names
// must be literals: counters are kept only for what is asked for, so that has to be known when the
// campaign is compiled. is tells whether it is such a call; err says what is wrong with its
// arguments.
func counterAskOf(call celast.CallExpr) (ask CounterAsk, is bool, err error) {
	switch call.FunctionName() {
	case "count", "sum", "first", "last":
	default:
		return CounterAsk{}, false, nil
	}
	if !call.IsMemberFunction() {
		return CounterAsk{}, false, nil
	}
	var names []string
	for _, arg := range call.Args() {
		text, ok := "", false
		if arg.Kind() == celast.LiteralKind {
			text, ok = arg.AsLiteral().Value().(string)
		}
		if !ok {
			return CounterAsk{}, false, fmt.Errorf("customer.%s takes texts in quotes, no expressions",
				call.FunctionName())
		}
		names = append(names, text)
	}
	ask.Event, names = names[0], names[1:]
	if call.FunctionName() == "sum" {
		ask.Sum, names = names[0], names[1:]
	}
	if len(names) > 0 {
		if ask.Window, err = unit.ParseDuration(names[0]); err != nil || ask.Window == 0 {
			return CounterAsk{}, false, fmt.Errorf("customer.%s: %q is no window; write %s", call.FunctionName(),
				names[0],
				cmp.Or(unit.MeantDuration(names[0]), "for example 30d"))
		}
	}
	return ask, true, nil
}

// Eval computes the expression for a scope. missing reports that a value that it needs is not
// there, which is no error: an event without the property simply does not match. An err is one that
// the author of the campaign should see, such as a text compared with a number, or errTooMuchWork.
// CEL has no type for errors, so they are told apart by their text.
func (e *Expr) Eval(s *Scope) (v ref.Val, missing bool, err error) {
	s.work = meter{}
	v, _, err = e.Program.Eval(s)
	if s.work.work > maxExprWork {
		return nil, false, errTooMuchWork
	}
	if err == nil {
		return v, false, nil
	}
	text := err.Error()
	if strings.Contains(text, "no such key") || strings.Contains(text, "no such attribute") ||
		strings.Contains(text, "no such field") {
		return nil, true, nil
	}
	return nil, false, err
}

// Holds evaluates a predicate: false when a value is missing (invariant L6). Most predicates are
// decided by their terms, without CEL.
func (e *Expr) Holds(s *Scope) (bool, error) {
	if holds, sure := e.quick(s); sure {
		return holds, nil
	}
	v, missing, err := e.Eval(s)
	if err != nil || missing {
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, fmt.Errorf("%q gave %s, not true or false", e.Source, v.Type().TypeName())
	}
	return bool(b), nil
}

// SourceOf returns the text of an expression as written; empty for nil.
func SourceOf(e *Expr) string {
	if e == nil {
		return ""
	}
	return e.Source
}

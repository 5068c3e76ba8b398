package expr

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// CEL's own cost limit is not used: its books grow with each error that a loop passes over,
// and keeping them takes quadratic time. Instead each node of a metered expression is
// wrapped by one that counts what the node does.

// meterName is the variable by which nodes find the meter of the evaluation: no expression
// can name it.
const meterName = "@meter"

// meterOf returns the meter of the evaluation under way, nil where the variables are not those of a
// Scope.
func meterOf(vars interpreter.Activation) *meter {
	if v, ok := vars.ResolveName(meterName); ok {
		if w, ok := v.(*meter); ok {
			return w
		}
	}
	return nil
}

// tooMuchWork returns the CEL value that ends an evaluation.
func tooMuchWork() ref.Val { return types.WrapErr(errTooMuchWork) }

// meter is a decorator of CEL: it wraps one node of the plan of an expression, called from the
// leaves to the root. A constant costs nothing. Wrapped calls and attributes keep their CEL
// interfaces where a later optimization of CEL looks for them.
func (c *costs) meter(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch x := node.(type) {
	case *meteredAttr, interpreter.InterpretableConst:
		return node, nil
	case interpreter.InterpretableAttribute:
		return &meteredAttr{x}, nil
	case interpreter.InterpretableCall:
		switch x.Function() {
		case overloads.Matches:
			return c.matcher(x)
		case "_==_":
			return &meteredOp{x, costOfEqual, equals}, nil
		case "_!=_":
			return &meteredOp{x, costOfEqual, differs}, nil
		case "@in":
			return &meteredCall{x, &meteredOp{x, costOfIn, contains}}, nil
		}
		extra := 0
		if strings.HasPrefix(x.Function(), "get") && len(x.Args()) == 2 {
			extra = 500 // the rules of a time zone are read
		}
		return &meteredCall{x, &meteredNode{x, extra}}, nil
	case interpreter.InterpretableConstructor:
		return node, nil // its members count themselves; the optimizer has to know it
	}
	return &meteredNode{node, 0}, nil
}

// count executes a node and charges one unit, more for an error, whose text is formatted, and for
// the text that it yields.
func count(node interpreter.InterpretableV2, frame *interpreter.ExecutionFrame) ref.Val {
	w := meterOf(frame)
	if !w.spend(1) {
		return tooMuchWork()
	}
	v := node.Exec(frame)
	if types.IsError(v) {
		w.spend(10) // its text is made
	}
	w.spend(textBytes(v) / 64)
	return v
}

// meteredNode is a node of any other kind: a loop, && and ||.
type meteredNode struct {
	interpreter.InterpretableV2
	// extra is what executing costs beside what can be seen in the result, in units of work.
	extra int
}

// Exec implements interpreter.InterpretableV2.
func (n *meteredNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	meterOf(frame).spend(n.extra)
	return count(n.InterpretableV2, frame)
}

// Eval implements interpreter.Interpretable, for callers without a frame.
func (n *meteredNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// meteredAttr is a variable with the fields selected of it. It still is an attribute to CEL, which
// joins selections.
type meteredAttr struct {
	interpreter.InterpretableAttribute
}

// Exec implements interpreter.InterpretableV2.
func (n *meteredAttr) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return count(n.InterpretableAttribute, frame)
}

// Eval implements interpreter.Interpretable, for callers without a frame.
func (n *meteredAttr) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// meteredCall is a call whose execution is metered, and which the optimizer of CEL still recognises
// as a call.
type meteredCall struct {
	interpreter.InterpretableCall
	node interpreter.InterpretableV2
}

// Exec and Eval run the metered node in place of the call.
func (n *meteredCall) Exec(frame *interpreter.ExecutionFrame) ref.Val { return n.node.Exec(frame) }

func (n *meteredCall) Eval(vars interpreter.Activation) ref.Val { return n.node.Eval(vars) }

// meteredOp takes the place of an operation on two values whose cost depends on their sizes, which
// must be charged before it runs: comparing two large objects is one step of CEL, and cannot be
// stopped inside.
type meteredOp struct {
	call interpreter.InterpretableCall
	// cost is the work of applying to a and b, in units.
	cost  func(a, b ref.Val) int
	apply func(a, b ref.Val) ref.Val
}

// ID implements interpreter.InterpretableV2.
func (n *meteredOp) ID() int64 { return n.call.ID() }

// Exec evaluates both operands, charges, and applies. Like CEL, it yields the first error.
func (n *meteredOp) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	args := n.call.Args()
	a := args[0].Exec(frame)
	if types.IsUnknownOrError(a) {
		return a
	}
	b := args[1].Exec(frame)
	if types.IsUnknownOrError(b) {
		return b
	}
	if !meterOf(frame).spend(1 + n.cost(a, b)) {
		return tooMuchWork()
	}
	return n.apply(a, b)
}

// Eval implements interpreter.Interpretable, for callers without a frame.
func (n *meteredOp) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// equals, differs and contains do what CEL does for ==, != and in.
func equals(a, b ref.Val) ref.Val { return types.Equal(a, b) }

func differs(a, b ref.Val) ref.Val { return types.Bool(types.Equal(a, b) != types.True) }

func contains(a, b ref.Val) ref.Val {
	if all, ok := b.(traits.Container); ok {
		return all.Contains(a)
	}
	return types.MaybeNoSuchOverloadErr(b)
}

// costOfEqual bounds how many values a comparison looks at. Texts are compared 64 bytes a unit.
func costOfEqual(a, b ref.Val) int {
	if isContainer(a) && isContainer(b) {
		return weight(a) + weight(b)
	}
	return min(textBytes(a), textBytes(b)) / 64
}

// costOfIn bounds how many values "a in b" looks at: all of a list; an object is searched by key,
// which Find charges.
func costOfIn(a, b ref.Val) int {
	list, ok := b.(traits.Lister)
	switch {
	case !ok:
		return 0
	case isContainer(a):
		return weight(list)
	}
	n, _ := list.Size().(types.Int)
	return int(n)
}

// matcher is a call of matches. The pattern is a constant and compiled here once. Go's engine takes
// time proportional to the text times the instructions of the pattern; 20 such steps are a unit.
func (c *costs) matcher(call interpreter.InterpretableCall) (interpreter.InterpretableV2, error) {
	args := call.Args()
	constant, ok := args[len(args)-1].(interpreter.InterpretableConst)
	if !ok || len(args) != 2 {
		return nil, fmt.Errorf("BUG: a call of matches with %d arguments, or with a pattern from data", len(args))
	}
	text, _ := constant.Value().(types.String)
	pattern, err := regexp.Compile(string(text))
	if err != nil {
		return nil, fmt.Errorf("matches: %w", err)
	}
	size := c.patterns[string(text)]
	return &meteredOp{
		call: call,
		cost: func(a, _ ref.Val) int { return textBytes(a) * size / 20 },
		apply: func(a, _ ref.Val) ref.Val {
			if in, ok := a.(types.String); ok {
				return types.Bool(pattern.MatchString(string(in)))
			}
			return types.MaybeNoSuchOverloadErr(a)
		},
	}, nil
}

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

func meterOf(vars interpreter.Activation) *meter {
	if v, ok := vars.ResolveName(meterName); ok {
		if w, ok := v.(*meter); ok {
			return w
		}
	}
	return nil
}

func tooMuchWork() ref.Val { return types.WrapErr(errTooMuchWork) }

// meter is a decorator of CEL: it wraps one node of the plan.
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

// count executes a node and counts it and the text that it gives.
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
	extra int // what it costs beside what can be seen
}

func (n *meteredNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	meterOf(frame).spend(n.extra)
	return count(n.InterpretableV2, frame)
}

func (n *meteredNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// meteredAttr is a variable and what is selected of it.
type meteredAttr struct {
	interpreter.InterpretableAttribute
}

func (n *meteredAttr) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return count(n.InterpretableAttribute, frame)
}

func (n *meteredAttr) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// meteredCall is a call that the optimizer can still recognise.
type meteredCall struct {
	interpreter.InterpretableCall
	node interpreter.InterpretableV2
}

func (n *meteredCall) Exec(frame *interpreter.ExecutionFrame) ref.Val { return n.node.Exec(frame) }

func (n *meteredCall) Eval(vars interpreter.Activation) ref.Val { return n.node.Eval(vars) }

// meteredOp takes the place of an operation on two values whose cost depends on them.
type meteredOp struct {
	call  interpreter.InterpretableCall
	cost  func(a, b ref.Val) int
	apply func(a, b ref.Val) ref.Val
}

func (n *meteredOp) ID() int64 { return n.call.ID() }

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

func (n *meteredOp) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

func equals(a, b ref.Val) ref.Val { return types.Equal(a, b) }

func differs(a, b ref.Val) ref.Val { return types.Bool(types.Equal(a, b) != types.True) }

func contains(a, b ref.Val) ref.Val {
	if all, ok := b.(traits.Container); ok {
		return all.Contains(a)
	}
	return types.MaybeNoSuchOverloadErr(b)
}

// costOfEqual is how many values a comparison may look at.
func costOfEqual(a, b ref.Val) int {
	if isContainer(a) && isContainer(b) {
		return weight(a) + weight(b)
	}
	return min(textBytes(a), textBytes(b)) / 64
}

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

// matcher is a call of matches, whose pattern is a constant.
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

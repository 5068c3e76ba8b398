package expr

import (
	"errors"
	"fmt"
	"regexp/syntax"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/internal/clip"
)

// Limits of what one evaluation may do. They count work and not time, so that a replay
// comes to the same answer. A unit is about 100 ns: a node of the expression, a member of
// an object or list, 64 bytes of text, 20 bytes and instructions of a pattern. That bounds
// an evaluation to some 20 ms, whatever event it looks at.
const (
	maxExprWork     = 200_000
	maxPatternBytes = 1000
	maxPatternSize  = 1000 // instructions of the compiled pattern
)

// errTooMuchWork is the result of an evaluation that reached maxExprWork.
var errTooMuchWork = errors.New("the expression does too much work for one record")

// meter counts the work of one evaluation. CEL cannot be stopped from outside, so beyond the limit
// objects and lists show no more members and each metered node fails: the evaluation ends quickly,
// and Eval discards its answer. A nil meter counts nothing.
type meter struct{ work int }

// spend adds n units and says whether the limit still holds.
func (w *meter) spend(n int) (allowed bool) {
	if w == nil {
		return true
	}
	w.work += n
	return w.work <= maxExprWork
}

// costs decides which expressions are metered node by node. In all of them the members of
// JSON values are counted that they look at.
type costs struct {
	metered bool
	// patterns has the compiled size of each pattern, by its text.
	patterns map[string]int
}

// see takes one node of a checked expression into account. What it leaves out costs no
// more than the length of the expression times that of the event: a few ms.
func (c *costs) see(checked *celast.AST, x celast.Expr) error {
	switch x.Kind() {
	case celast.ComprehensionKind:
		c.metered = true
	case celast.CallKind:
		call := x.AsCall()
		switch call.FunctionName() {
		case overloads.Matches:
			c.metered = true
			return c.pattern(call)
		case "_+_": // of texts and lists, which it makes longer
			c.metered = c.metered || !scalar(checked.GetType(x.ID()))
		case "_==_", "_!=_", "@in":
			args := call.Args()
			c.metered = c.metered || !bounded(checked, args[0]) && !bounded(checked, args[1])
		default:
		}
	default:
	}
	return nil
}

// pattern checks the pattern of a call of matches. It must be a literal, so that its size is known
// and bounded when the campaign is applied, and not when an event brings it.
func (c *costs) pattern(call celast.CallExpr) error {
	args := call.Args()
	text, constant := literalText(args[len(args)-1])
	if !constant {
		return errors.New("matches takes a pattern in quotes, no expression: a pattern from data could take any " +
			"time; to look for a text from data write contains, startsWith, endsWith or ==")
	}
	if len(text) > maxPatternBytes {
		return fmt.Errorf("matches: the pattern has %d bytes; at most %d are allowed", len(text), maxPatternBytes)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return fmt.Errorf("matches: %q is no pattern: %w", clip.Text(text, maxQuoted), err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return fmt.Errorf("matches: %q is no pattern: %w", clip.Text(text, maxQuoted), err)
	}
	if len(program.Inst) > maxPatternSize {
		return fmt.Errorf("matches: the pattern is too large (%d steps, at most %d are allowed); "+
			"write smaller repetitions than {n,m}, for example * or +", len(program.Inst), maxPatternSize)
	}
	if c.patterns == nil {
		c.patterns = map[string]int{}
	}
	c.patterns[text] = len(program.Inst)
	return nil
}

// scalar says that values of a type have a bounded size: numbers, instants, true and false.
// Comparing two of them is one step.
func scalar(t *types.Type) bool {
	switch t.Kind() {
	case types.IntKind, types.UintKind, types.DoubleKind, types.BoolKind, types.NullTypeKind, types.TimestampKind,
		types.DurationKind:
		return true
	default:
		return false
	}
}

// bounded says that comparing with an expression costs little: it is a scalar, a text, or
// a list of constants.
func bounded(checked *celast.AST, x celast.Expr) bool {
	if x.Kind() == celast.ListKind {
		for _, e := range x.AsList().Elements() {
			if e.Kind() != celast.LiteralKind {
				return false
			}
		}
		return true
	}
	t := checked.GetType(x.ID())
	return scalar(t) || t.Kind() == types.StringKind
}

// options returns the options of the CEL program: only expressions that can do much work are metered node
// by node, because metering makes all others slower too.
func (c *costs) options() []cel.ProgramOption {
	all := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if c.metered {
		all = append(all, cel.CustomDecoratorV2(c.meter))
	}
	return all
}

// isContainer says whether a value has members.
func isContainer(v ref.Val) bool {
	switch v.(type) {
	case traits.Lister, traits.Mapper:
		return true
	}
	return false
}

// textBytes returns the length of a text or of bytes, 0 for other values.
func textBytes(v ref.Val) int {
	switch text := v.(type) {
	case types.String:
		return len(text)
	case types.Bytes:
		return len(text)
	}
	return 0
}

// weight counts the values that a value holds, at any depth, itself included; 64 bytes of text
// count as one more.
func weight(v ref.Val) int {
	switch x := v.(type) {
	case jsonMap:
		return weightObject(x.o)
	case traits.Lister:
		n := 1
		for it := x.Iterator(); it.HasNext() == types.True; {
			n += weight(it.Next())
		}
		return n
	case traits.Mapper:
		n := 1
		for it := x.Iterator(); it.HasNext() == types.True; {
			if member, ok := x.Find(it.Next()); ok {
				n += 1 + weight(member)
			}
		}
		return n
	}
	return 1 + textBytes(v)/64
}

// weightObject counts the values that a JSON object holds, itself included, without converting it
// to CEL; nil counts as one.
func weightObject(o *fastjson.Object) int {
	n := 1
	if o != nil {
		o.Visit(func(_ []byte, v *fastjson.Value) { n += 1 + weightJSON(v) })
	}
	return n
}

// weightJSON counts the values that a JSON value holds, itself included.
func weightJSON(v *fastjson.Value) int {
	switch v.Type() {
	case fastjson.TypeObject:
		return weightObject(v.GetObject())
	case fastjson.TypeArray:
		n := 1
		for _, item := range v.GetArray() {
			n += weightJSON(item)
		}
		return n
	case fastjson.TypeString:
		return 1 + len(v.GetStringBytes())/64
	default:
		return 1
	}
}

package expr

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/customer"
)

// ValueClock tells when the value of an expression can change without a record. There are two ways.
// An event leaves a window:
//
//	customer.count("Visited", "7d") < 3
//
// Or "now" passes an instant of the customer:
//
//	now - customer.last("Visited") > duration("72h")
//
// A timer is armed for Next, so nothing is polled.
type ValueClock struct {
	// Windows are the counters with a window that the expression reads.
	Windows []CounterAsk
	// Passages are the comparisons whose result depends on "now".
	Passages []passage
}

// passage is a comparison of two instants, or of two durations, in which "now" occurs.
type passage struct {
	// The two sides, of types that can be compared: both instants, or both durations.
	left, right *Expr
	// times is how often "now" is added on the left minus how often on the right; never 0, since
	// then the time does not change the comparison. It is 1 for
	// 'now - customer.last("A") > duration("72h")'.
	times int64
	// atEqual says that the result changes at the very instant at which both sides are equal, and
	// not at the first one after it.
	atEqual bool
}

// errNow refuses uses of "now" for which the next change could not be computed, such as
// "now.getHours() == 9".
var errNow = errors.New("now can only be compared, by < <= > or >=, with an instant of the customer, so that it is " +
	`known when the value changes; write for example now - customer.last("Order Completed") > duration("72h"), ` +
	"or now > timestamp(customer.traits.ends_at)")

// Clock says when an expression over the customer can have another value. It fails where this
// cannot be known: "now" is used otherwise than compared with an instant.
func (l *Language) Clock(e *Expr) (ValueClock, error) {
	var c ValueClock
	for _, ask := range e.Asks {
		if ask.Window > 0 {
			c.Windows = append(c.Windows, ask)
		}
	}
	if !e.Reads.now {
		return c, nil
	}
	ast, issues := l.Env.Compile(e.Source)
	if issues != nil && issues.Err() != nil {
		return c, l.exprErrors(e.Source, issues)
	}
	r := clockReader{l: l, checked: ast.NativeRep(), into: &c}
	if err := r.read(r.checked.Expr()); err != nil {
		return c, Errors{{r.wrong(e.Source), err.Error()}}
	}
	return c, nil
}

// wrong returns the byte offset in source of the "now" that read refused.
func (r *clockReader) wrong(source string) int {
	p := r.checked.SourceInfo().GetStartLocation(r.at)
	return byteAt(source, p.Line(), p.Column())
}

// clockReader finds those comparisons of one expression whose result depends on "now".
type clockReader struct {
	l       *Language
	checked *celast.AST
	into    *ValueClock
	at      int64 // id of the "now" that read looks at
}

// read collects the comparisons below x in which "now" occurs. It goes through operators that work
// on results of comparisons, and refuses "now" anywhere else.
func (r *clockReader) read(x celast.Expr) error {
	if !namesNow(x) {
		return nil
	}
	r.at = nowIn(x)
	switch x.Kind() {
	case celast.CallKind:
		call := x.AsCall()
		switch call.FunctionName() {
		case "_<_", "_<=_", "_>_", "_>=_":
			return r.passage(call.FunctionName(), call.Args()[0], call.Args()[1])
		case "_&&_", "_||_", "!_", "_?_:_", "_==_", "_!=_", "_+_", "_-_", "_*_", "_/_", "_%_", "-_":
			if !r.combines(call) {
				return errNow
			}
			for _, arg := range call.Args() {
				if err := r.read(arg); err != nil {
					return err
				}
			}
			return nil
		}
	case celast.ComprehensionKind:
		return fmt.Errorf("now cannot stand in a loop: %w", errNow)
	default:
	}
	return errNow
}

// combines reports whether an operator works on results of comparisons: none of its operands is
// itself an instant or a duration with "now" in it.
func (r *clockReader) combines(call celast.CallExpr) bool {
	for _, arg := range call.Args() {
		kind := r.checked.GetType(arg.ID()).Kind()
		if namesNow(arg) && (kind == types.TimestampKind || kind == types.DurationKind) {
			return false
		}
	}
	return true
}

// passage adds the comparison of two sides. Both are compiled as expressions of their own, so that
// Next can evaluate them.
func (r *clockReader) passage(operator string, left, right celast.Expr) error {
	p := passage{}
	for i, side := range []celast.Expr{left, right} {
		times, err := r.times(side)
		if err != nil {
			return err
		}
		if i == 1 {
			times = -times
		}
		p.times += times
	}
	for _, side := range []struct {
		x    celast.Expr
		into **Expr
	}{{left, &p.left}, {right, &p.right}} {
		text, err := cel.ExprToString(side.x, r.checked.SourceInfo())
		if err != nil {
			return fmt.Errorf("now: %w", err)
		}
		if *side.into, err = r.l.Compile(text, nil); err != nil {
			return err
		}
	}
	p.atEqual = (p.times > 0) == (operator == "_<_" || operator == "_>=_")
	if p.times != 0 { // else "now - now", which never changes
		r.into.Passages = append(r.into.Passages, p)
	}
	return nil
}

// times returns how often "now" is added in x, a sum of instants and durations: 1 for
// "now - customer.created_at", 0 for 'duration("72h")'. It refuses operands that are neither.
func (r *clockReader) times(x celast.Expr) (int64, error) {
	if x.Kind() == celast.IdentKind && x.AsIdent() == "now" {
		return 1, nil
	}
	if x.Kind() == celast.CallKind {
		call := x.AsCall()
		if name := call.FunctionName(); name == "_+_" || name == "_-_" {
			a, err := r.times(call.Args()[0])
			if err != nil {
				return 0, err
			}
			b, err := r.times(call.Args()[1])
			if name == "_-_" {
				b = -b
			}
			return a + b, err
		}
	}
	if namesNow(x) {
		return 0, errNow
	}
	switch kind := r.checked.GetType(x.ID()).Kind(); kind {
	case types.TimestampKind, types.DurationKind:
	default:
		text, err := cel.ExprToString(x, r.checked.SourceInfo())
		if err != nil {
			return 0, fmt.Errorf("now: %w", err)
		}
		return 0, fmt.Errorf("%s is no instant; write timestamp(%s), or duration(...) for a length of time", text, text)
	}
	return 0, onlyCustomer(x)
}

// onlyCustomer refuses variables other than "customer". A side of a comparison is evaluated alone,
// where the variable of a loop around it has no value.
func onlyCustomer(x celast.Expr) (err error) {
	celast.PostOrderVisit(x, celast.NewExprVisitor(func(x celast.Expr) {
		if x.Kind() == celast.IdentKind && x.AsIdent() != "customer" {
			err = errNow
		}
	}))
	return err
}

// namesNow reports whether "now" occurs in an expression.
func namesNow(x celast.Expr) bool { return nowIn(x) != 0 }

// nowIn returns the id of the first node that is the variable "now", 0 when there is none; CEL's
// ids begin at 1.
func nowIn(x celast.Expr) (id int64) {
	celast.PostOrderVisit(x, celast.NewExprVisitor(func(x celast.Expr) {
		if id == 0 && x.Kind() == celast.IdentKind && x.AsIdent() == "now" {
			id = x.ID()
		}
	}))
	return id
}

// Next returns the first instant after that of the scope, in Unix milliseconds, at which the value
// may differ if no record comes; 0 when there is none. It may be too early, when the change does
// not alter the whole expression, and never too late. The log counts milliseconds and CEL
// nanoseconds, so the result is rounded to the first millisecond at which a comparison sees the
// change.
func (c *ValueClock) Next(s *Scope) (at int64) {
	consider := func(t int64) {
		if t > s.Now && t < customer.Never && (at == 0 || t < at) {
			at = t
		}
	}
	for _, ask := range c.Windows {
		if in := s.Customer.Customer.Window(ask.Event).Within(s.Now, ask.Window); len(in) > 0 {
			consider(in[0].Time + ask.Window)
		}
	}
	for i := range c.Passages {
		micros, exact, ok := c.Passages[i].ahead(s)
		if !ok || micros < 0 {
			continue
		}
		if c.Passages[i].atEqual || !exact {
			consider(s.Now + (micros+999)/1000) // the first millisecond at which they are
		}
		if !c.Passages[i].atEqual || !exact {
			consider(s.Now + micros/1000 + 1) // the first one after
		}
	}
	return at
}

// ahead returns how far after now the two sides become equal, in microseconds (negative: they did
// before), and whether that is exact. ok is false when a value is missing.
func (p *passage) ahead(s *Scope) (micros int64, exact, ok bool) {
	left, exactLeft, ok := p.left.moment(s)
	if !ok {
		return 0, false, false
	}
	right, exactRight, ok := p.right.moment(s)
	return (right - left) / p.times, exactLeft && exactRight && (right-left)%p.times == 0, ok
}

// moment is an instant or a duration in microseconds; exact says that nothing is beyond them.
func (e *Expr) moment(s *Scope) (micros int64, exact, ok bool) {
	v, missing, err := e.Eval(s)
	if err != nil || missing {
		return 0, false, false
	}
	switch x := v.(type) {
	case types.Timestamp:
		return x.UnixMicro(), x.Nanosecond()%1000 == 0, true
	case types.Duration:
		return x.Microseconds(), x.Duration%time.Microsecond == 0, true
	}
	return 0, false, false
}

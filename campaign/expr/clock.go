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

// ValueClock says when the value of an expression can change without a record: when an
// occurrence leaves a window, and when now passes an instant of the customer. A timer looks then.
type ValueClock struct {
	Windows  []CounterAsk
	Passages []passage
}

// passage is a comparison of two instants, or of two durations, of which now is a part.
type passage struct {
	left, right *Expr
	// times is how often now is added on the left less how often on the right; never 0.
	times int64
	// atEqual says that the comparison changes at the instant at which both are equal, and not at
	// the first one after.
	atEqual bool
}

var errNow = errors.New("now can only be compared, by < <= > or >=, with an instant of the customer, so that it is " +
	`known when the value changes; write for example now - customer.last("Order Completed") > duration("72h"), ` +
	"or now > timestamp(customer.traits.ends_at)")

// Clock says when an expression over the customer can have another value. An error says
// that this cannot be known.
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

// wrong is the place of the now that is not where it can be.
func (r *clockReader) wrong(source string) int {
	p := r.checked.SourceInfo().GetStartLocation(r.at)
	return byteAt(source, p.Line(), p.Column())
}

type clockReader struct {
	l       *Language
	checked *celast.AST
	into    *ValueClock
	at      int64 // the node that is being looked at
}

// read finds the comparisons in which now stands; now is allowed nowhere else.
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

// combines says that a call works on the results of comparisons, and not on now itself.
func (r *clockReader) combines(call celast.CallExpr) bool {
	for _, arg := range call.Args() {
		kind := r.checked.GetType(arg.ID()).Kind()
		if namesNow(arg) && (kind == types.TimestampKind || kind == types.DurationKind) {
			return false
		}
	}
	return true
}

// passage takes a comparison of two sides apart.
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
	if p.times != 0 { // else now - now, which never changes
		r.into.Passages = append(r.into.Passages, p)
	}
	return nil
}

// times is how often now is added in a sum of instants and durations.
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

// onlyCustomer refuses the variables of loops: their values are not there when nothing
// but the comparison is looked at.
func onlyCustomer(x celast.Expr) (err error) {
	celast.PostOrderVisit(x, celast.NewExprVisitor(func(x celast.Expr) {
		if x.Kind() == celast.IdentKind && x.AsIdent() != "customer" {
			err = errNow
		}
	}))
	return err
}

func namesNow(x celast.Expr) bool { return nowIn(x) != 0 }

// nowIn is the first now that stands in an expression, 0 when there is none.
func nowIn(x celast.Expr) (id int64) {
	celast.PostOrderVisit(x, celast.NewExprVisitor(func(x celast.Expr) {
		if id == 0 && x.Kind() == celast.IdentKind && x.AsIdent() == "now" {
			id = x.ID()
		}
	}))
	return id
}

// Next is the first instant after that of the scope (ms) at which the value may be another
// than now if no record comes; 0 when there is none.
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

// ahead is how far ahead it is that the two sides are equal, in microseconds, and whether
// exactly; ok is false when a value is missing.
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

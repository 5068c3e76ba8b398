package liquid

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// run is the state of one rendering. It is used by one goroutine and for one rendering.
type run struct {
	budget
	// given has the values that the caller gave, by the first part of their names.
	given map[string]any
	// locals has the values to which the template gave names.
	locals map[string]any
	// loop is the innermost loop, nil outside of loops.
	loop *loop
	// tested is the number of tests around what is being evaluated. Variables may be
	// missing inside of one.
	tested int
	// line is the line of the tag that is being rendered, for errors.
	line int
	out  *strings.Builder
	// inner is the number of captures around what is being rendered. Their text is a value
	// and no output.
	inner int
	// cycles has the index of the next value of each cycle.
	cycles map[string]int
	// onward has where a loop with offset: continue begins, by forNode.key.
	onward map[string]int
	// counters has the values of increment and decrement. They are apart from locals, as in
	// Liquid.
	counters map[string]int
}

// Render renders the template with the given values. A variable whose first part is among
// given and that has no value ends the rendering, unless it is tested. The error is a
// *LimitError, a *MissingError, or an *Error where the text cannot be made of the values. A
// bug in this package is an *Error too: one broken template must not stop the messages of
// all others.
func (t *Template) Render(given map[string]any) (text string, err error) {
	// The clock is for the last limit only; what is rendered does not depend on it.
	r := &run{
		budget: newBudget(time.Now), given: given, locals: map[string]any{}, out: &strings.Builder{},
		cycles: map[string]int{}, onward: map[string]int{}, counters: map[string]int{},
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case stopped:
			err = p.err
			var problem *Error
			if errors.As(err, &problem) && problem.Line == 0 {
				problem.Line = r.line
			}
		// A bug, such as an index out of range in a filter.
		default:
			err = &Error{Line: r.line, Message: fmt.Sprintf("BUG: %v", p)}
		}
	}()
	r.nodes(t.nodes)
	return r.out.String(), nil
}

// write prints text. Inside of a capture it is charged as a value, outside it counts for
// MaxOutput.
func (r *run) write(text string) {
	if r.inner > 0 {
		r.make(len(text))
	} else if r.out.Len()+len(text) > MaxOutput {
		exceed("the text is over %d bytes", MaxOutput)
	}
	r.out.WriteString(text)
}

// nodes renders nodes in their order until one ends by break or continue.
func (r *run) nodes(all []node) signal {
	for _, n := range all {
		if s := r.node(n); s != goOn {
			return s
		}
	}
	return goOn
}

// node renders one node.
func (r *run) node(n node) signal {
	r.step(1)
	switch n := n.(type) {
	case *textNode:
		r.write(n.text)
	case *outputNode:
		r.line = n.line
		r.write(r.text(r.eval(n.value)))
	case *assignNode:
		r.line = n.line
		r.locals[n.name] = r.eval(n.value)
	case *captureNode:
		return r.capture(n)
	case *ifNode:
		return r.ifElse(n)
	case *caseNode:
		return r.cases(n)
	case *forNode:
		return r.forLoop(n)
	case *cycleNode:
		r.cycle(n)
	case *jumpNode:
		return n.to
	case *counterNode:
		r.counter(n)
	default:
		panic("BUG: a node of no known kind")
	}
	return goOn
}

// capture renders a body into a value.
func (r *run) capture(n *captureNode) signal {
	outer := r.out
	r.out = &strings.Builder{}
	r.inner++
	// A break inside of the body ends the capture; what was rendered so far is kept.
	s := r.nodes(n.body)
	r.locals[n.name] = r.out.String()
	r.inner--
	r.out = outer
	return s
}

// ifElse renders the first arm that holds.
func (r *run) ifElse(n *ifNode) signal {
	for i := range n.arms {
		a := &n.arms[i]
		if a.condition != nil {
			r.line = a.line
			if truth(r.test(a.condition)) == a.negated {
				continue
			}
		}
		return r.nodes(a.body)
	}
	return goOn
}

// cases renders every arm that has the value, as Liquid does, or else the else.
func (r *run) cases(n *caseNode) signal {
	r.line = n.line
	// Both sides are tested: a missing value is nil, and an arm may ask for nil.
	value, found := r.test(n.value), false
	for i := range n.arms {
		for _, w := range n.arms[i].values {
			if !r.equal(value, r.test(w)) {
				continue
			}
			found = true
			if s := r.nodes(n.arms[i].body); s != goOn {
				return s
			}
			break
		}
	}
	if found {
		return goOn
	}
	return r.nodes(n.other)
}

// cycle prints the next value of a cycle. Cycles with the same group or the same values
// share their place.
func (r *run) cycle(n *cycleNode) {
	r.line = n.line
	key := "\x00" + n.key
	if n.group != nil {
		key = r.text(r.eval(n.group))
	}
	// Another cycle of the same group may have more values.
	at := r.cycles[key]
	if at >= len(n.values) {
		at = 0
	}
	r.cycles[key] = (at + 1) % len(n.values)
	r.write(r.text(r.eval(n.values[at])))
}

// counter prints and changes a counter. increment prints the value before the change,
// decrement the one after it, as Liquid does.
func (r *run) counter(n *counterNode) {
	value := r.counters[n.name]
	if n.down {
		value--
		r.counters[n.name] = value
	} else {
		r.counters[n.name] = value + 1
	}
	r.write(strconv.Itoa(value))
}

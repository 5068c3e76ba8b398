package liquid

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// run is one rendering.
type run struct {
	budget
	given  map[string]any // of the caller
	locals map[string]any // of the template
	loop   *loop          // innermost
	// tested counts the tests around what is evaluated: variables may be missing in them.
	tested   int
	line     int // of the tag that is rendered
	out      *strings.Builder
	inner    int // captures around what is rendered
	cycles   map[string]int
	onward   map[string]int // where a loop with offset: continue goes on
	counters map[string]int
}

// Render renders a template with the values of names. A variable that begins with one of the
// names and has no value ends it, unless it is tested. The error is a *LimitError, a
// *MissingError, or an *Error where the text cannot be made of the values.
func (t *Template) Render(given map[string]any) (text string, err error) {
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
		default:
			err = &Error{Line: r.line, Message: fmt.Sprintf("BUG: %v", p)}
		}
	}()
	r.nodes(t.nodes)
	return r.out.String(), nil
}

// write prints a text.
func (r *run) write(text string) {
	if r.inner > 0 {
		r.make(len(text))
	} else if r.out.Len()+len(text) > MaxOutput {
		exceed("the text is over %d bytes", MaxOutput)
	}
	r.out.WriteString(text)
}

func (r *run) nodes(all []node) signal {
	for _, n := range all {
		if s := r.node(n); s != goOn {
			return s
		}
	}
	return goOn
}

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

func (r *run) capture(n *captureNode) signal {
	outer := r.out
	r.out = &strings.Builder{}
	r.inner++
	s := r.nodes(n.body)
	r.locals[n.name] = r.out.String()
	r.inner--
	r.out = outer
	return s
}

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

func (r *run) cases(n *caseNode) signal {
	r.line = n.line
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

func (r *run) cycle(n *cycleNode) {
	r.line = n.line
	key := "\x00" + n.key
	if n.group != nil {
		key = r.text(r.eval(n.group))
	}
	at := r.cycles[key]
	if at >= len(n.values) {
		at = 0
	}
	r.cycles[key] = (at + 1) % len(n.values)
	r.write(r.text(r.eval(n.values[at])))
}

// counter prints and moves a counter, which a variable of that name shows.
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

package liquid

import (
	"slices"
	"strings"
)

// Names has what a template uses without giving it a value itself.
type Names struct {
	// Variables has each use of a variable, in the order of the template. One variable may
	// occur several times.
	Variables []Variable
	// Loops has the ranges, as the template writes them, whose ends come from values
	// without any bound. A large value makes such a loop exceed the limits.
	Loops []string
}

// Variable is one use of a variable.
type Variable struct {
	// Parts is the name and the names of members in it, up to the first that the template
	// does not write out.
	Parts []string
	// Text is the variable as the template writes it.
	Text string
	Line int // of the template
	// Cut is true where something follows Parts that is not written out, such as [n].
	Cut bool
	// Optional is true where the variable is only tested, has a fallback, or is used inside
	// of a test for it.
	Optional bool
	// Unless is another variable, by its parts, whose fallback this one is: it is needed
	// only where the other one is missing or empty. nil where it is no fallback.
	Unless []string
}

// Names returns what the template uses without giving it a value. It walks through all
// branches, including those that a rendering would not take.
func (t *Template) Names() Names {
	w := &walker{own: map[string]bool{"forloop": true, "tablerowloop": true}, bounded: map[string]bool{}}
	w.nodes(t.nodes)
	return w.names
}

// walker goes through a template in the order in which it is rendered.
type walker struct {
	names Names
	// own has the names to which the template itself gives a value.
	own map[string]bool
	// bounded has those of them whose size does not come from values.
	bounded map[string]bool
	// known has the variables which a test around the present node guarantees to be there.
	known [][]string
	line  int
}

// nodes walks through nodes in their order.
func (w *walker) nodes(all []node) {
	for _, n := range all {
		w.node(n)
	}
}

// node walks through one node. It must treat a node as render.go does: a variable that the
// rendering wants and the walk does not note would never be captured.
func (w *walker) node(n node) {
	switch n := n.(type) {
	case *textNode, *jumpNode:
	case *outputNode:
		w.line = n.line
		w.expr(n.value, false)
	case *assignNode:
		w.line = n.line
		w.expr(n.value, false)
		w.give(n.name, w.isBounded(n.value))
	case *captureNode:
		w.nodes(n.body)
		w.give(n.name, false)
	case *ifNode:
		w.ifElse(n)
	case *caseNode:
		w.cases(n)
	case *forNode:
		w.forLoop(n)
	case *cycleNode:
		w.line = n.line
		if n.group != nil {
			w.expr(n.group, false)
		}
		for _, v := range n.values {
			w.expr(v, false)
		}
	case *counterNode:
		w.give(n.name, true)
	default:
		panic("BUG: a node of no known kind")
	}
}

// give notes that the template gives a name a value. It counts as bounded only as long as
// every value that it gets is bounded.
func (w *walker) give(name string, bounded bool) {
	w.bounded[name] = bounded && (w.bounded[name] || !w.own[name])
	w.own[name] = true
}

// within walks through nodes inside of a test that guarantees known to be there.
func (w *walker) within(known [][]string, nodes []node) {
	before := len(w.known)
	w.known = append(w.known, known...)
	w.nodes(nodes)
	w.known = w.known[:before]
}

// ifElse walks through the arms of an if. Inside of an arm its own condition holds, and
// those of the arms before do not.
func (w *walker) ifElse(n *ifNode) {
	var before [][]string // what the arms that did not hold say
	for i := range n.arms {
		a := &n.arms[i]
		known := before
		if a.condition != nil {
			w.line = a.line
			w.expr(a.condition, true)
			known = slices.Concat(before, w.certain(a.condition, !a.negated))
			before = slices.Concat(before, w.certain(a.condition, a.negated))
		}
		w.within(known, a.body)
	}
}

// cases walks through a case. Inside of an arm whose values are all written out, the tested
// variable has one of them and so is there.
func (w *walker) cases(n *caseNode) {
	w.line = n.line
	w.expr(n.value, true)
	for i := range n.arms {
		a := &n.arms[i]
		var known [][]string
		if !slices.ContainsFunc(a.values, func(v expr) bool { return !isValue(v) }) {
			known = w.paths(n.value)
		}
		for _, v := range a.values {
			w.expr(v, true)
		}
		w.within(known, a.body)
	}
	w.nodes(n.other)
}

// forLoop walks through a loop. Inside of its body the list is there: it has an element.
func (w *walker) forLoop(n *forNode) {
	w.line = n.line
	loops := len(w.names.Loops)
	w.expr(n.list, n.hasElse)
	// A limit that is bounded itself bounds the loop, so its range is no cause for a
	// warning.
	if n.limit != nil && w.isBounded(n.limit) {
		w.names.Loops = w.names.Loops[:loops]
	}
	for _, e := range []expr{n.limit, n.offset, n.cols} {
		if e != nil {
			w.expr(e, false)
		}
	}
	w.give(n.name, false)
	w.within(w.paths(n.list), n.body)
	// The else is rendered without an element, so nothing more is known in it.
	w.nodes(n.other)
}

// expr notes the variables of an expression. optional says that they may be missing there.
func (w *walker) expr(e expr, optional bool) {
	switch e := e.(type) {
	case *literal:
	case *path:
		w.path(e, optional, nil)
	case *span:
		w.expr(e.low, optional)
		w.expr(e.high, optional)
		if !w.isBounded(e.low) || !w.isBounded(e.high) {
			w.names.Loops = append(w.names.Loops, "("+textOf(e.low)+".."+textOf(e.high)+")")
		}
	case *comparison:
		// A comparison tests both of its sides, so both may be missing.
		w.expr(e.left, true)
		w.expr(e.right, true)
	case *logic:
		w.expr(e.left, true)
		w.expr(e.right, true)
	case *negation:
		w.expr(e.of, true)
	case *filtered:
		w.filtered(e, optional)
	default:
		panic("BUG: an expression of no known kind")
	}
}

// filtered notes the variables of a value with filters. The value may be missing where a
// default follows; an argument where one follows later. A variable that is itself the
// fallback in a default is needed only where the value before it is missing, which the walk
// notes in Variable.Unless.
func (w *walker) filtered(e *filtered, optional bool) {
	w.expr(e.base, optional || hasDefault(e.calls))
	for i := range e.calls {
		c := &e.calls[i]
		later := hasDefault(e.calls[i+1:])
		for _, a := range c.args {
			fallback, isPath := a.(*path)
			if c.name != defaultFilter || !isPath {
				w.expr(a, optional || later)
				continue
			}
			// The fallback of a variable is needed where that is missing; where more is between
			// them, only the rendering can tell.
			base := w.paths(e.base)
			direct := len(base) == 1 && !hasDefault(e.calls[:i]) && !later
			var unless []string
			if direct {
				unless = base[0]
			}
			w.path(fallback, optional || !direct, unless)
		}
		for _, a := range c.named {
			w.expr(a.value, optional)
		}
	}
}

// path notes one use of a variable, and the variables in its brackets. unless is the
// variable whose fallback it is; nil for none.
func (w *walker) path(e *path, optional bool, unless []string) {
	for i := range e.parts {
		if e.parts[i].index != nil {
			w.expr(e.parts[i].index, optional)
		}
	}
	// What the template itself gives needs no value of the caller.
	if w.own[e.root] {
		return
	}
	v := Variable{Parts: e.written(), Text: e.String(), Line: w.line, Optional: optional, Unless: unless}
	v.Cut = len(v.Parts) <= len(e.parts)
	if slices.ContainsFunc(w.known, func(known []string) bool { return within(v.Parts, known) }) {
		v.Optional = true
	}
	if v.Optional {
		v.Unless = nil
	}
	w.names.Variables = append(w.names.Variables, v)
}

// within reports whether a variable is certainly there where another one (known) is: it is
// the same, an object around it, or its size.
func within(parts, known []string) bool {
	if n := len(known); len(parts) == n+1 && parts[n] == "size" {
		parts = parts[:n]
	}
	return len(parts) <= len(known) && slices.Equal(parts, known[:len(parts)])
}

// written returns the parts of a variable that the template writes out.
func (e *path) written() []string {
	all := []string{e.root}
	for i := range e.parts {
		if e.parts[i].index != nil {
			break
		}
		all = append(all, e.parts[i].name)
	}
	return all
}

// paths returns the variable that an expression is, as a list of one; nil where it is no
// variable, or one of the template's own.
func (w *walker) paths(e expr) [][]string {
	if p, ok := e.(*path); ok && !w.own[p.root] {
		return [][]string{p.written()}
	}
	return nil
}

// isValue reports whether an expression is a literal, such as 7 or "text", other than nil.
func isValue(e expr) bool {
	l, ok := e.(*literal)
	return ok && l.value != nil
}

// certain returns the variables that are there whenever a condition holds, or, where holds
// is false, whenever it does not hold. It may leave out a variable, which then is needed
// although a test guards it; it never names one that may be missing.
func (w *walker) certain(e expr, holds bool) [][]string {
	switch e := e.(type) {
	case *path:
		if holds {
			return w.paths(e)
		}
	case *negation:
		return w.certain(e.of, !holds)
	case *logic:
		// "a and b" holds only if both do; "a or b" fails only if both do. In the other
		// cases nothing is certain.
		if e.and == holds {
			return slices.Concat(w.certain(e.left, holds), w.certain(e.right, holds))
		}
	case *comparison:
		return w.certainOf(e, holds)
	case *literal, *span, *filtered:
	default:
		panic("BUG: an expression of no known kind")
	}
	return nil
}

// certainOf is certain for a comparison. A missing value is nil. It equals nothing that is
// written out but nil, and precedes nothing. So "a < b" holds only if both are there, "a ==
// 1" only if a is, and "a == nil" fails only if a is.
func (w *walker) certainOf(e *comparison, holds bool) [][]string {
	left, right := w.paths(e.left), w.paths(e.right)
	isNil := func(e expr) bool { l, ok := e.(*literal); return ok && l.value == nil }
	switch e.op {
	case "<", ">", "contains":
		if holds {
			return slices.Concat(left, right)
		}
	case "==", "<=", ">=":
		switch {
		case holds && isValue(e.right):
			return left
		case holds && isValue(e.left):
			return right
		case !holds && e.op == "==" && isNil(e.right):
			return left
		}
	case "!=":
		if holds && isNil(e.right) {
			return left
		}
	}
	return nil
}

// isBounded reports whether the size of a number does not come from values. The length of a
// list counts as bounded, because the size of an event bounds it. A value with filters is
// bounded if the value and all arguments are.
func (w *walker) isBounded(e expr) bool {
	switch e := e.(type) {
	case *literal:
		return true
	case *path:
		if e.root == "forloop" || e.root == "tablerowloop" || w.bounded[e.root] {
			return true
		}
		n := len(e.parts)
		return n > 0 && e.parts[n-1].index == nil && e.parts[n-1].name == "size"
	case *filtered:
		// at_most bounds whatever comes before it.
		last := e.calls[len(e.calls)-1]
		if last.name == "at_most" && w.isBounded(last.args[0]) || last.name == "size" {
			return true
		}
		return w.isBounded(e.base) && !slices.ContainsFunc(e.calls, func(c call) bool {
			return slices.ContainsFunc(c.args, func(a expr) bool { return !w.isBounded(a) })
		})
	case *span:
		return w.isBounded(e.low) && w.isBounded(e.high)
	case *comparison, *logic, *negation:
		return true
	}
	panic("BUG: an expression of no known kind")
}

// textOf returns the end of a range as a template writes it; "..." for what is no number or
// variable.
func textOf(e expr) string {
	switch e := e.(type) {
	case *literal:
		if n, ok := e.value.(Number); ok {
			return n.String()
		}
	case *path:
		return e.String()
	}
	return strings.Repeat(".", 3)
}

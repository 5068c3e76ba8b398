package liquid

import (
	"slices"
	"strings"
)

// Names is what a template names that it does not make itself.
type Names struct {
	Variables []Variable // in the order of the template; one may be there several times
	// Loops are ranges whose ends come from values and are bounded by nothing, as written.
	Loops []string
}

// Variable is one use of a variable.
type Variable struct {
	Parts []string // its name and those inside of it, up to the first that is not written out
	Text  string   // as the template writes it
	Line  int      // of the template
	// Cut says that behind Parts stands what is not written out, as [n].
	Cut bool
	// Optional says that it is only tested, has a fallback, or stands where a test has asked
	// for it.
	Optional bool
	// Unless is another variable, by its parts: this one is its fallback and needed only
	// where that one is missing or empty; nil: none.
	Unless []string
}

// Names lists what a template names.
func (t *Template) Names() Names {
	w := &walker{own: map[string]bool{"forloop": true, "tablerowloop": true}, bounded: map[string]bool{}}
	w.nodes(t.nodes)
	return w.names
}

// walker goes through a template in the order in which it is rendered.
type walker struct {
	names   Names
	own     map[string]bool // names that the template gives
	bounded map[string]bool // of them, those whose size does not come from values
	known   [][]string      // variables of which a test around says that they are there
	line    int
}

func (w *walker) nodes(all []node) {
	for _, n := range all {
		w.node(n)
	}
}

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

func (w *walker) give(name string, bounded bool) {
	w.bounded[name] = bounded && (w.bounded[name] || !w.own[name])
	w.own[name] = true
}

// within walks through nodes in which variables are known to be there.
func (w *walker) within(known [][]string, nodes []node) {
	before := len(w.known)
	w.known = append(w.known, known...)
	w.nodes(nodes)
	w.known = w.known[:before]
}

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

func (w *walker) forLoop(n *forNode) {
	w.line = n.line
	loops := len(w.names.Loops)
	w.expr(n.list, n.hasElse)
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
	w.nodes(n.other)
}

// expr notes the variables of an expression; optional says that they may be missing.
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

func (w *walker) path(e *path, optional bool, unless []string) {
	for i := range e.parts {
		if e.parts[i].index != nil {
			w.expr(e.parts[i].index, optional)
		}
	}
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

// within says whether a variable is there where another one is: it is that one, what that one
// is inside of, or its size.
func within(parts, known []string) bool {
	if n := len(known); len(parts) == n+1 && parts[n] == "size" {
		parts = parts[:n]
	}
	return len(parts) <= len(known) && slices.Equal(parts, known[:len(parts)])
}

// written are the parts of a variable that the template writes out.
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

// paths is the variable that an expression is, not one of the template's own.
func (w *walker) paths(e expr) [][]string {
	if p, ok := e.(*path); ok && !w.own[p.root] {
		return [][]string{p.written()}
	}
	return nil
}

// isValue says whether an expression is a value that is written out and not nil.
func isValue(e expr) bool {
	l, ok := e.(*literal)
	return ok && l.value != nil
}

// certain are the variables without which a condition cannot be true, or false.
func (w *walker) certain(e expr, holds bool) [][]string {
	switch e := e.(type) {
	case *path:
		if holds {
			return w.paths(e)
		}
	case *negation:
		return w.certain(e.of, !holds)
	case *logic:
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

// isBounded says whether the size of a number does not come from values. How long a list is
// does, but the size of an event bounds it.
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

// textOf writes the end of a range as a template does.
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

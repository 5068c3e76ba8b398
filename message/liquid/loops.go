package liquid

import (
	"strconv"
)

// series is what a loop walks through. A range is not made into a list: (1..1000000) costs
// nothing until its elements are used.
type series struct {
	list []any
	span integers
	// isRange says which of list and span is meant.
	isRange bool
	// from and to are the half-open range of the elements that offset and limit leave.
	from, to int
	reversed bool
}

// len returns the number of elements that the loop walks through.
func (s *series) len() int { return s.to - s.from }

// at returns element i in the order of the loop.
func (s *series) at(i int) any {
	if s.reversed {
		i = s.len() - 1 - i
	}
	if s.isRange {
		return count(s.span.low + s.from + i)
	}
	return s.list[s.from+i]
}

// series returns what the list of a loop gives, after offset, limit and reversed. A text is
// one element, as in Liquid; a number, and other values that are no list, give none.
func (r *run) series(n *forNode) *series {
	var v any
	if n.hasElse {
		// With an else the list may be missing; without one a missing list is an error.
		v = r.test(n.list)
	} else {
		v = r.eval(n.list)
	}
	s := &series{}
	switch v := v.(type) {
	case integers:
		s.span, s.isRange, s.to = v, true, v.len()
	case []any, Object:
		s.list = r.list(v)
		s.to = len(s.list)
	case string:
		if v != "" {
			s.list, s.to = []any{v}, 1
		}
	case nil, bool, Number, map[string]any, *loop:
	}
	switch {
	case n.onward:
		s.from = min(s.to, r.onward[n.key])
	case n.offset != nil:
		s.from = min(s.to, max(0, r.integer("offset", r.eval(n.offset))))
	}
	if n.limit != nil {
		s.to = min(s.to, s.from+max(0, r.integer("limit", r.eval(n.limit))))
	}
	// Remembered also by loops without offset: continue, which begins where the last one of
	// the same key ended.
	r.onward[n.key] = s.to
	s.reversed = n.reversed
	return s
}

// forLoop renders for and tablerow:
//
//   - It determines the elements; without any, it renders the else.
//   - It makes the variable forloop, whose parentloop is the loop around this one.
//   - It renders the body for each element, with the element under the name of the loop. A
//     variable of that name that was there before is restored afterwards.
//
// break and continue end at this loop, so the signal is always goOn.
func (r *run) forLoop(n *forNode) signal {
	r.line = n.line
	s := r.series(n)
	// A tablerow without elements still prints an empty row.
	if s.len() == 0 && !n.row {
		return r.nodes(n.other)
	}
	outer := r.loop
	before, had := r.locals[n.name]
	l := &loop{name: n.key, length: s.len(), parent: outer, row: n.row, cols: max(1, s.len())}
	if n.cols != nil {
		l.cols = max(1, r.integer("cols", r.eval(n.cols)))
	}
	r.loop = l
	if n.row {
		r.table(n, s, l)
	} else {
		r.turns(n, s, l)
	}
	r.loop = outer
	if had {
		r.locals[n.name] = before
	} else {
		delete(r.locals, n.name)
	}
	return goOn
}

// turns renders the body of a for once for each element.
func (r *run) turns(n *forNode, s *series, l *loop) {
	for l.index = 0; l.index < l.length; l.index++ {
		r.step(1)
		r.locals[n.name] = s.at(l.index)
		if r.nodes(n.body) == breakLoop {
			return
		}
	}
}

// table renders a tablerow: HTML rows and cells, as Liquid writes them.
func (r *run) table(n *forNode, s *series, l *loop) {
	r.write("<tr class=\"row1\">\n")
	for l.index = 0; l.index < l.length; l.index++ {
		r.step(1)
		r.locals[n.name] = s.at(l.index)
		column := l.index % l.cols
		if column == 0 && l.index > 0 {
			r.write("</tr>\n<tr class=\"row" + strconv.Itoa(l.index/l.cols+1) + "\">")
		}
		r.write("<td class=\"col" + strconv.Itoa(column+1) + "\">")
		end := r.nodes(n.body)
		r.write("</td>")
		if end == breakLoop {
			break
		}
	}
	r.write("</tr>\n")
}

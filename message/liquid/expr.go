package liquid

import (
	"maps"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/nearest"
)

// expr is a node of the tree of an expression. The set of its types is closed.
type expr interface{ isExpr() }

type (
	// literal is a value that the template writes out.
	literal struct{ value any }
	// path is a variable, and the members and elements that are looked up in it.
	path struct {
		root  string
		parts []part
	}
	// span is a range, (low..high).
	span struct{ low, high expr }
	// comparison is a == b and the other operators, and a contains b.
	comparison struct {
		op          string
		left, right expr
	}
	// logic is "a and b", or "a or b" where and is false.
	logic struct {
		and         bool
		left, right expr
	}
	// negation is "not a".
	negation struct{ of expr }
	// filtered is a value with the filters that it passes through, in their order.
	filtered struct {
		base  expr
		calls []call
	}
)

func (*literal) isExpr()    {}
func (*path) isExpr()       {}
func (*span) isExpr()       {}
func (*comparison) isExpr() {}
func (*logic) isExpr()      {}
func (*negation) isExpr()   {}
func (*filtered) isExpr()   {}

// part is one step into a value: the member with a name, or the element that an expression
// in brackets gives.
type part struct {
	name string
	// quoted marks a name that was written as ['name'].
	quoted bool
	// index is the expression in brackets; nil where the part is a name.
	index expr
}

// call is one use of a filter with its arguments.
type call struct {
	name  string
	args  []expr
	named []namedArg
	run   filter
}

// namedArg is an argument with a name, as in default: 1, allow_false: true.
type namedArg struct {
	name  string
	value expr
}

// Now is the name of the variable that is the present instant. The caller gives its value,
// so that a rendering does not depend on a clock.
const Now = "now"

// maxDepth is the greatest depth to which expressions, and blocks, nest. Both are parsed
// and evaluated recursively, and a stack that overflows would end the process.
const maxDepth = 64

// exprParser reads an expression from its lexemes by recursive descent.
type exprParser struct {
	all []lexeme
	// at is the index of the next lexeme, depth the number of nested expressions around it.
	at    int
	line  int
	depth int
}

// newExprParser cuts text, which is on a line of the template, into lexemes.
func newExprParser(text string, line int) (*exprParser, error) {
	all, err := lex(text, line)
	if err != nil {
		return nil, err
	}
	return &exprParser{all: all, line: line}, nil
}

// peek returns the next lexeme without consuming it; one of kind endLex at the end.
func (p *exprParser) peek() lexeme {
	if p.at < len(p.all) {
		return p.all[p.at]
	}
	return lexeme{}
}

// next consumes and returns the next lexeme.
func (p *exprParser) next() lexeme {
	l := p.peek()
	p.at++
	return l
}

// take consumes the next lexeme if it is this one, and reports whether it was.
func (p *exprParser) take(kind lexKind, text string) bool {
	if p.peek() == (lexeme{kind, text}) {
		p.at++
		return true
	}
	return false
}

// fail returns an error about the line of the expression.
func (p *exprParser) fail(format string, args ...any) error {
	return syntaxError(p.line, format, args...)
}

// end returns an error where something follows the expression.
func (p *exprParser) end() error {
	if l := p.peek(); l.kind != endLex {
		return p.fail("%q does not belong there", l.text)
	}
	return nil
}

// condition reads comparisons joined by "and" and "or". As in Liquid both have the same
// precedence and the right side binds closer: "a and b or c" is "a and (b or c)".
//
// It calls itself for the right side and, through operand, for parentheses; depth bounds
// both.
func (p *exprParser) condition() (expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the expression nests deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	left, err := p.comparison()
	if err != nil {
		return nil, err
	}
	for _, word := range []string{"and", "or"} {
		if p.take(nameLex, word) {
			right, err := p.condition()
			if err != nil {
				return nil, err
			}
			return &logic{and: word == "and", left: left, right: right}, nil
		}
	}
	return left, nil
}

// comparison reads one operand of a condition: "not" and a comparison, a comparison such as
// "customer.traits.plan == 'pro'", or a value alone, which is then tested for being there.
func (p *exprParser) comparison() (expr, error) {
	if p.peek() == (lexeme{nameLex, "not"}) {
		p.at++
		of, err := p.comparison()
		return &negation{of: of}, err
	}
	left, err := p.value()
	if err != nil {
		return nil, err
	}
	l := p.peek()
	switch {
	// "contains" is an operator although it is written as a word.
	case l == lexeme{nameLex, "contains"}:
	case l.kind == signLex && (l.text == "==" || l.text == "!=" || l.text == "<>" || l.text == "<" || l.text == ">" ||
		l.text == "<=" || l.text == ">="):
	// The usual mistake has a message of its own.
	case l == lexeme{signLex, "="}:
		return nil, p.fail("write == to compare")
	default:
		return left, nil
	}
	p.at++
	right, err := p.value()
	if err != nil {
		return nil, err
	}
	// <> is an older way to write !=.
	op := l.text
	if op == "<>" {
		op = "!="
	}
	return &comparison{op: op, left: left, right: right}, nil
}

// value reads an operand with the filters that follow it, as in "trigger.properties.total |
// plus: 1
// money: 'EUR'".
func (p *exprParser) value() (expr, error) {
	base, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.peek() != (lexeme{signLex, "|"}) {
		return base, nil
	}
	f := &filtered{base: base}
	for p.take(signLex, "|") {
		c, err := p.filter()
		if err != nil {
			return nil, err
		}
		f.calls = append(f.calls, c)
	}
	// "now" | date: ... is how Liquid templates print the present day; here it is the
	// instant that the caller gives.
	if l, ok := base.(*literal); ok && (l.value == "now" || l.value == "today") && f.calls[0].name == "date" {
		f.base = &path{root: Now} // the usual way of a template to say the present day
	}
	return f, nil
}

// filter reads a filter behind |, with its arguments. An unknown one is an error at once: a
// typing mistake must not be found by a customer.
func (p *exprParser) filter() (call, error) {
	name := p.next()
	if name.kind != nameLex {
		return call{}, p.fail("the name of a filter is missing behind |")
	}
	// The filter is looked up when the template is parsed, so rendering needs no look-up by
	// name.
	known, ok := filters[name.text]
	if !ok {
		all := slices.Sorted(maps.Keys(filters))
		return call{}, p.fail("%q is no filter%s", name.text, nearest.Hint(name.text, all))
	}
	c := call{name: name.text, run: known}
	if p.take(signLex, ":") {
		for {
			if err := p.argument(&c); err != nil {
				return call{}, err
			}
			if !p.take(signLex, ",") {
				break
			}
		}
	}
	return c, p.fits(&c)
}

// argument reads one argument of a filter into c.
func (p *exprParser) argument(c *call) error {
	// A name and a colon begin an argument with a name.
	if p.peek().kind == nameLex && p.at+1 < len(p.all) && p.all[p.at+1] == (lexeme{signLex, ":"}) {
		name := p.next().text
		p.at++
		v, err := p.operand()
		c.named = append(c.named, namedArg{name: name, value: v})
		return err
	}
	v, err := p.operand()
	c.args = append(c.args, v)
	return err
}

// fits returns an error where the filter does not take the arguments that it is given: too
// few, too many, with an unknown name, or, where they are written out, with a wrong value.
// What comes from variables is checked at rendering.
func (p *exprParser) fits(c *call) error {
	if len(c.args) < c.run.least {
		return p.fail("filter %s needs %s", c.name, plural(c.run.least))
	}
	if len(c.args) > c.run.most {
		return p.fail("filter %s takes %s at most", c.name, plural(c.run.most))
	}
	// Only default has an argument with a name.
	for _, n := range c.named {
		if c.name != defaultFilter || n.name != "allow_false" {
			return p.fail("filter %s has no argument %s", c.name, n.name)
		}
	}
	if c.run.check == nil {
		return nil
	}
	for i, a := range c.args {
		if l, ok := a.(*literal); ok {
			if problem := c.run.check(i, l.value); problem != "" {
				return p.fail("filter %s: %s", c.name, problem)
			}
		}
	}
	return nil
}

// plural names a number of arguments.
func plural(n int) string {
	return map[int]string{0: "no argument", 1: "one argument", 2: "two arguments"}[n]
}

// operand reads a literal, a variable, a range, or a condition in parentheses.
func (p *exprParser) operand() (expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the expression nests deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	l := p.next()
	switch {
	case l.kind == textLex:
		return p.parts(&literal{value: l.text})
	case l.kind == numberLex:
		// Numbers are parsed once, here; a number that no filter could compute with is an
		// error.
		n, ok := parseNumber(l.text)
		if !ok {
			return nil, p.fail("the number %.20s... is too long", l.text)
		}
		return &literal{value: n}, nil
	case l == lexeme{signLex, "("}:
		return p.parentheses()
	case l.kind == nameLex:
		return p.name(l.text)
	case l.kind == endLex:
		return nil, p.fail("a value is missing")
	}
	return nil, p.fail("%q does not belong there", l.text)
}

// parentheses reads what follows an opening parenthesis: the rest of a range, "1..5)", or
// of a condition, "a or b)". Both begin with an operand, so the two dots decide.
func (p *exprParser) parentheses() (expr, error) {
	low, err := p.condition()
	if err != nil {
		return nil, err
	}
	// Without two dots it is a condition in parentheses, which Liquid itself does not have.
	if !p.take(signLex, "..") {
		if !p.take(signLex, ")") {
			return nil, p.fail("a ) is missing")
		}
		return low, nil
	}
	high, err := p.operand()
	if err != nil {
		return nil, err
	}
	if !p.take(signLex, ")") {
		return nil, p.fail("a ) is missing")
	}
	return &span{low: low, high: high}, nil
}

// name reads what begins with a name: a constant of the language or a variable.
func (p *exprParser) name(name string) (expr, error) {
	switch name {
	case "true":
		return &literal{value: true}, nil
	case "false":
		return &literal{value: false}, nil
	case "nil", "null":
		return &literal{}, nil
	// Shopify's blank and empty compare in ways that surprise, and are not supported.
	case "blank", "empty":
		return nil, p.fail(`%q is not supported; write == "" or == nil, or ask for the size`, name)
	case "and", "or", "contains":
		return nil, p.fail("%q does not belong there", name)
	}
	return p.parts(&path{root: name})
}

// parts reads the members and elements that are looked up in a value. Only a variable has
// any.
func (p *exprParser) parts(of expr) (expr, error) {
	v, ok := of.(*path)
	for {
		switch {
		case p.take(signLex, "."):
			l := p.next()
			// After a dot a whole number is a name, as in list.0.
			if l.kind != nameLex && (l.kind != numberLex || strings.ContainsAny(l.text, ".-")) {
				return nil, p.fail("a name is missing behind the dot")
			}
			// Texts and conditions have no members that a template could look up.
			if !ok {
				return nil, p.fail("a text has no members")
			}
			v.parts = append(v.parts, part{name: l.text})
		case p.take(signLex, "["):
			index, err := p.condition()
			if err != nil {
				return nil, err
			}
			if !p.take(signLex, "]") {
				return nil, p.fail("a ] is missing")
			}
			if !ok {
				return nil, p.fail("a text has no members")
			}
			// ['name'] is the same as .name, for names with spaces; only other indices are
			// evaluated at rendering.
			if text, isText := index.(*literal); isText {
				if name, isName := text.value.(string); isName {
					v.parts = append(v.parts, part{name: name, quoted: true})
					continue
				}
			}
			v.parts = append(v.parts, part{index: index})
		default:
			return of, nil
		}
	}
}

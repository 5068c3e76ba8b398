package liquid

import (
	"maps"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/nearest"
)

// expr is a node of an expression.
type expr interface{ isExpr() }

type (
	// literal is a value that the template writes.
	literal struct{ value any }
	// path is a variable and what is looked up inside of it.
	path struct {
		root  string
		parts []part
	}
	// span is (low..high).
	span struct{ low, high expr }
	// comparison is a == b and its kin, and contains.
	comparison struct {
		op          string
		left, right expr
	}
	// logic is a and b, a or b.
	logic struct {
		and         bool
		left, right expr
	}
	// negation is not a.
	negation struct{ of expr }
	// filtered is a value and the filters that it goes through.
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

// part is one step into a value: a name, or an expression in brackets that is no text.
type part struct {
	name   string
	quoted bool // the name stands in brackets
	index  expr // nil for a name
}

// call is one use of a filter.
type call struct {
	name  string
	args  []expr
	named []namedArg
	run   filter
}

type namedArg struct {
	name  string
	value expr
}

// Now is the name of the variable that is the present instant; the caller gives its value.
const Now = "now"

// maxDepth bounds how deep expressions and blocks nest.
const maxDepth = 64

// exprParser reads an expression.
type exprParser struct {
	all   []lexeme
	at    int
	line  int
	depth int
}

func newExprParser(text string, line int) (*exprParser, error) {
	all, err := lex(text, line)
	if err != nil {
		return nil, err
	}
	return &exprParser{all: all, line: line}, nil
}

func (p *exprParser) peek() lexeme {
	if p.at < len(p.all) {
		return p.all[p.at]
	}
	return lexeme{}
}

func (p *exprParser) next() lexeme {
	l := p.peek()
	p.at++
	return l
}

// take consumes a sign or word if it comes next.
func (p *exprParser) take(kind lexKind, text string) bool {
	if p.peek() == (lexeme{kind, text}) {
		p.at++
		return true
	}
	return false
}

func (p *exprParser) fail(format string, args ...any) error {
	return syntaxError(p.line, format, args...)
}

// end requires that nothing follows.
func (p *exprParser) end() error {
	if l := p.peek(); l.kind != endLex {
		return p.fail("%q does not belong there", l.text)
	}
	return nil
}

// condition reads comparisons joined by and, or; as in Liquid, what is on the right binds
// closer: a or b and c is a or (b and c), and so is a and b or c.
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
	case l == lexeme{nameLex, "contains"}:
	case l.kind == signLex && (l.text == "==" || l.text == "!=" || l.text == "<>" || l.text == "<" || l.text == ">" ||
		l.text == "<=" || l.text == ">="):
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
	op := l.text
	if op == "<>" {
		op = "!="
	}
	return &comparison{op: op, left: left, right: right}, nil
}

// value reads an operand with its filters.
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
	if l, ok := base.(*literal); ok && (l.value == "now" || l.value == "today") && f.calls[0].name == "date" {
		f.base = &path{root: Now} // the usual way of a template to say the present day
	}
	return f, nil
}

func (p *exprParser) filter() (call, error) {
	name := p.next()
	if name.kind != nameLex {
		return call{}, p.fail("the name of a filter is missing behind |")
	}
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

func (p *exprParser) argument(c *call) error {
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

// fits says whether a filter takes the arguments that it is given.
func (p *exprParser) fits(c *call) error {
	if len(c.args) < c.run.least {
		return p.fail("filter %s needs %s", c.name, plural(c.run.least))
	}
	if len(c.args) > c.run.most {
		return p.fail("filter %s takes %s at most", c.name, plural(c.run.most))
	}
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

func (p *exprParser) parentheses() (expr, error) {
	low, err := p.condition()
	if err != nil {
		return nil, err
	}
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

func (p *exprParser) name(name string) (expr, error) {
	switch name {
	case "true":
		return &literal{value: true}, nil
	case "false":
		return &literal{value: false}, nil
	case "nil", "null":
		return &literal{}, nil
	case "blank", "empty":
		return nil, p.fail(`%q is not supported; write == "" or == nil, or ask for the size`, name)
	case "and", "or", "contains":
		return nil, p.fail("%q does not belong there", name)
	}
	return p.parts(&path{root: name})
}

// parts reads what is looked up inside of a value.
func (p *exprParser) parts(of expr) (expr, error) {
	v, ok := of.(*path)
	for {
		switch {
		case p.take(signLex, "."):
			l := p.next()
			if l.kind != nameLex && (l.kind != numberLex || strings.ContainsAny(l.text, ".-")) {
				return nil, p.fail("a name is missing behind the dot")
			}
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

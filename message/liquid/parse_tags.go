package liquid

import "strings"

// parseAssign reads an assign:
//
//	{% assign NAME = VALUE %}
func parseAssign(t *token) (node, error) {
	p, err := newExprParser(t.text, t.line)
	if err != nil {
		return nil, err
	}
	name := p.next()
	if name.kind != nameLex || !p.take(signLex, "=") {
		return nil, syntaxError(t.line, "write assign NAME = VALUE")
	}
	value, err := p.condition()
	if err != nil {
		return nil, err
	}
	return &assignNode{name: name.text, value: value, line: t.line}, p.end()
}

// capture reads a capture with its body:
//
//	{% capture NAME %} ... {% endcapture %}
func (p *parser) capture(t *token) (node, error) {
	name, err := wholeName(t)
	if err != nil {
		return nil, err
	}
	body, _, err := p.block(t, "endcapture")
	return &captureNode{name: name, body: body}, err
}

// parseIf reads an if or unless with all its branches:
//
//	{% if CONDITION %} ... {% elsif CONDITION %} ... {% else %} ... {% endif %}
//
// Only the first branch of an unless is negated; an elsif in it is an ordinary one.
func (p *parser) parseIf(t *token) (node, error) {
	n := &ifNode{}
	clause := *t
	for {
		a := arm{negated: clause.name == "unless", line: clause.line}
		var err error
		if clause.name != "else" {
			if a.condition, err = wholeExpr(&clause); err != nil {
				return nil, err
			}
		} else if err = nothing(&clause); err != nil {
			return nil, err
		}
		// Nothing but the end follows an else.
		ends := []string{"end" + t.name}
		if clause.name != "else" {
			ends = append(ends, "elsif", "else")
		}
		var next token
		if a.body, next, err = p.block(t, ends...); err != nil {
			return nil, err
		}
		n.arms = append(n.arms, a)
		if next.name == "end"+t.name {
			return n, nothing(&next)
		}
		clause = next
	}
}

// parseCase reads a case with all its branches:
//
//	{% case VALUE %} {% when VALUE, VALUE %} ... {% else %} ... {% endcase %}
func (p *parser) parseCase(t *token) (node, error) {
	value, err := wholeExpr(t)
	if err != nil {
		return nil, err
	}
	n := &caseNode{value: value, line: t.line}
	before, clause, err := p.block(t, "when", "else", "endcase")
	if err != nil {
		return nil, err
	}
	// White space between case and the first when is not printed; text there is a mistake.
	for _, b := range before {
		if text, ok := b.(*textNode); !ok || strings.TrimSpace(text.text) != "" {
			return nil, syntaxError(t.line, "write nothing between case and when")
		}
	}
	for clause.name != "endcase" {
		var values []expr
		if clause.name == "when" {
			if values, err = parseValues(&clause); err != nil {
				return nil, err
			}
		} else if err := nothing(&clause); err != nil {
			return nil, err
		}
		// Nothing but the end follows an else.
		ends := []string{"endcase"}
		if clause.name == "when" {
			ends = append(ends, "when", "else")
		}
		body, next, err := p.block(t, ends...)
		if err != nil {
			return nil, err
		}
		if clause.name == "when" {
			n.arms = append(n.arms, whenArm{values: values, body: body})
		} else {
			n.other = body
		}
		clause = next
	}
	return n, nothing(&clause)
}

// parseValues reads the values of a when, which are joined by commas or by "or". They are
// operands without filters, as in Liquid.
func parseValues(t *token) ([]expr, error) {
	p, err := newExprParser(t.text, t.line)
	if err != nil {
		return nil, err
	}
	var values []expr
	for {
		v, err := p.operand()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if !p.take(signLex, ",") && !p.take(nameLex, "or") {
			return values, p.end()
		}
	}
}

// parseFor reads a for or a tablerow with its body; only a for may have an else, which is
// rendered for an empty list:
//
//	{% for NAME in LIST %} ... {% else %} ... {% endfor %}
func (p *parser) parseFor(t *token) (node, error) {
	n, err := parseLoop(t)
	if err != nil {
		return nil, err
	}
	var end token
	if n.row {
		n.body, _, err = p.block(t, "endtablerow")
		return n, err
	}
	if n.body, end, err = p.block(t, "else", "endfor"); err != nil {
		return nil, err
	}
	if end.name == "else" {
		n.hasElse = true
		n.other, _, err = p.block(t, "endfor")
	}
	return n, err
}

// parseLoop reads the parameters of a loop:
//
//	NAME in LIST reversed limit: N offset: N cols: N
//
// They may be separated by commas. cols is for tablerow, reversed for for.
func parseLoop(t *token) (*forNode, error) {
	p, err := newExprParser(t.text, t.line)
	if err != nil {
		return nil, err
	}
	n := &forNode{row: t.name == "tablerow", line: t.line}
	name := p.next()
	if name.kind != nameLex || !p.take(nameLex, "in") {
		return nil, syntaxError(t.line, "write %s NAME in LIST", t.name)
	}
	n.name = name.text
	from := p.at
	if n.list, err = p.value(); err != nil {
		return nil, err
	}
	// Two loops with the same name and list share the place of offset: continue.
	n.key = n.name + "-"
	for _, l := range p.all[from:p.at] {
		n.key += l.text
	}
	// Shopify's templates separate parameters by commas or by spaces.
	for p.take(signLex, ",") || p.peek().kind != endLex {
		word := p.next()
		if word.kind == endLex {
			break
		}
		if word == (lexeme{nameLex, "reversed"}) && !n.row {
			n.reversed = true
			continue
		}
		if !p.take(signLex, ":") {
			return nil, syntaxError(t.line, "%q does not belong there; write limit: N, offset: N, reversed", word.text)
		}
		if word.text == "offset" && p.take(nameLex, "continue") {
			n.onward = true
			continue
		}
		value, err := p.operand()
		if err != nil {
			return nil, err
		}
		switch {
		case word.text == "limit":
			n.limit = value
		case word.text == "offset":
			n.offset = value
		case word.text == "cols" && n.row:
			n.cols = value
		default:
			return nil, syntaxError(t.line, "%s has no %q", t.name, word.text)
		}
	}
	return n, nil
}

// parseCycle reads a cycle. Two cycles with the same GROUP, or without one and with the
// same text, take turns together:
//
//	{% cycle VALUE, VALUE %}
//	{% cycle GROUP: VALUE, VALUE %}
func parseCycle(t *token) (node, error) {
	p, err := newExprParser(t.text, t.line)
	if err != nil {
		return nil, err
	}
	n := &cycleNode{key: t.text, line: t.line}
	for {
		v, err := p.operand()
		if err != nil {
			return nil, err
		}
		if p.take(signLex, ":") && n.group == nil && len(n.values) == 0 {
			n.group = v
			continue
		}
		n.values = append(n.values, v)
		if !p.take(signLex, ",") || p.peek().kind == endLex {
			return n, p.end()
		}
	}
}

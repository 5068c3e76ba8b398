package liquid

import (
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/nearest"
)

// tagNames are the tags that begin something, for messages.
//
//nudge:constant read only
var tagNames = []string{
	"assign", "capture", "if", "unless", "case", "for", "tablerow", "cycle", "break", "continue", "increment",
	"decrement", "elsif", "else", "when", "echo", "liquid", "raw", "comment", "doc",
}

// Template is a parsed template. It is safe for concurrent use.
type Template struct{ nodes []node }

// Parse reads a template. The error is an *Error with the line.
func Parse(source string) (*Template, error) {
	if len(source) > maxSource {
		return nil, syntaxError(0, "the text is over %d bytes", maxSource)
	}
	tokens, err := scan(source)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	nodes, _, err := p.block(nil)
	if err != nil {
		return nil, err
	}
	return &Template{nodes: nodes}, nil
}

// parser makes nodes of tokens.
type parser struct {
	tokens []token
	at     int
	depth  int
}

// block reads nodes up to a tag with one of the names, which is consumed and returned.
func (p *parser) block(open *token, ends ...string) ([]node, token, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, token{}, syntaxError(open.line, "blocks nest deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	var nodes []node
	for p.at < len(p.tokens) {
		t := p.tokens[p.at]
		p.at++
		if t.kind == tagToken && slices.Contains(ends, t.name) {
			return nodes, t, nil
		}
		n, err := p.node(&t)
		if err != nil {
			return nil, token{}, err
		}
		nodes = append(nodes, n...)
	}
	if open != nil {
		return nil, token{}, syntaxError(open.line, "%s is not closed: write {%% end%s %%}", open.name, open.name)
	}
	return nodes, token{}, nil
}

func (p *parser) node(t *token) ([]node, error) {
	switch t.kind {
	case textToken:
		return []node{&textNode{text: t.text}}, nil
	case outputToken:
		return output(t)
	case tagToken:
	}
	n, err := p.tag(t)
	if err != nil || n == nil {
		return nil, err
	}
	return []node{n}, nil
}

// output reads what is printed; a tag without a value prints nothing.
func output(t *token) ([]node, error) {
	if strings.TrimSpace(t.text) == "" {
		return nil, nil
	}
	e, err := wholeExpr(t)
	if err != nil {
		return nil, err
	}
	return []node{&outputNode{value: e, line: t.line}}, nil
}

// wholeExpr reads all that follows the name of a tag as one expression.
func wholeExpr(t *token) (expr, error) {
	p, err := newExprParser(t.text, t.line)
	if err != nil {
		return nil, err
	}
	e, err := p.condition()
	if err != nil {
		return nil, err
	}
	return e, p.end()
}

func (p *parser) tag(t *token) (node, error) {
	switch t.name {
	case "assign":
		return parseAssign(t)
	case "capture":
		return p.capture(t)
	case "if", "unless":
		return p.parseIf(t)
	case "case":
		return p.parseCase(t)
	case "for", "tablerow":
		return p.parseFor(t)
	case "cycle":
		return parseCycle(t)
	case "break":
		return &jumpNode{to: breakLoop}, nothing(t)
	case "continue":
		return &jumpNode{to: continueLoop}, nothing(t)
	case "increment", "decrement":
		name, err := wholeName(t)
		return &counterNode{name: name, down: t.name == "decrement"}, err
	case "echo":
		nodes, err := output(t)
		if err != nil || len(nodes) == 0 {
			return nil, err
		}
		return nodes[0], nil
	case "liquid":
		return p.lines(t)
	case "include", "render", "layout", "section":
		return nil, syntaxError(t.line, "%s is not supported; write the text out", t.name)
	case "else", "elsif", "when":
		return nil, syntaxError(t.line, "%s stands in no block that has one", t.name)
	}
	if strings.HasPrefix(t.name, "end") {
		return nil, syntaxError(t.line, "%s closes a block that is not open", t.name)
	}
	return nil, syntaxError(t.line, "%q is no tag%s", t.name, nearest.Hint(t.name, tagNames))
}

// lines reads the tag liquid: each of its lines is a tag.
func (p *parser) lines(t *token) (node, error) {
	inner := &parser{depth: p.depth}
	skipped := 0 // comments that are open
	for i, line := range strings.Split(t.text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := tagPattern.FindStringSubmatch(line)
		switch {
		case m == nil && skipped == 0:
			return nil, syntaxError(t.line+i, "a tag has no name: %q", line)
		case m == nil:
		case m[1] == "comment":
			skipped++
		case m[1] == "endcomment" && skipped > 0:
			skipped--
		case m[1] == "raw" && skipped == 0:
			return nil, syntaxError(t.line+i, "raw is not supported inside of a liquid tag")
		case skipped == 0:
			tag := token{kind: tagToken, name: m[1], text: line[len(m[0]):], line: t.line + i}
			inner.tokens = append(inner.tokens, tag)
		}
	}
	if skipped > 0 {
		return nil, syntaxError(t.line, "comment is not closed: write endcomment")
	}
	nodes, _, err := inner.block(nil)
	if err != nil {
		return nil, err
	}
	return &ifNode{arms: []arm{{body: nodes}}}, nil
}

func nothing(t *token) error {
	if t.text != "" {
		return syntaxError(t.line, "%s takes nothing: %q", t.name, t.text)
	}
	return nil
}

// wholeName reads the one name that follows a tag; quotes around it are allowed.
func wholeName(t *token) (string, error) {
	p, err := newExprParser(t.text, t.line)
	if err != nil {
		return "", err
	}
	l := p.next()
	if l.kind != nameLex && l.kind != textLex || l.text == "" {
		return "", syntaxError(t.line, "%s needs a name", t.name)
	}
	return l.text, p.end()
}

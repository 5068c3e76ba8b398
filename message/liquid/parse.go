package liquid

import (
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/campaign/nearest"
)

// tagNames are the tags that an author may write, to suggest the right one for a misspelled
// name.
//
//nudge:constant read only
var tagNames = []string{
	"assign", "capture", "if", "unless", "case", "for", "tablerow", "cycle", "break", "continue", "increment",
	"decrement", "elsif", "else", "when", "echo", "liquid", "raw", "comment", "doc",
}

// Template is a parsed template. It is immutable and safe for concurrent use.
type Template struct{ nodes []node }

// Parse parses the text of a template. The error is an *Error with the line.
func Parse(source string) (*Template, error) {
	if len(source) > maxSource {
		return nil, syntaxError(0, "the text is over %d bytes", maxSource)
	}
	// The text is cut into tokens as a whole, so that errors such as an open quote are
	// found first.
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

// parser makes nodes of tokens by recursive descent.
type parser struct {
	tokens []token
	// at is the index of the next token, depth the number of blocks around it.
	at    int
	depth int
}

// block reads nodes up to a tag whose name is among ends. It consumes that tag and returns
// it. open is the tag that began the block, for errors; nil for the whole template, which
// ends with its text. A tag that begins a block of its own reads that block up to its end,
// so the first end found here belongs to this block.
func (p *parser) block(open *token, ends ...string) ([]node, token, error) {
	// The first block has depth 1, so open is not nil where the limit is exceeded.
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
	// The text has ended inside of a block.
	if open != nil {
		return nil, token{}, syntaxError(open.line, "%s is not closed: write {%% end%s %%}", open.name, open.name)
	}
	return nodes, token{}, nil
}

// node makes the nodes of one token: none for an output without a value.
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

// output reads the expression that is printed. An empty output prints nothing.
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

// wholeExpr reads everything after the name of a tag, or inside of an output, as one
// expression. Anything left over is an error.
func wholeExpr(t *token) (expr, error) {
	if t.text == "" && t.name != "" {
		needs := "condition: write for example {% " + t.name + ` customer.traits.level == "gold" %}`
		if t.name == "case" {
			needs = "value: write for example {% case customer.traits.level %}"
		}
		return nil, syntaxError(t.line, "%s needs a %s", t.name, needs)
	}
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

// tag makes the node of a tag, and reads the tags and texts that belong to its block. Tags
// that would include other templates are not supported. An unknown tag is an error and not
// printed, because a misspelled if would print both of its branches.
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
	// A block reads its own else, so one that arrives here belongs to none.
	case "else", "elsif", "when":
		return nil, syntaxError(t.line, "%s stands in no block that has one", t.name)
	}
	if strings.HasPrefix(t.name, "end") {
		return nil, syntaxError(t.line, "%s closes a block that is not open", t.name)
	}
	return nil, syntaxError(t.line, "%q is no tag%s", t.name, nearest.Hint(t.name, tagNames))
}

// lines reads the tag liquid, each line of which is a tag. They become an if without a
// condition, which renders them all.
func (p *parser) lines(t *token) (node, error) {
	// A parser of its own, so that a block must be closed inside of the tag.
	inner := &parser{depth: p.depth}
	// skipped is the number of comments that are open.
	skipped := 0
	for i, line := range strings.Split(t.text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		// Each line is read as a tag would be: a name and what follows it.
		m := tagPattern.FindStringSubmatch(line)
		switch {
		// Inside of a comment anything is allowed.
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

// nothing returns an error where something follows the name of a tag that takes nothing,
// such as an else with a condition, which was probably meant as elsif.
func nothing(t *token) error {
	if t.text != "" {
		return syntaxError(t.line, "%s takes nothing: %q", t.name, t.text)
	}
	return nil
}

// wholeName reads the one name that follows a tag. It may be in quotes.
func wholeName(t *token) (string, error) {
	p, err := newExprParser(t.text, t.line)
	if err != nil {
		return "", err
	}
	// Shopify allows quotes around the name of a capture.
	l := p.next()
	if l.kind != nameLex && l.kind != textLex || l.text == "" {
		return "", syntaxError(t.line, "%s needs a name", t.name)
	}
	return l.text, p.end()
}

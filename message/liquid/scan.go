package liquid

import (
	"regexp"
	"strings"
	"unicode"
)

// tokenKind is the kind of a token.
type tokenKind uint8

const (
	textToken   tokenKind = iota // what is printed as it is
	outputToken                  // {{ ... }}
	tagToken                     // {% name ... %}
)

// token is a piece of a template: a text, an output or a tag.
type token struct {
	kind tokenKind
	// name is the name of a tag, such as "if".
	name string
	// text is the text itself, the expression of an output, or what follows the name of a
	// tag.
	text string
	// line is where an output or tag begins, from 1.
	line int
	// raw marks the text of a raw block.
	raw bool
}

// scanner cuts a template into tokens.
type scanner struct {
	source string
	// at is where the next token begins.
	at     int
	tokens []token
	// trim is true where the tag before the next text ended with a dash, which removes
	// white space after it.
	trim bool
}

var (
	// tagPattern is the name of a tag with the space after it.
	tagPattern = regexp.MustCompile(`^(\w+)\s*`)
	// blockPattern is the tags that begin and end blocks whose content is not parsed.
	blockPattern = regexp.MustCompile(`\{%-?\s*(comment|endcomment|doc|enddoc|raw|endraw)\b[^%]*?%\}`)
)

// scan cuts a template into tokens. Comments are left out, and raw blocks become texts.
func scan(source string) ([]token, error) {
	s := &scanner{source: source}
	for s.at < len(source) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	return s.tokens, nil
}

// lineAt returns the line of an offset of the template, from 1.
func (s *scanner) lineAt(at int) int { return 1 + strings.Count(s.source[:at], "\n") }

// next reads the text up to the next output or tag, and that output or tag. A brace that
// begins neither is part of the text.
func (s *scanner) next() error {
	rest := s.source[s.at:]
	// Find the next {{ or {%.
	open := strings.Index(rest, "{")
	for open >= 0 && open+1 < len(rest) && rest[open+1] != '{' && rest[open+1] != '%' {
		further := strings.Index(rest[open+1:], "{")
		if further < 0 {
			open = -1
			break
		}
		open += 1 + further
	}
	if open < 0 || open+1 >= len(rest) {
		s.text(rest, false)
		s.at = len(s.source)
		return nil
	}
	start := s.at + open
	dash := start+2 < len(s.source) && s.source[start+2] == '-'
	s.text(rest[:open], dash)
	if s.source[start+1] == '{' {
		return s.output(start, dash)
	}
	return s.tag(start, dash)
}

// text adds a text. before says that a tag with a dash follows, which removes the white
// space before it.
func (s *scanner) text(text string, before bool) {
	if s.trim {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
	}
	if before {
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	}
	s.trim = false
	if text != "" {
		s.tokens = append(s.tokens, token{kind: textToken, text: text})
	}
}

// inner returns what is between the marks of the output or tag that begins at start,
// without dashes, and moves behind it. Where quotes is true, a mark inside of quotes does
// not end it. A tag that is not closed is an error with its line, and not text: its author
// would not notice.
func (s *scanner) inner(start int, dash, quotes bool, end string) (string, error) {
	from := start + 2
	if dash {
		from++
	}
	at := from
	for at < len(s.source) && !strings.HasPrefix(s.source[at:], end) {
		c := s.source[at]
		at++
		// Skip a quoted text as a whole.
		if quotes && (c == '"' || c == '\'') {
			closing := strings.IndexByte(s.source[at:], c)
			if closing < 0 {
				return "", syntaxError(s.lineAt(start), "a quote %c is not closed in a tag", c)
			}
			at += closing + 1
		}
	}
	if at >= len(s.source) {
		return "", syntaxError(s.lineAt(start), "a tag is not closed: write %s behind it, or {%% raw %%} around "+
			"text that is no tag", end)
	}
	text := s.source[from:at]
	s.trim = strings.HasSuffix(text, "-")
	s.at = at + len(end)
	return strings.TrimSuffix(text, "-"), nil
}

// output reads {{ ... }}.
func (s *scanner) output(start int, dash bool) error {
	text, err := s.inner(start, dash, true, "}}")
	if err != nil {
		return err
	}
	s.tokens = append(s.tokens, token{kind: outputToken, text: text, line: s.lineAt(start)})
	return nil
}

// tag reads {% ... %}: a tag with a name, a remark ({% # ... %}), or the beginning of a
// raw, comment or doc block, whose content it reads too.
func (s *scanner) tag(start int, dash bool) error {
	from := start + 2
	if dash {
		from++
	}
	// The name decides how the end of the tag is found, so it is read first.
	head := strings.TrimLeftFunc(s.source[from:], unicode.IsSpace)
	m := tagPattern.FindStringSubmatch(head)
	// Quotes have no meaning inside of comments, where an apostrophe is common.
	remark := strings.HasPrefix(head, "#")
	verbatim := m != nil && (m[1] == "raw" || m[1] == "comment" || m[1] == "doc")
	text, err := s.inner(start, dash, !remark && !verbatim, "%}")
	if err != nil {
		return err
	}
	line := s.lineAt(start)
	text = strings.TrimSpace(text)
	m = tagPattern.FindStringSubmatch(text)
	switch {
	case remark:
		for _, l := range strings.Split(text, "\n") {
			if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
				return syntaxError(line, "each line of a comment tag begins with #")
			}
		}
		return nil
	case m == nil:
		return syntaxError(line, "a tag has no name: %q", "{% "+text+" %}")
	case verbatim:
		return s.verbatim(m[1], line)
	}
	s.tokens = append(s.tokens, token{kind: tagToken, name: m[1], text: text[len(m[0]):], line: line})
	return nil
}

// verbatim skips to the end of a raw, comment or doc block. Comments may contain comments,
// and raw blocks in which endcomment is a text.
func (s *scanner) verbatim(name string, line int) error {
	open := []string{name}
	from := s.at
	for at := from; ; {
		m := blockPattern.FindStringSubmatchIndex(s.source[at:])
		if m == nil {
			return syntaxError(line, "%s is not closed: write {%% end%s %%}", name, name)
		}
		begin, end, word := at+m[0], at+m[1], s.source[at+m[2]:at+m[3]]
		at = end
		innermost := open[len(open)-1]
		switch {
		case word == "end"+innermost:
			open = open[:len(open)-1]
		// Inside of raw and doc nothing but their own end counts.
		case innermost == "comment" && (word == "comment" || word == "raw"):
			open = append(open, word)
		}
		if len(open) > 0 {
			continue
		}
		text := s.source[from:begin]
		if name == "raw" && text != "" {
			if s.trim {
				text = strings.TrimLeftFunc(text, unicode.IsSpace)
			}
			if s.source[begin+2] == '-' {
				text = strings.TrimRightFunc(text, unicode.IsSpace)
			}
			s.tokens = append(s.tokens, token{kind: textToken, text: text, line: line, raw: true})
		}
		// end points behind "%}", so end-3 is where the dash of "-%}" would be.
		s.trim = s.source[end-3] == '-'
		s.at = end
		return nil
	}
}

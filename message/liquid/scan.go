package liquid

import (
	"regexp"
	"strings"
	"unicode"
)

// tokenKind is a sort of token.
type tokenKind uint8

const (
	textToken   tokenKind = iota // what is printed as it is
	outputToken                  // {{ ... }}
	tagToken                     // {% name ... %}
)

// token is a piece of a template.
type token struct {
	kind tokenKind
	name string // of a tag
	text string // the text, the expression of an output, what follows the name of a tag
	line int    // of the template, from 1
	raw  bool   // a text that whitespace control leaves as it is
}

// scanner cuts a template into tokens.
type scanner struct {
	source string
	at     int // where the next token begins
	tokens []token
	// trim says that the tag before the next text ended with a dash.
	trim bool
}

var (
	tagPattern   = regexp.MustCompile(`^(\w+)\s*`)
	blockPattern = regexp.MustCompile(`\{%-?\s*(comment|endcomment|doc|enddoc|raw|endraw)\b[^%]*?%\}`)
)

// scan cuts a template into tokens. Comments are gone and raw blocks are texts.
func scan(source string) ([]token, error) {
	s := &scanner{source: source}
	for s.at < len(source) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	return s.tokens, nil
}

// lineAt is the line of a place of the template, from 1.
func (s *scanner) lineAt(at int) int { return 1 + strings.Count(s.source[:at], "\n") }

func (s *scanner) next() error {
	rest := s.source[s.at:]
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

// text adds a text; before says that a tag with a dash follows.
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

// inner is what stands between the marks of a tag that begins at start, without dashes.
// Marks inside of quotes end nothing.
func (s *scanner) inner(start int, dash, quotes bool, end string) (string, error) {
	from := start + 2
	if dash {
		from++
	}
	at := from
	for at < len(s.source) && !strings.HasPrefix(s.source[at:], end) {
		c := s.source[at]
		at++
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

func (s *scanner) output(start int, dash bool) error {
	text, err := s.inner(start, dash, true, "}}")
	if err != nil {
		return err
	}
	s.tokens = append(s.tokens, token{kind: outputToken, text: text, line: s.lineAt(start)})
	return nil
}

func (s *scanner) tag(start int, dash bool) error {
	from := start + 2
	if dash {
		from++
	}
	head := strings.TrimLeftFunc(s.source[from:], unicode.IsSpace)
	m := tagPattern.FindStringSubmatch(head)
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

// verbatim skips to the end of a raw, comment or doc block. Comments may hold comments, and
// raw blocks in which an endcomment is a text.
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
		s.trim = s.source[end-3] == '-'
		s.at = end
		return nil
	}
}

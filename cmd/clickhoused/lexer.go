package main

import (
	"regexp"
	"strings"
)

// tokenKind says what a token is, as far as finding clauses needs it.
type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // identifier or keyword, unquoted
	tokenQuoted           // 'string', "identifier", `identifier`, $heredoc$
	tokenSymbol           // one byte of anything else
)

// token is a piece of the text between the bytes start and end.
type token struct {
	kind       tokenKind
	start, end int
	// depth counts the parentheses, brackets and braces around the token.
	depth int
}

// lexer walks SQL far enough to tell keywords from strings, comments and what is in
// parentheses. It understands no grammar: that is the engine's work. A copy of a lexer reads
// on from the same place.
type lexer struct {
	// text is read from the byte pos on; depth counts the parentheses that are open there.
	text  string
	pos   int
	depth int
}

// is reports whether a token is a word, in any case. A quoted name never is.
func (l *lexer) is(t token, word string) bool {
	return t.kind == tokenWord && strings.EqualFold(l.text[t.start:t.end], word)
}

// next returns the next token; at the end of the text it is of kind tokenEnd. Unfinished
// strings and comments reach to the end.
func (l *lexer) next() token {
	l.skip()
	t := token{kind: tokenEnd, start: l.pos, end: l.pos, depth: l.depth}
	if l.pos >= len(l.text) {
		return t
	}
	switch c := l.text[l.pos]; {
	case c == '\'' || c == '"' || c == '`':
		t.kind = tokenQuoted
		l.quoted(c)
	case c == '$' && l.heredoc():
		t.kind = tokenQuoted
	case isWordByte(c) || c == '$':
		t.kind = tokenWord
		// A dollar belongs to the word before it, and begins no heredoc there.
		for l.pos < len(l.text) && (isWordByte(l.text[l.pos]) || l.text[l.pos] == '$') {
			l.pos++
		}
	default:
		t.kind = tokenSymbol
		l.pos++
		switch c {
		// The depth of a bracket itself is the one outside of it, for both of a pair.
		case '(', '[', '{':
			l.depth++
		case ')', ']', '}':
			l.depth--
			t.depth = l.depth
		}
	}
	t.end = l.pos
	return t
}

// isWordByte reports whether a byte belongs to a word; all bytes above ASCII do.
func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// skip passes white space and comments: -- and # to the end of the line, /* */ nested, as
// ClickHouse reads them.
func (l *lexer) skip() {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				l.pos += end
			} else {
				l.pos = len(l.text)
			}
		case strings.HasPrefix(rest, "/*"):
			l.blockComment()
		default:
			return
		}
	}
}

// blockComment passes a comment, with those within it.
func (l *lexer) blockComment() {
	for level := 0; l.pos < len(l.text); {
		switch rest := l.text[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			level++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			level--
			l.pos += 2
			if level == 0 {
				return
			}
		default:
			l.pos++
		}
	}
}

// quoted passes a string with backslash escapes. A doubled quote ends one string and begins
// the next, which comes to the same.
func (l *lexer) quoted(quote byte) {
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch l.text[l.pos] {
		case '\\':
			l.pos++
		case quote:
			l.pos++
			return
		}
	}
	l.pos = len(l.text)
}

// heredocTag is the beginning of a heredoc.
var heredocTag = regexp.MustCompile(`^\$\w*\$`)

// heredoc passes $tag$ ... $tag$, or reports that there is none and passes nothing.
func (l *lexer) heredoc() bool {
	tag := heredocTag.FindString(l.text[l.pos:])
	if tag == "" {
		return false
	}
	body := l.pos + len(tag)
	end := strings.Index(l.text[body:], tag)
	if end < 0 {
		return false
	}
	l.pos = body + end + len(tag)
	return true
}

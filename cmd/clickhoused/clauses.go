package main

import (
	"strings"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// clauses are the clauses at the end of a reader's statement that the gateway takes over from
// the engine: what is checked and run is the text without them.
type clauses struct {
	// text is the statement without them.
	text string
	// format is empty when none was named.
	format   string
	settings []chdb.Setting
}

// cutClauses takes `FORMAT name` and `SETTINGS a = 1, ...` off the end of a statement, in any
// order. What it does not understand it leaves to the engine, which refuses it.
func cutClauses(sql string) clauses {
	c := clauses{text: sql}
	// Each round takes one clause off; a semicolon at the end goes with it.
	for {
		tokens := tokensOf(c.text)
		for len(tokens) > 0 && isSymbol(c.text, tokens[len(tokens)-1], ';') {
			c.text = c.text[:tokens[len(tokens)-1].start]
			tokens = tokens[:len(tokens)-1]
		}
		if !c.cutFormat(tokens) && !c.cutSettings(tokens) {
			return c
		}
	}
}

// cutFormat takes a FORMAT clause off the end and reports whether there was one. A FORMAT
// after a comma or a dot is a column of that name.
func (c *clauses) cutFormat(tokens []token) bool {
	n := len(tokens)
	if c.format != "" || n < 3 {
		return false
	}
	word, name := tokens[n-2], tokens[n-1]
	if word.depth > 0 || !isWord(c.text, word, "FORMAT") || name.kind != tokenWord ||
		isSymbol(c.text, tokens[n-3], ',') || isSymbol(c.text, tokens[n-3], '.') {
		return false
	}
	c.format = c.text[name.start:name.end]
	c.text = c.text[:word.start]
	return true
}

// cutSettings takes a SETTINGS clause off the end and reports whether there was one that it
// understands.
func (c *clauses) cutSettings(tokens []token) bool {
	for i := len(tokens) - 1; i > 0; i-- {
		if tokens[i].depth > 0 || !isWord(c.text, tokens[i], "SETTINGS") {
			continue
		}
		settings, ok := assignments(c.text, tokens[i+1:])
		if !ok {
			return false
		}
		// Clauses are found from the end on, and are kept in the order of the text.
		c.settings = append(settings, c.settings...)
		c.text = c.text[:tokens[i].start]
		return true
	}
	return false
}

// assignments reads `a = 1, b = 'x'` to the end of the tokens; ok is false for anything else.
func assignments(text string, tokens []token) ([]chdb.Setting, bool) {
	var all []chdb.Setting
	for len(tokens) >= 3 && tokens[0].kind == tokenWord && isSymbol(text, tokens[1], '=') {
		name := text[tokens[0].start:tokens[0].end]
		value, rest, ok := literal(text, tokens[2:])
		if !ok {
			return nil, false
		}
		all = append(all, chdb.Setting{Name: name, Value: value})
		switch {
		case len(rest) == 0:
			return all, true
		case !isSymbol(text, rest[0], ','):
			return nil, false
		}
		tokens = rest[1:]
	}
	return nil, false
}

// literal reads a string, a number, true or false, and returns the tokens after it. Strings
// with quotes or backslashes are not read: to unescape them otherwise than the engine could
// let a value through that was not checked.
func literal(text string, tokens []token) (value string, rest []token, ok bool) {
	t := tokens[0]
	raw := text[t.start:t.end]
	if t.kind == tokenQuoted {
		if len(raw) < 2 || raw[0] != '\'' || raw[len(raw)-1] != '\'' || strings.ContainsAny(raw[1:len(raw)-1], `\'`) {
			return "", nil, false
		}
		return raw[1 : len(raw)-1], tokens[1:], true
	}
	n := 0 // a number may be several tokens: -1.5
	for n < len(tokens) && !isSymbol(text, tokens[n], ',') {
		if tokens[n].kind != tokenWord && !isSymbol(text, tokens[n], '-') && !isSymbol(text, tokens[n], '.') {
			return "", nil, false
		}
		n++
	}
	if n == 0 {
		return "", nil, false
	}
	// The engine takes 1 and 0 for flags, which is what the checks of values know.
	switch value = text[t.start:tokens[n-1].end]; {
	case strings.EqualFold(value, "true"):
		value = "1"
	case strings.EqualFold(value, "false"):
		value = "0"
	case strings.ContainsAny(value, " \t\r\n\f\v") || strings.IndexFunc(value, isNumberRune) != 0:
		return "", nil, false
	}
	return value, tokens[n:], true
}

// isNumberRune reports whether a number can begin with a rune.
func isNumberRune(r rune) bool { return r >= '0' && r <= '9' || r == '-' || r == '.' }

// tokensOf returns the tokens of a statement, without the end.
func tokensOf(text string) []token {
	lex := &lexer{text: text}
	var all []token
	for t := lex.next(); t.kind != tokenEnd; t = lex.next() {
		all = append(all, t)
	}
	return all
}

// isWord reports whether a token of text is a word, in any case.
func isWord(text string, t token, word string) bool {
	return t.kind == tokenWord && strings.EqualFold(text[t.start:t.end], word)
}

// isSymbol reports whether a token of text is a symbol.
func isSymbol(text string, t token, symbol byte) bool {
	return t.kind == tokenSymbol && text[t.start] == symbol
}

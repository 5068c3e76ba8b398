package main

import (
	"strings"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// statement is one SQL statement, taken apart as far as the engine as a library needs it: it
// takes the data of an INSERT separately and without the FORMAT clause.
type statement struct {
	// sql is the text that is run; of an INSERT with data only its head.
	sql string
	// format is what the FORMAT clause names: the format of the result, or of the data. Empty:
	// none is named.
	format string
	// carriesData says that this is an INSERT with VALUES or FORMAT, whose data begins with
	// inline.
	carriesData bool
	inline      string
}

// parseStatement takes text apart. What it does not understand is left to the engine as it is,
// which then gives a better error than this package could.
func parseStatement(text string) (statement, error) {
	lex := &lexer{text: text}
	first := lex.next()
	if first.kind == tokenEnd {
		return statement{}, exception(62, "SYNTAX_ERROR", "Syntax error: Empty query")
	}
	if lex.is(first, "INSERT") {
		return parseInsert(lex)
	}
	return parseQuery(lex)
}

// parseInsert finds the end of the head, which is VALUES or FORMAT after the table's name.
// INSERT ... SELECT is an ordinary query.
func parseInsert(lex *lexer) (statement, error) {
	tok := lex.next()
	for lex.is(tok, "INTO") || lex.is(tok, "TABLE") || lex.is(tok, "FUNCTION") {
		tok = lex.next()
	}
	// tok is (the first part of) the name, whatever it spells.
	for prev := tok; ; prev = tok {
		tok = lex.next()
		switch {
		case tok.kind == tokenEnd:
			return statement{}, exception(62, "SYNTAX_ERROR", "Syntax error: INSERT needs VALUES, FORMAT with data, "+
				"or SELECT: "+head(lex.text))
		// In the list of columns, or part of a name.
		case tok.depth > 0 || isDot(lex, prev):
			continue
		case tok.kind == tokenSymbol && lex.text[tok.start] == ';':
			return statement{}, errMultiStatement()
		// Read again from the beginning, as a query.
		case lex.is(tok, "SELECT"), lex.is(tok, "WITH"):
			return parseQuery(&lexer{text: lex.text})
		case lex.is(tok, "INFILE"):
			return statement{}, exception(344, "SUPPORT_IS_DISABLED", "INSERT FROM INFILE would read a file of the "+
				"server: send the data in the request body")
		case lex.is(tok, "VALUES"):
			return statement{
				sql: lex.text[:tok.start], format: "Values", carriesData: true,
				inline: lex.text[tok.end:],
			}, nil
		case lex.is(tok, "FORMAT"):
			name := lex.next()
			return statement{
				sql: lex.text[:tok.start], format: lex.text[name.start:name.end], carriesData: true,
				inline: afterFormat(lex.text[name.end:]),
			}, nil
		}
	}
}

// isDot reports whether a token is the dot in a name: what follows it is a name too, even if
// it spells VALUES.
func isDot(lex *lexer, t token) bool {
	return t.kind == tokenSymbol && lex.text[t.start] == '.'
}

// afterFormat drops what ClickHouse drops between the format's name and the data: spaces and
// one line end. Binary data must keep every other byte.
func afterFormat(data string) string {
	data = strings.TrimLeft(data, " \t\f")
	if rest, ok := strings.CutPrefix(data, "\r\n"); ok {
		return rest
	}
	return strings.TrimPrefix(data, "\n")
}

// parseQuery finds the FORMAT clause, and refuses a result that would be written to a file of
// the server.
func parseQuery(lex *lexer) (statement, error) {
	st := statement{sql: lex.text}
	for tok := lex.next(); tok.kind != tokenEnd; tok = lex.next() {
		// Copying the lexer looks one token ahead.
		peek := *lex
		following := peek.next()
		switch {
		case lex.is(tok, "INTO") && lex.is(following, "OUTFILE"):
			return statement{}, exception(358, "INTO_OUTFILE_NOT_ALLOWED",
				"INTO OUTFILE is not allowed: the result is in the response body")
		case tok.depth == 0 && lex.is(tok, "FORMAT") && following.kind == tokenWord:
			st.format = lex.text[following.start:following.end]
		}
	}
	return st, nil
}

// head returns the beginning of a statement for an error message.
func head(sql string) string {
	const limit = 120
	if len(sql) <= limit {
		return strings.TrimSpace(sql)
	}
	return strings.ToValidUTF8(strings.TrimSpace(sql[:limit]), "") + "..."
}

// errMultiStatement refuses several statements in one request, with the engine's code for
// that.
func errMultiStatement() *chdb.Exception {
	return exception(62, "SYNTAX_ERROR",
		"Syntax error (Multi-statements are not allowed): send one statement per request")
}

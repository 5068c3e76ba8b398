package main

import "strings"

// calls refuses a text that calls a forbidden function. It goes by tokens, a name before a
// parenthesis: it is for the head and the values of an INSERT, which have no syntax tree
// without their data.
func (p *policy) calls(who role, text string) error {
	lex := &lexer{text: text}
	for last := lex.next(); last.kind != tokenEnd; {
		t := lex.next()
		name := strings.ToLower(strings.Trim(text[last.start:last.end], "`\""))
		if isSymbol(text, t, '(') && last.kind != tokenSymbol && p.forbidden[name] {
			return denied(who, "call "+headerSafe(name)+"()")
		}
		last = t
	}
	return nil
}

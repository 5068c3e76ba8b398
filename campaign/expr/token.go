package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// exprToken is a token of an expression that CEL refused, as far as saying what is wrong needs it.
type exprToken struct {
	kind tokenKind
	// text is the token as written, with its quotes.
	text string
	// at is the byte of the expression at which it begins.
	at int
}

// tokenKind says what a token is.
type tokenKind uint8

const (
	tokenWord tokenKind = iota
	tokenNumber
	// A text in quotes.
	tokenText
	// A text whose closing quote is missing; it goes to the end.
	tokenOpenText
	// An operator or bracket.
	tokenSign
)

// signs are the operators of more than one character, those of CEL and what people write for them.
// A prefix of another must come after it.
//
//nudge:constant read only
var signs = []string{"===", "!==", "==", "!=", "<=", ">=", "&&", "||", "=>", "=<", "<>", "{{", "}}", "//", "**", "++"}

// exprTokens splits an expression into tokens, and never fails: what it does not know is a sign. It
// ends at a comment. For example, `total => 5` becomes total, => and 5.
func exprTokens(source string) (all []exprToken) {
	for at := 0; at < len(source); {
		c, size := utf8.DecodeRuneInString(source[at:])
		if unicode.IsSpace(c) {
			at += size
			continue
		}
		t := exprToken{at: at, kind: tokenSign, text: source[at : at+size]}
		switch {
		case c == '"' || c == '\'':
			t.text, t.kind = quotedText(source[at:])
		case unicode.IsLetter(c) || c == '_':
			t.kind, t.text = tokenWord, leadingRunes(source[at:], func(c rune) bool {
				return unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_'
			})
		case unicode.IsDigit(c):
			t.kind, t.text = tokenNumber, leadingRunes(source[at:], func(c rune) bool {
				return unicode.IsDigit(c) || c == '.'
			})
		default:
			for _, s := range signs {
				if strings.HasPrefix(source[at:], s) {
					t.text = s
					break
				}
			}
		}
		if t.text == "//" { // a comment
			return all
		}
		all = append(all, t)
		at += len(t.text)
	}
	return all
}

// leadingRunes returns the longest prefix of s whose runes all satisfy of.
func leadingRunes(s string, of func(rune) bool) string {
	if end := strings.IndexFunc(s, func(c rune) bool { return !of(c) }); end >= 0 {
		return s[:end]
	}
	return s
}

// quotedText returns the text literal at the beginning of s, its quotes included, as tokenText; or
// all of s as tokenOpenText where the closing quote is missing. A backslash escapes the next byte.
func quotedText(s string) (string, tokenKind) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return s[:i+1], tokenText
		}
	}
	return s, tokenOpenText
}

// ends says whether a value can end with a token.
func (t exprToken) ends() bool {
	return t.kind == tokenNumber || t.kind == tokenText || t.kind == tokenWord && t.text != "in" ||
		t.text == ")" || t.text == "]" || t.text == "}"
}

// begins says whether a value can begin with a token.
func (t exprToken) begins() bool {
	return t.kind == tokenNumber || t.kind == tokenText || t.kind == tokenWord && t.text != "in" ||
		t.text == "(" || t.text == "[" || t.text == "!" || t.text == "-"
}

package liquid

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexKind is the kind of a lexeme.
type lexKind uint8

const (
	// endLex is the zero kind, which stands for the end.
	endLex    lexKind = iota
	nameLex           // an identifier or a word of the language
	numberLex         // 12, -1.5
	textLex           // in quotes, without them
	signLex           // an operator or a bracket
)

// lexeme is the smallest piece of an expression that has a meaning.
type lexeme struct {
	kind lexKind
	text string
}

// signs are the operators and brackets, the longer ones first, so that <= is not read as <
// and =.
//
//nudge:constant read only
var signs = []string{"==", "!=", "<>", "<=", ">=", "..", "<", ">", "|", ":", ",", ".", "[", "]", "(", ")", "="}

// lex cuts the text of an expression into lexemes. line is its line in the template, for
// errors.
func lex(text string, line int) ([]lexeme, error) {
	var all []lexeme
	for at := 0; at < len(text); {
		c, size := utf8.DecodeRuneInString(text[at:])
		rest := text[at:]
		switch {
		case unicode.IsSpace(c):
			at += size
		case c == '"' || c == '\'':
			// Texts have no escapes in Liquid: a text with one kind of quote inside is
			// written in the other kind.
			end := strings.IndexByte(rest[1:], byte(c))
			if end < 0 {
				return nil, syntaxError(line, "a quote %c is not closed", c)
			}
			all = append(all, lexeme{textLex, rest[1 : 1+end]})
			at += end + 2
		// A minus sign belongs to the number: Liquid has no arithmetic operators.
		case isNumber(rest) && !followsValue(all):
			n := numberLength(rest)
			all = append(all, lexeme{numberLex, rest[:n]})
			at += n
		case c == '_' || unicode.IsLetter(c):
			n := nameLength(rest)
			all = append(all, lexeme{nameLex, rest[:n]})
			at += n
		default:
			sign := signAt(rest)
			if sign == "" {
				return nil, syntaxError(line, "%q does not belong into %q", string(c), strings.TrimSpace(text))
			}
			all = append(all, lexeme{signLex, sign})
			at += len(sign)
		}
	}
	return all, nil
}

// followsValue reports whether a dot precedes: digits after it are the name of a member, as
// in list.0.
func followsValue(all []lexeme) bool {
	return len(all) > 0 && all[len(all)-1] == lexeme{signLex, "."}
}

// isNumber reports whether s begins with a number.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

// numberLength returns the length of the number at the beginning of s. A point belongs to
// it only if a digit follows, so that (1..5) is a range.
func numberLength(s string) int {
	digits := func(at int) int {
		for at < len(s) && s[at] >= '0' && s[at] <= '9' {
			at++
		}
		return at
	}
	n := 0
	if s[0] == '-' {
		n = 1
	}
	n = digits(n)
	if n+1 < len(s) && s[n] == '.' && s[n+1] >= '0' && s[n+1] <= '9' {
		n = digits(n + 1)
	}
	return n
}

// nameLength returns the length of the name at the beginning of s. A name may end with a
// question mark, as in Ruby.
func nameLength(s string) int {
	for at, c := range s {
		if c != '_' && c != '-' && !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) {
			if c == '?' {
				at++
			}
			return at
		}
	}
	return len(s)
}

// signAt returns the operator or bracket at the beginning of s; empty where there is none.
func signAt(s string) string {
	for _, sign := range signs {
		if strings.HasPrefix(s, sign) {
			return sign
		}
	}
	return ""
}

package liquid

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexKind is a sort of lexeme.
type lexKind uint8

const (
	endLex    lexKind = iota
	nameLex           // an identifier or a word of the language
	numberLex         // 12, -1.5
	textLex           // in quotes, without them
	signLex           // an operator or a bracket
)

// lexeme is a piece of an expression.
type lexeme struct {
	kind lexKind
	text string
}

// signs are the operators and brackets, longest first.
//
//nudge:constant read only
var signs = []string{"==", "!=", "<>", "<=", ">=", "..", "<", ">", "|", ":", ",", ".", "[", "]", "(", ")", "="}

// lex cuts an expression into lexemes.
func lex(text string, line int) ([]lexeme, error) {
	var all []lexeme
	for at := 0; at < len(text); {
		c, size := utf8.DecodeRuneInString(text[at:])
		rest := text[at:]
		switch {
		case unicode.IsSpace(c):
			at += size
		case c == '"' || c == '\'':
			end := strings.IndexByte(rest[1:], byte(c))
			if end < 0 {
				return nil, syntaxError(line, "a quote %c is not closed", c)
			}
			all = append(all, lexeme{textLex, rest[1 : 1+end]})
			at += end + 2
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

// followsValue says whether a dot stands before, so that digits are the name of a member.
func followsValue(all []lexeme) bool {
	return len(all) > 0 && all[len(all)-1] == lexeme{signLex, "."}
}

func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

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

func signAt(s string) string {
	for _, sign := range signs {
		if strings.HasPrefix(s, sign) {
			return sign
		}
	}
	return ""
}

package expr

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Error is one error of an expression.
type Error struct {
	// Offset is the byte of the expression at which it is, from 0.
	Offset  int
	Message string
}

// Errors are the errors of an expression, in the order of their places.
type Errors []Error

// Error joins the messages, without their places.
func (e Errors) Error() string {
	messages := make([]string, len(e))
	for i := range e {
		messages[i] = e[i].Message
	}
	return strings.Join(messages, "; ")
}

// instead is what CEL writes for an operator of other languages.
//
//nudge:constant read only
var instead = map[string]string{
	"=": "==", "===": "==", "!==": "!=", "<>": "!=", "=>": ">=", "=<": "<=", "&": "&&", "|": "||",
	"and": "&&", "or": "||", "is": "==", "equals": "==", "eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<",
	"lte": "<=",
}

// methods are the words between two values that CEL writes as a function of the first.
//
//nudge:constant read only
var methods = map[string]string{
	"contains": "contains", "includes": "contains", "like": "contains", "matches": "matches",
	"startswith": "startsWith", "starts": "startsWith", "beginswith": "startsWith", "endswith": "endsWith",
	"ends": "endsWith",
}

// constants are words of other languages for values of CEL.
//
//nudge:constant read only
var constants = map[string]string{
	"True": "true", "TRUE": "true", "yes": "true", "False": "false", "FALSE": "false", "no": "false",
	"None": "null", "nil": "null", "NULL": "null", "Null": "null", "undefined": "null",
}

// exprMistakes finds what people write who know other languages, in an expression that CEL refused.
// It reports nothing that it is not sure of: the caller has CEL's own errors too. For example,
// `total = 5 and vip` has two mistakes: = and "and".
func exprMistakes(source string) Errors {
	m := mistakes{tokens: exprTokens(source)}
	if len(m.tokens) == 0 {
		return Errors{{0, "the expression is empty"}}
	}
	for i, t := range m.tokens {
		if m.sign(i, t) || m.word(i, t) || m.neighbours(i, t) {
			continue
		}
	}
	m.brackets()
	if len(m.found) == 0 {
		m.tooShort()
	}
	slices.SortStableFunc(m.found, func(a, b Error) int { return a.Offset - b.Offset })
	return m.found
}

// mistakes collects the errors of one expression.
type mistakes struct {
	tokens []exprToken
	found  Errors
}

// add notes an error at a token. It returns true, so that a check can end with it.
func (m *mistakes) add(t exprToken, format string, args ...any) bool {
	m.found = append(m.found, Error{t.at, fmt.Sprintf(format, args...)})
	return true
}

// before and after return the tokens beside token i; beyond the ends, an empty sign.
func (m *mistakes) before(i int) exprToken { return m.at(i - 1) }
func (m *mistakes) after(i int) exprToken  { return m.at(i + 1) }

// at returns token i, or an empty sign beyond the ends.
func (m *mistakes) at(i int) exprToken {
	if i < 0 || i >= len(m.tokens) {
		return exprToken{kind: tokenSign}
	}
	return m.tokens[i]
}

// operators are the signs that CEL has.
//
//nudge:constant read only
var operators = strings.Fields("== != <= >= && || < > + - * / % ! ? : ( ) [ ] { } . ,")

// sign reports a wrong operator, a typographic quote, or a text that is not closed; it returns
// whether it did.
func (m *mistakes) sign(i int, t exprToken) bool {
	switch {
	case t.kind == tokenOpenText:
		return m.add(t, "the text is not closed: write %s at its end", t.text[:1])
	case t.kind != tokenSign:
		return false
	case t.text == "{{" || t.text == "}}":
		return m.add(t, "an expression is written without %s", t.text)
	case instead[t.text] == "==":
		return m.add(t, "write == to compare, not %s", t.text)
	case instead[t.text] != "":
		return m.add(t, "write %s, not %s", instead[t.text], t.text)
	case strings.ContainsAny(t.text, "“”„«»‘’‚"):
		return m.add(t, `write the straight quote ", not %s`, t.text)
	case t.text == "%" && m.before(i).kind == tokenNumber && !m.after(i).begins():
		return m.add(t, "write the number without %%")
	case !slices.Contains(operators, t.text):
		return m.add(t, "%s means nothing in an expression; remove it, or put the text in quotes", t.text)
	}
	return false
}

// word reports a word that is an operator elsewhere, such as "and" or "not in"; it returns whether
// it did. The same word may be a field (event.properties.is), which is why its neighbours count.
func (m *mistakes) word(i int, t exprToken) bool {
	before, after := m.before(i), m.after(i)
	if t.kind != tokenWord || before.text == "." || after.text == "." || after.text == "(" && !before.ends() {
		return false
	}
	lower := strings.ToLower(t.text)
	if t.text == "in" && after.text == "(" && m.hasComma(i+1) {
		return m.add(after, "a list is written in [ ]: write in [...], not in (...)")
	}
	between := before.ends() && (after.begins() || after.text == "")
	switch {
	case lower == "is" && after.kind == tokenWord && strings.EqualFold(after.text, "not"):
		return m.add(t, "write != for %s %s", t.text, after.text)
	case lower == "not" && strings.EqualFold(before.text, "is"):
		return true
	case lower == "not" && strings.EqualFold(after.text, "in"):
		return m.add(t, "write !(VALUE in [...]) for not in")
	case lower == "not":
		return m.add(t, "write ! for %s, before what it denies", t.text)
	case lower == "between" && between:
		return m.add(t, "write VALUE >= LOWEST && VALUE <= HIGHEST for between")
	case between && instead[lower] == "==":
		return m.add(t, "write == for %s", t.text)
	case between && instead[lower] != "":
		return m.add(t, "write %s for %s", instead[lower], t.text)
	case between && methods[lower] != "":
		return m.add(t, "write VALUE.%s(TEXT) for VALUE %s TEXT", methods[lower], t.text)
	case t.text == "if" || t.text == "then" || t.text == "else":
		return m.add(t, "write CONDITION ? VALUE : OTHER for if, then and else")
	}
	return false
}

// hasComma says whether the bracket at an index has a comma directly inside: (1, 2) does, ((1, 2))
// does not.
func (m *mistakes) hasComma(at int) bool {
	depth := 0
	for _, t := range m.tokens[at:] {
		switch {
		case t.kind != tokenSign:
		case t.text == "(" || t.text == "[":
			depth++
		case t.text == ")" || t.text == "]":
			if depth--; depth == 0 {
				return false
			}
		case t.text == "," && depth == 1:
			return true
		}
	}
	return false
}

// dateWithoutQuotes finds an expression that computes 2026-03-01, which is 2022, and means a date.
// CEL accepts it.
func dateWithoutQuotes(source string) (e Error, found bool) {
	tokens := exprTokens(source)
	for i := 0; i+4 < len(tokens); i++ {
		year, month, day := tokens[i], tokens[i+2], tokens[i+4]
		if year.kind == tokenNumber && len(year.text) == 4 && tokens[i+1].text == "-" && len(month.text) == 2 &&
			month.kind == tokenNumber && tokens[i+3].text == "-" && len(day.text) == 2 && day.kind == tokenNumber &&
			day.at == year.at+len("2026-03-") {
			date := source[year.at : day.at+2]
			message := fmt.Sprintf(`write timestamp("%sT00:00:00Z") for a date; %s is a subtraction`, date, date)
			return Error{year.at, message}, true
		}
	}
	return Error{}, false
}

// neighbours reports two values without an operator between them, such as a text without quotes; it
// returns whether it did.
func (m *mistakes) neighbours(i int, t exprToken) bool {
	before := m.before(i)
	if !before.ends() || t.kind == tokenSign || t.kind == tokenWord && t.text == "in" ||
		m.isOperatorWord(i-1) || m.isOperatorWord(i) {
		return false
	}
	if before.kind == tokenNumber && t.kind == tokenWord && before.at+len(before.text) == t.at {
		switch t.text {
		case "u", "U", "e", "E", "x":
			return false
		}
		return m.add(before, `a text is written in quotes: write "%s%s"`, before.text, t.text)
	}
	if before.kind == tokenWord && t.kind == tokenText && slices.Contains([]string{"r", "R", "b", "B"}, before.text) {
		return false
	}
	if before.kind == tokenWord && t.kind == tokenWord {
		if m.at(i-2).text == "." || m.after(i).text == "." || m.at(i-2).ends() {
			return m.add(t, "an operator is missing before %s, for example && or ==; a name with a space is "+
				`written ["like this"]`, t.text)
		}
		return m.add(before, `a text is written in quotes: write "%s %s"`, before.text, t.text)
	}
	return m.add(t, "an operator is missing before %s, for example && or ==", t.text)
}

// isOperatorWord reports whether token i is a word that somebody used as an operator, such as
// "and", for which method word has a hint.
func (m *mistakes) isOperatorWord(i int) bool {
	t := m.at(i)
	if t.kind != tokenWord || m.before(i).text == "." {
		return false
	}
	lower := strings.ToLower(t.text)
	return instead[lower] != "" || methods[lower] != "" ||
		slices.Contains([]string{"not", "between", "if", "then", "else"}, lower)
}

// brackets reports the first bracket that closes nothing, or the last that is not closed.
func (m *mistakes) brackets() {
	closing := map[string]string{"(": ")", "[": "]", "{": "}"}
	var open []exprToken
	for _, t := range m.tokens {
		switch {
		case t.kind != tokenSign:
		case closing[t.text] != "":
			open = append(open, t)
		case t.text == ")" || t.text == "]" || t.text == "}":
			if len(open) == 0 || closing[open[len(open)-1].text] != t.text {
				m.add(t, "there is no bracket that this %s closes", t.text)
				return
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		m.add(open[len(open)-1], "the bracket %s is not closed", open[len(open)-1].text)
	}
}

// tooShort reports the first operator with nothing on one of its sides.
func (m *mistakes) tooShort() {
	binary := strings.Fields("== != <= >= && || < > + * / % in")
	for i, t := range m.tokens {
		if t.kind == tokenText || !slices.Contains(binary, t.text) || m.before(i).text == "." {
			continue
		}
		if !m.after(i).begins() && m.after(i).text != "{" {
			m.add(exprToken{at: t.at}, "something is missing after %s", t.text)
			return
		}
		if !m.before(i).ends() {
			m.add(exprToken{at: t.at}, "something is missing before %s", t.text)
			return
		}
	}
}

// byteAt returns the byte offset of a line (from 1) and a column (in characters, from 0), as CEL
// gives places. Beyond the end it is the length of source.
func byteAt(source string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(source[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	for ; column > 0 && at < len(source); column-- {
		_, size := utf8.DecodeRuneInString(source[at:])
		at += size
	}
	return at
}

package audit

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// textOf returns a value as text. Keys and matches compare it, so that a whole number and its text
// are the same.
func textOf(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	default:
		n, isNumber := number(v)
		return strconv.FormatFloat(n, 'f', -1, 64), isNumber
	}
}

// yesOrNo reads consent as people write it: booleans, the numbers 1 and 0, or words.
func yesOrNo(v any) (yes, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "yes", "1":
			return true, true
		case "false", "no", "0":
			return false, true
		}
	default:
		n, isNumber := number(v)
		return n == 1, isNumber && (n == 1 || n == 0)
	}
	return false, false
}

var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// amount returns a number, also that of a text which is written as one.
func amount(v any) (n float64, ok bool) {
	if s, isText := v.(string); isText && decimal.MatchString(s) {
		n, err := strconv.ParseFloat(s, 64)
		return n, err == nil
	}
	return number(v)
}

// amount returns the number that a sum adds for a value: 0 for what is no number.
func (a *Auditor) amount(v any) float64 {
	n, ok := amount(v)
	if _, isText := v.(string); isText {
		a.note(map[bool]string{true: NoteNumericText, false: NoteBadNumber}[ok])
	}
	return n
}

// rat returns the number as it is written in decimals.
func rat(n float64) *big.Rat {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(n, 'f', -1, 64))
	if !ok {
		panic("BUG: a number that is no decimal")
	}
	return r
}

// beyond compares a with b + more in decimals: -1, 0 or 1.
func beyond(a, b, more float64) int { return rat(a).Cmp(new(big.Rat).Add(rat(b), rat(more))) }

// texts returns a text, or those of a list.
func texts(v any) (all []string) {
	if s, ok := v.(string); ok && s != "" {
		return []string{s}
	}
	list, _ := v.([]any)
	for _, v := range list {
		all = append(all, texts(v)...)
	}
	return all
}

package audit

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// textOf is a value as text, as keys and matches compare it: a whole number and its text are
// one.
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

// amount is a number, or a text that is one.
func amount(v any) (n float64, ok bool) {
	if s, isText := v.(string); isText && decimal.MatchString(s) {
		n, err := strconv.ParseFloat(s, 64)
		return n, err == nil
	}
	return number(v)
}

// rat is a number as it is written in decimals.
func rat(n float64) *big.Rat {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(n, 'f', -1, 64))
	if !ok {
		panic("BUG: a number that is no decimal")
	}
	return r
}

// beyond compares a with b + more in decimals: -1, 0 or 1.
func beyond(a, b, more float64) int { return rat(a).Cmp(new(big.Rat).Add(rat(b), rat(more))) }

// Notes of values that come in other forms than they are meant.
const (
	NoteMixedIDs    = "number and text that are one id"
	NoteConsentWord = "consent in words"
	NoteBadConsent  = "consent that says neither yes nor no"
	NoteNumericText = "text counted as a number"
	NoteBadNumber   = "text that is no number"
	NoteOddZone     = "time zone in another form"
	NoteBadZone     = "time zone that is none"
	NoteOldTrait    = "identify call too old to overwrite"
	NoteOldTraitSet = "older identify call that overwrites"
	NoteDecimal     = "value back by exactly the hysteresis"
	NoteWrittenDay  = "date that repeats on the day that is written"
	NoteDropExit    = "chain ended by a dropped send"
	NoteDropGoto    = "chain led elsewhere by a dropped send"
	NoteClockGap    = "schedule at a time that clocks left out"
)

func wordNotes() []string {
	return []string{
		NoteMixedIDs, NoteConsentWord, NoteBadConsent, NoteNumericText, NoteBadNumber, NoteOddZone, NoteBadZone,
		NoteOldTrait, NoteOldTraitSet, NoteDecimal, NoteWrittenDay, NoteDropExit, NoteDropGoto, NoteClockGap, NoteSlid,
	}
}

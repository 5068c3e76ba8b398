package unit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxDuration is the longest duration that the language accepts, in ms: ten years of 366 days. Every
// product and sum of durations below it fits an int64 with room to spare.
const maxDuration = 10 * 366 * 24 * 3600 * 1000

// ParseDuration reads a duration such as "90s", "15m", "24h", "14d" or "2w", or several of them in a
// row ("1h30m"), and returns it in milliseconds. The units are ms, s, m, h, d and w. A day always has
// 24 hours, also where the clocks change. Zero is allowed ("0s").
//
// An error says what is wrong and, where the meaning can be guessed, how to write it. It is returned
// for empty text, an unknown unit, a number without a unit, and more than ten years.
func ParseDuration(text string) (int64, error) {
	rest, total := text, int64(0)
	if rest == "" {
		return 0, errors.New("empty duration; write for example 90s, 15m, 24h, 14d or 2w")
	}
	for rest != "" {
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		// Twelve digits fit an int64; the bound on n*unit below is checked before it is multiplied.
		if digits == 0 || digits > 12 {
			return 0, badDuration(text)
		}
		n := int64(0)
		for _, c := range rest[:digits] {
			n = n*10 + int64(c-'0')
		}
		unit, after := durationUnit(rest[digits:])
		if unit == 0 {
			return 0, badDuration(text)
		}
		if n > maxDuration/unit {
			return 0, fmt.Errorf("duration %q is over ten years", text)
		}
		total += n * unit
		rest = after
	}
	if total > maxDuration {
		return 0, fmt.Errorf("duration %q is over ten years", text)
	}
	return total, nil
}

// badDuration returns the error for text that is no duration. It suggests the right spelling where
// MeantDuration can tell what was meant, and shows examples otherwise.
func badDuration(text string) error {
	if meant := MeantDuration(text); meant != "" {
		return fmt.Errorf("duration %q is not understood; write %s", text, meant)
	}
	return fmt.Errorf("duration %q is not understood; write for example 90s, 15m, 24h, 14d or 2w", text)
}

// durationUnit splits the unit at the beginning of s from the rest, and returns the length of the unit
// in ms. unit is 0 where s does not begin with a known unit.
func durationUnit(s string) (unit int64, rest string) {
	// Milliseconds first: "ms" begins with the unit of minutes.
	if after, ok := strings.CutPrefix(s, "ms"); ok {
		return 1, after
	}
	if s == "" {
		return 0, ""
	}
	switch s[0] {
	case 's':
		unit = 1000
	case 'm':
		unit = 60 * 1000
	case 'h':
		unit = 3600 * 1000
	case 'd':
		unit = 24 * 3600 * 1000
	case 'w':
		unit = 7 * 24 * 3600 * 1000
	}
	return unit, s[1:]
}

// FormatDuration writes a duration of ms milliseconds in the form that ParseDuration reads, as a whole
// number of the largest unit that divides it: 86,400,000 is "1d", 90,000 is "90s", 0 is "0ms".
func FormatDuration(ms int64) string {
	for _, u := range []struct {
		name string
		unit int64
	}{{"w", 7 * DayMillis}, {"d", DayMillis}, {"h", 3_600_000}, {"m", 60_000}, {"s", 1000}} {
		if ms != 0 && ms%u.unit == 0 {
			return strconv.FormatInt(ms/u.unit, 10) + u.name
		}
	}
	return strconv.FormatInt(ms, 10) + "ms"
}

// DayMillis is the length of a day of 24 hours in ms.
const DayMillis = 24 * 3600 * 1000

// HourMillis is the length of an hour in ms. Experiments are evaluated once an hour.
const HourMillis = 3_600_000

package unit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxDuration bounds every duration of the language, in ms: ten years.
const maxDuration = 10 * 366 * 24 * 3600 * 1000

// ParseDuration reads "90s", "15m", "24h", "14d", "2w" or several of them in a
// row ("1h30m") and returns milliseconds. A day is 24 hours. The largest is ten
// years; zero is allowed ("0s").
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

func badDuration(text string) error {
	if meant := MeantDuration(text); meant != "" {
		return fmt.Errorf("duration %q is not understood; write %s", text, meant)
	}
	return fmt.Errorf("duration %q is not understood; write for example 90s, 15m, 24h, 14d or 2w", text)
}

// durationUnit cuts a unit off s and returns it in ms; 0 when there is none.
func durationUnit(s string) (unit int64, rest string) {
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

// FormatDuration writes a duration (ms) the way that ParseDuration reads it.
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

// DayMillis is the length of a day of 24 hours, ms.
const DayMillis = 24 * 3600 * 1000

// HourMillis is one hour, ms: experiments are looked at when one is full.
const HourMillis = 3_600_000

package unit

import (
	"regexp"
	"strconv"
	"strings"
)

// durationPart matches one part of a duration as people write it: a number, perhaps with decimals, then
// a word for the unit, then what may separate it from the next part ("1 day, 6 hours and 30 minutes").
var durationPart = regexp.MustCompile(`^(\d{1,9})(?:[.,](\d{1,3}))?\s*-?([a-z]*)[\s,]*(?:and\s+)?`)

// MeantDuration guesses which duration text stands for, for use in an error message, and returns it in
// the form that ParseDuration reads. It understands English words ("24 hours"), decimals ("1.5 h"), ISO
// 8601 ("P1DT12H"), and answers a bare number with the possible units. It returns an empty string where
// text is negative, longer than ten years, or cannot be guessed.
func MeantDuration(text string) string {
	rest := strings.ToLower(strings.TrimSpace(text))
	if iso, is := strings.CutPrefix(rest, "p"); is { // P1DT12H
		rest = strings.ReplaceAll(iso, "t", "")
	}
	if strings.HasPrefix(rest, "-") {
		return ""
	}
	if _, err := strconv.Atoi(rest); err == nil {
		return rest + "h for hours, " + rest + "m for minutes, " + rest + "d for days"
	}
	// total is the sum in ms. one is the last part in its own unit, which is used where it is the only
	// part.
	total, parts, one := int64(0), 0, ""
	for rest != "" {
		m := durationPart.FindStringSubmatch(rest)
		if m == nil {
			return ""
		}
		unit := unitOf(m[3])
		if unit == 0 {
			return ""
		}
		parts++
		// Months and years have no unit in the language, and a part with decimals is no whole number of
		// its unit; both are written as FormatDuration writes the total.
		if unit != 30*DayMillis && unit != 365*DayMillis && m[2] == "" {
			one = m[1] + strings.TrimLeft(FormatDuration(unit), "0123456789")
		}
		whole, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || whole > maxDuration/unit {
			return ""
		}
		total += whole * unit
		if part, err := strconv.ParseFloat("0."+m[2]+"0", 64); err == nil {
			total += int64(part * float64(unit))
		}
		rest = rest[len(m[0]):]
	}
	switch {
	case total <= 0 || total > maxDuration:
		return ""
	case parts == 1 && one != "":
		return one // 24 hours are 24h, not 1d
	default:
		return FormatDuration(total)
	}
}

// unitOf returns the length in ms of a unit as people write it: "hrs", "min", "months". A month counts
// as 30 days and a year as 365. It returns 0 for a word that is no unit.
func unitOf(word string) int64 {
	if word == "ms" {
		return 1
	}
	switch strings.TrimSuffix(word, "s") {
	case "milli", "millisecond", "msec":
		return 1
	case "sec", "second":
		return 1000
	case "m", "min", "minute":
		return 60_000
	case "h", "hr", "hour":
		return 3_600_000
	case "d", "day":
		return DayMillis
	case "w", "wk", "week":
		return 7 * DayMillis
	case "mo", "month":
		return 30 * DayMillis
	case "y", "yr", "year":
		return 365 * DayMillis
	}
	// "s" alone is not in the list above, because the plural s was trimmed off it.
	if word == "s" {
		return 1000
	}
	return 0
}

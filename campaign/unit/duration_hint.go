package unit

import (
	"regexp"
	"strconv"
	"strings"
)

var durationPart = regexp.MustCompile(`^(\d{1,9})(?:[.,](\d{1,3}))?\s*-?([a-z]*)[\s,]*(?:and\s+)?`)

// MeantDuration is the duration that a text most likely stands for, written the right
// way; empty when there is none.
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

// unitOf is what a word stands for in the durations that people write, ms; 0 for none.
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
	if word == "s" {
		return 1000
	}
	return 0
}

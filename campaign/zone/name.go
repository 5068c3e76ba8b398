package zone

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxOffset is the farthest that a fixed offset may be from UTC in minutes: 14 hours, the largest
// offset in use (Line Islands).
const maxOffset = 14 * 60

// lowered maps the names of the database in lower case to the names as the database writes them. It is
// computed at the first use.
//
//nudge:constant read only, a function of the database
var lowered = sync.OnceValues(func() (map[string]string, error) {
	zones, err := rules()
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(zones))
	for name := range zones { //nudge:unordered no two names differ in case alone
		names[strings.ToLower(name)] = name
	}
	return names, nil
})

// fixed returns the zone of an offset as people write it: GMT-8, UTC+02:00, +0530, -03, Z. The sign is
// that of a clock: GMT-8 is eight hours behind UTC. The names Etc/GMT+8 of the database have the
// opposite sign; they are not read here.
func fixed(name string) (*time.Location, bool) {
	text := strings.ToUpper(strings.TrimSpace(name))
	if text == "Z" || text == "GMT" || text == "UTC" {
		return time.UTC, true
	}
	for _, prefix := range [...]string{"GMT", "UTC"} {
		if rest, found := strings.CutPrefix(text, prefix); found {
			text = strings.TrimSpace(rest)
			break
		}
	}
	if len(text) < 2 || text[0] != '+' && text[0] != '-' {
		return nil, false
	}
	hours, minutes, separated := strings.Cut(text[1:], ":")
	// Without a colon the last two of three or four digits are the minutes.
	if !separated && len(hours) > 2 {
		hours, minutes = hours[:len(hours)-2], hours[len(hours)-2:]
	}
	h, okH := digits(hours)
	m, okM := 0, true
	if minutes != "" || separated {
		m, okM = digits(minutes)
		okM = okM && len(minutes) == 2
	}
	if !okH || !okM || m > 59 || h*60+m > maxOffset {
		return nil, false
	}
	if h == 0 && m == 0 {
		return time.UTC, true
	}
	sign, seconds := string(text[0]), (h*60+m)*60
	if sign == "-" {
		seconds = -seconds
	}
	return time.FixedZone(fmt.Sprintf("UTC%s%02d:%02d", sign, h, m), seconds), true
}

// Name returns the name of a zone as the database writes it, or a fixed offset in the form +02:00.
// These are the forms that expressions and formatters take. ok is false for a text that Load does not
// accept.
func Name(text string) (name string, ok bool) {
	names, err := lowered()
	if err != nil {
		return "", false
	}
	if known, found := names[strings.ToLower(strings.TrimSpace(text))]; found {
		return known, true
	}
	loc, ok := fixed(text)
	if !ok {
		return "", false
	}
	if loc == time.UTC {
		return "UTC", true
	}
	return strings.TrimPrefix(loc.String(), "UTC"), true
}

// digits reads a number of one or two digits.
func digits(text string) (int, bool) {
	if len(text) == 0 || len(text) > 2 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

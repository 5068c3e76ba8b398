package audit

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// zones are those that were asked for, by name, asked by key only: to load one takes long. nil
// is a name of none.
type zones map[string]*time.Location

// named is the zone of a name; nil for the customer's.
func (z zones) named(name string) *time.Location {
	if name == "" || name == "customer" {
		return nil
	}
	zone, known := z[name]
	if !known {
		zone, _ = time.LoadLocation(name) // nil with an error
		z[name] = zone
	}
	return zone
}

var offset = regexp.MustCompile(`^(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?$`)

// of is the zone that a customer says: a name in any case, or an offset with the sign of
// a clock. nil is none.
func (z zones) of(text string) *time.Location {
	if text == "" {
		return nil
	}
	if zone := z.named(text); zone != nil {
		return zone
	}
	if m := offset.FindStringSubmatch(text); m != nil {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi(m[3]) // "" is 0
		seconds := (hours*60 + minutes) * 60
		if m[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone(text, seconds)
	}
	letters := []byte(strings.ToLower(text))
	for i := range letters {
		if first := i == 0 || letters[i-1] == '/' || letters[i-1] == '_'; first && letters[i] >= 'a' {
			letters[i] -= 'a' - 'A'
		}
	}
	return z.named(string(letters))
}

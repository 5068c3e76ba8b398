package audit

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// zones caches time zones by name, since loading one takes long; nil is the value of a name that is
// none. Asked by key only.
type zones map[string]*time.Location

// named returns the zone of a name; nil for that of the customer.
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

// of returns the zone that a customer says: a name in any case, or an offset. nil means none.
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

// zone returns the customer's time zone or that of their device, else the campaign's, the
// workspace's, UTC.
func (c *customer) zone(def *Campaign) *time.Location {
	own, _ := c.traits["timezone"].(string)
	if zone := c.a.zones.of(own); zone != nil {
		if zone.String() != own || c.a.zones.named(own) == nil {
			c.a.note(NoteOddZone)
		}
		return zone
	}
	if own != "" {
		c.a.note(NoteBadZone)
	}
	if c.device.zone != nil {
		return c.device.zone
	}
	if def != nil {
		if zone := c.a.zones.named(def.Zone); zone != nil {
			return zone
		}
	}
	if zone := c.a.zones.named(c.a.policy.Zone); zone != nil {
		return zone
	}
	return time.UTC
}

// ownZone returns the zone of the customer or their device; nil without one.
func (c *customer) ownZone() *time.Location {
	own, _ := c.traits["timezone"].(string)
	if zone := c.a.zones.of(own); zone != nil {
		return zone
	}
	return c.device.zone
}

// shownZone returns ownZone as expressions see it: a name, or an offset like +02:00.
func (c *customer) shownZone() string {
	zone := c.ownZone()
	if zone == nil {
		return ""
	}
	c.a.note(NoteShownZone)
	if c.a.zones.named(zone.String()) != nil {
		return zone.String()
	}
	_, seconds := time.Unix(0, 0).In(zone).Zone()
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("%c%02d:%02d", sign, seconds/3600, seconds/60%60)
}

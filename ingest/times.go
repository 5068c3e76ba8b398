package ingest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// How far a client's clock may be off before event times are corrected by the difference of
// sentAt and the time of receipt. A request that was under way for a while looks like a clock
// that is behind, so that side is wide; one from the future can only be a wrong clock.
const (
	clockAhead  = 1_000  // ms
	clockBehind = 60_000 // ms
)

// maxAge is how long ago an event may have been unless it is marked historical: ten years.
// Older times are nearly always a clock that was never set.
const maxAge = 3653 * 24 * time.Hour // 10 years

// times finds the event time: when the client says it happened, corrected for its clock when
// that is clearly wrong, and never in the future. Without a timestamp it is the time of
// receipt.
func (i *item) times(e *event.Event) *FieldError {
	if h := i.v.Get("historical"); h != nil && h.Type() != fastjson.TypeNull {
		if h.Type() != fastjson.TypeTrue && h.Type() != fastjson.TypeFalse {
			return &FieldError{Path: "historical", Code: codeType, Message: "must be true or false, not " + typeName(h)}
		}
		e.Historical = h.GetBool()
	}
	field := "timestamp"
	at, given, wrong := instant(field, i.v.Get(field))
	if wrong == nil && !given {
		field = "originalTimestamp"
		at, given, wrong = instant(field, i.v.Get(field))
	}
	if wrong != nil {
		return wrong
	}
	sentAt := i.v.Get("sentAt")
	if sentAt == nil {
		sentAt = i.sentAt
	}
	sent, sentGiven, wrong := instant("sentAt", sentAt)
	switch {
	case wrong != nil:
		return wrong
	case i.d.recorded && !given:
		return &FieldError{Path: "timestamp", Code: codeMissing, Message: "is needed in a recorded call"}
	case i.d.recorded:
		e.Time = at
		return nil
	case !given:
		e.Time = i.d.now
		return nil
	}
	// sentAt is when the client's clock said that the request left: its difference to now is
	// how wrong that clock is, and the time under way.
	if ahead := sent - i.d.now; sentGiven && (ahead > clockAhead || ahead < -clockBehind) {
		at -= ahead
	}
	e.Time = min(at, i.d.now)
	if e.Time < 0 || !e.Historical && e.Time < i.d.now-maxAge.Milliseconds() {
		return &FieldError{
			Path: field, Code: codeTooOld,
			Message: "is more than 10 years ago (counted from sentAt where the client's clock is wrong); " +
				"an event of that age needs historical: true",
		}
	}
	return nil
}

// layouts are how times are written: RFC 3339, and what writers of ISO 8601 make of it.
//
//nudge:constant read only
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999Z07",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700",
}

// leastMillis tells seconds from milliseconds since 1970: numbers below it are seconds, others
// milliseconds. As seconds it is the year 5138, as milliseconds 1973.
const leastMillis = 100_000_000_000

// The years that times may be in: from the first of the count of ms since 1970 to the last
// that has four digits in every time zone.
const (
	leastYear = 1970
	mostYear  = 9998
)

// instant reads a time field as ms since 1970: a text in RFC 3339, or seconds or milliseconds
// since 1970 as a number or its text. given is false when it is absent or null.
func instant(name string, v *fastjson.Value) (ms int64, given bool, wrong *FieldError) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return 0, false, nil
	}
	var ok bool
	var text string
	switch v.Type() {
	case fastjson.TypeString:
		text = wire.Alias(v.GetStringBytes())
		ms, ok = instantOf(text)
	case fastjson.TypeNumber:
		text = string(v.MarshalTo(nil))
		ms, ok = epoch(text)
	default:
		wrong = &FieldError{Path: name, Code: codeType, Message: "must be a text or a number, not " + typeName(v)}
		return 0, false, wrong
	}
	// A time outside of these years is a number that was meant otherwise.
	if year := time.UnixMilli(ms).UTC().Year(); !ok || year < leastYear || year > mostYear {
		return 0, false, &FieldError{
			Path: name, Code: codeFormat,
			Message: fmt.Sprintf("%q is no time; write for example 2026-03-01T10:00:00Z, or milliseconds since 1970",
				clip(text, 40)),
		}
	}
	return ms, true, nil
}

// instantOf reads a time as text. RFC 3339 comes first because nearly all are.
func instantOf(text string) (ms int64, ok bool) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UnixMilli(), true
	}
	text = strings.TrimSpace(text)
	if text != "" && strings.Trim(text, "0123456789.") == "" {
		return epoch(text)
	}
	// A space in place of the T, and lower case, are allowed by RFC 3339 and unknown to
	// package time.
	if len(text) > 10 && (text[10] == ' ' || text[10] == 't') {
		text = text[:10] + "T" + text[11:]
	}
	if end := len(text) - 1; end > 0 && text[end] == 'z' {
		text = text[:end] + "Z"
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// epoch reads seconds or milliseconds since 1970, with decimals; to the nearest ms for
// seconds.
func epoch(text string) (ms int64, ok bool) {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || f < 0 || f >= 1000*leastMillis*10:
		return 0, false
	case f >= leastMillis:
		return int64(f), true
	}
	return int64(f*1000 + 0.5), true
}

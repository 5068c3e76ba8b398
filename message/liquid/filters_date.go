package liquid

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/osteele/tuesday"
	"github.com/shopspring/decimal"
)

// layouts are the forms of dates that the filter "date" reads. Those without a zone are
// read as UTC.
//
//nudge:constant read only
var layouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 -07:00", "2006-01-02 15:04:05 MST", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02",
	time.RFC1123Z, time.RFC1123, time.RFC850, time.RFC822Z, time.RFC822, time.ANSIC, time.UnixDate, time.RubyDate,
	"2 January 2006", "2 Jan 2006", "January 2, 2006", "January 2 2006", "Jan 2, 2006", "Jan 2 2006",
}

// widthPattern finds the width of a field in a date format, as the 5 in %5d. Without a
// bound a width could make a text of any size.
var widthPattern = regexp.MustCompile(`%[-_^#0:]*(\d+)`)

// date is the filter "date": it writes an instant in a format of strftime. A text without a
// zone is in UTC, a number counts seconds since 1970. A value that is no date is returned
// as it is, as in Liquid.
func date(r *run, v any, args []any) any {
	at, ok := r.instant(v)
	if !ok {
		return v
	}
	format := r.text(argument(args, 0, "%a, %b %d, %y"))
	if format == "" {
		return v
	}
	for _, m := range widthPattern.FindAllStringSubmatch(format, -1) {
		if n, err := strconv.Atoi(m[1]); err != nil || n > maxWidth {
			exceed("date: a field wider than %d", maxWidth)
		}
	}
	r.make(maxWidth * len(format)) // more than any field takes
	text, err := tuesday.Strftime(format, at)
	if err != nil {
		fail("date: %v", err)
	}
	return text
}

// instant reads a value as an instant. ok is false where it is none.
func (r *run) instant(v any) (time.Time, bool) {
	switch v := v.(type) {
	case string:
		// No layout is longer, and each is tried in turn.
		const longest = 64
		text := strings.TrimSpace(v)
		if len(text) > longest {
			return time.Time{}, false
		}
		r.step(len(layouts))
		for _, layout := range layouts {
			if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
				return at, true
			}
		}
		if n, ok := parseNumber(text); ok {
			return secondsOf(n.Decimal)
		}
	case Number:
		return secondsOf(v.Decimal)
	}
	return time.Time{}, false
}

// secondsOf returns the instant that many seconds after 1970. ok is false more than some
// 4,300 years away from then, where a number is no date but a mistake, such as a time in
// milliseconds.
func secondsOf(d decimal.Decimal) (time.Time, bool) {
	const most = 1 << 37
	if d.Abs().Cmp(decimal.NewFromInt(most)) > 0 {
		return time.Time{}, false
	}
	whole := d.Floor()
	nanos := d.Sub(whole).Mul(decimal.NewFromInt(int64(time.Second))).IntPart()
	return time.Unix(whole.IntPart(), nanos).UTC(), true
}

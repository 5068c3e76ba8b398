package liquid

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/osteele/tuesday"
	"github.com/shopspring/decimal"
)

// layouts are the dates that the filter of that name reads, without a zone as UTC.
//
//nudge:constant read only
var layouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 -07:00", "2006-01-02 15:04:05 MST", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02",
	time.RFC1123Z, time.RFC1123, time.RFC850, time.RFC822Z, time.RFC822, time.ANSIC, time.UnixDate, time.RubyDate,
	"2 January 2006", "2 Jan 2006", "January 2, 2006", "January 2 2006", "Jan 2, 2006", "Jan 2 2006",
}

var widthPattern = regexp.MustCompile(`%[-_^#0:]*(\d+)`)

// date writes an instant. A text without a zone is in UTC, a number counts seconds since
// 1970; what is no date stays as it is, as in Liquid.
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

func (r *run) instant(v any) (time.Time, bool) {
	switch v := v.(type) {
	case string:
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

// secondsOf is the instant so many seconds after 1970, in the years that dates have.
func secondsOf(d decimal.Decimal) (time.Time, bool) {
	const most = 1 << 37
	if d.Abs().Cmp(decimal.NewFromInt(most)) > 0 {
		return time.Time{}, false
	}
	whole := d.Floor()
	nanos := d.Sub(whole).Mul(decimal.NewFromInt(int64(time.Second))).IntPart()
	return time.Unix(whole.IntPart(), nanos).UTC(), true
}

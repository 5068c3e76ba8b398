package message

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/osteele/liquid"
	"github.com/osteele/tuesday"
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

// filters gives the engine what the library has not, has with another result, or does
// differently from one time to the next.
func filters(e *liquid.Engine) {
	calculate(e)
	e.RegisterFilter("date", date)
	e.RegisterFilter("json", jsonText)
	e.RegisterFilter("inspect", jsonText)
	e.RegisterFilter("newline_to_br", func(s string) string { return strings.ReplaceAll(s, "\n", "<br />\n") })
	e.RegisterFilter("remove_last", func(s, old string) string { return replaceLast(s, old, "") })
	e.RegisterFilter("replace_last", replaceLast)
	e.RegisterFilter("base64_encode", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })
	e.RegisterFilter("base64_decode", func(s string) (string, error) {
		text, err := base64.StdEncoding.DecodeString(s)
		return string(text), err
	})
	e.RegisterFilter("where", where)
	e.RegisterFilter("sort", func(list []any, member func(string) string) []any { return sorted(list, member("")) })
}

// sorted is a list in order, of its objects by a member: numbers by size, all else as
// text, what is missing last.
func sorted(list []any, member string) []any {
	of := func(v any) any {
		if member == "" {
			return v
		}
		return propertyOf(v, member)
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b any) int {
		a, b = of(a), of(b)
		if a == nil || b == nil {
			return cmp.Compare(absent(a), absent(b))
		}
		x, _, wrongX := operand(a)
		y, _, wrongY := operand(b)
		_, textX := a.(string)
		_, textY := b.(string)
		if wrongX == nil && wrongY == nil && !textX && !textY {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return list
}

func absent(v any) int {
	if v == nil {
		return 1
	}
	return 0
}

func replaceLast(s, old, with string) string {
	at := strings.LastIndex(s, old)
	if at < 0 {
		return s
	}
	return s[:at] + with + s[at+len(old):]
}

// where is the objects of a list whose member has a value; without one, whose member is
// there and not false.
func where(list []any, member string, value func(any) any) []any {
	want := value(nil)
	found := []any{}
	for _, v := range list {
		has := propertyOf(v, member)
		if want == nil && has != nil && has != false || want != nil && fmt.Sprint(has) == fmt.Sprint(want) {
			found = append(found, v)
		}
	}
	return found
}

// date writes an instant. A text without a zone is in UTC, a number counts seconds since
// 1970; what is no date stays as it is, as in Liquid.
func date(v any, format func(string) string) (any, error) {
	at, ok := instantOf(v)
	if !ok {
		return v, nil
	}
	return tuesday.Strftime(format("%a, %b %d, %y"), at)
}

func instantOf(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		text := strings.TrimSpace(v)
		for _, layout := range layouts {
			if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
				return at, true
			}
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return secondsOf(f)
		}
	default:
		if f, _, err := operand(v); err == nil {
			return secondsOf(f)
		}
	}
	return time.Time{}, false
}

// secondsOf is the instant so many seconds after 1970, in the years that dates have.
func secondsOf(f float64) (time.Time, bool) {
	const most = 1 << 37
	if math.IsNaN(f) || math.Abs(f) > most {
		return time.Time{}, false
	}
	whole := math.Floor(f)
	return time.Unix(int64(whole), int64((f-whole)*1e9)).UTC(), true
}

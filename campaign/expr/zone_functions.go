package expr

import (
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// zoneFunctions are CEL's functions of a time and the name of a zone, such as
// now.getHours("Europe/Kyiv"). CEL's own read the time zone database of the machine, so that a
// replay elsewhere could give another answer; these read that of package zone.
func zoneFunctions() []cel.EnvOption {
	month := func(t time.Time) int { return int(t.Month()) - 1 }
	dayOfYear := func(t time.Time) int { return t.YearDay() - 1 }
	dayOfMonth := func(t time.Time) int { return t.Day() - 1 }
	dayOfWeek := func(t time.Time) int { return int(t.Weekday()) }
	millisecond := func(t time.Time) int { return t.Nanosecond() / int(time.Millisecond) }
	functions := []struct {
		name, overload string
		of             func(time.Time) int
	}{
		{overloads.TimeGetFullYear, overloads.TimestampToYearWithTz, time.Time.Year},
		{overloads.TimeGetMonth, overloads.TimestampToMonthWithTz, month},
		{overloads.TimeGetDayOfYear, overloads.TimestampToDayOfYearWithTz, dayOfYear},
		{overloads.TimeGetDayOfMonth, overloads.TimestampToDayOfMonthZeroBasedWithTz, dayOfMonth},
		{overloads.TimeGetDate, overloads.TimestampToDayOfMonthOneBasedWithTz, time.Time.Day},
		{overloads.TimeGetDayOfWeek, overloads.TimestampToDayOfWeekWithTz, dayOfWeek},
		{overloads.TimeGetHours, overloads.TimestampToHoursWithTz, time.Time.Hour},
		{overloads.TimeGetMinutes, overloads.TimestampToMinutesWithTz, time.Time.Minute},
		{overloads.TimeGetSeconds, overloads.TimestampToSecondsWithTz, time.Time.Second},
		{overloads.TimeGetMilliseconds, overloads.TimestampToMillisecondsWithTz, millisecond},
	}
	var options []cel.EnvOption
	for _, f := range functions {
		options = append(options, cel.Function(f.name, cel.MemberOverload(f.overload,
			[]*cel.Type{cel.TimestampType, cel.StringType}, cel.IntType,
			cel.BinaryBinding(func(at, name ref.Val) ref.Val { return inZone(at, name, f.of) }))))
	}
	return options
}

// inZone returns one field of a time, such as its hour, as clocks of a zone show it. It fails for a
// zone that package zone does not know. For example, 22:30 UTC in Europe/Kyiv has the hour 0 in
// winter.
func inZone(at, name ref.Val, of func(time.Time) int) ref.Val {
	t, isTime := at.(types.Timestamp)
	text, isText := name.(types.String)
	if !isTime || !isText {
		return types.MaybeNoSuchOverloadErr(name)
	}
	loc, err := zone.Load(string(text))
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Int(of(t.In(loc)))
}

package parse

import (
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/schedule"
	"github.com/nudge-engine/nudge/campaign/unit"
)

const calendarPolicy = `apiVersion: nudge/v1
kind: Policy
metadata: {name: house}
spec:
  calendars:
    - {name: ua, dates: [--12-25, "2026-04-12", --01-01, --02-29]}
`

func parsedCalendar(t *testing.T, text string) ([]schedule.Calendar, error) {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := File(lang, "f.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	return docs[0].Policy.Calendars, nil
}

// The days of a calendar, in a zone whose clocks change: of every year, of one year, and
// 29 February of leap years.
func TestCalendar(t *testing.T) {
	// shows: 28
	all, err := parsedCalendar(t, calendarPolicy)
	if err != nil || len(all) != 1 {
		t.Fatalf("read %+v, error %v", all, err)
	}
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 7, 0, 0, 0, time.UTC).UnixMilli() // nine in Kyiv on a holiday: not after itself
	var got []string
	for range 7 {
		next, ok := all[0].Next(kyiv, 9*60, at)
		if !ok {
			t.Fatal("there is no next day")
		}
		got, at = append(got, unit.FormatTime(next)), next
	}
	want := "2026-04-12T06:00:00Z 2026-12-25T07:00:00Z 2027-01-01T07:00:00Z 2027-12-25T07:00:00Z " +
		"2028-01-01T07:00:00Z 2028-02-29T07:00:00Z 2028-12-25T07:00:00Z"
	if strings.Join(got, " ") != want {
		t.Errorf("the days are %v; want %s", got, want)
	}
	past := schedule.Calendar{Dates: []schedule.CalendarDate{{Year: 2026, Month: 1, Day: 1}}}
	if next, ok := past.Next(kyiv, 0, at); ok {
		t.Errorf("a calendar whose days are over has %s", unit.FormatTime(next))
	}
	if past.Spec() == all[0].Spec() {
		t.Error("other days are taken for the same rule")
	}
}

func TestBadCalendar(t *testing.T) {
	for dates, want := range map[string]string{
		"[2026-02-29]":                    `"2026-02-29" is no date`,
		"[--02-30]":                       `"--02-30" is no date`,
		"[12-25]":                         `"12-25" is no date`,
		"[0000-12-25]":                    `"0000-12-25" is no date`,
		"[--12-25, --12-25]":              "--12-25 is there twice",
		"[x], other: 1":                   `f.yaml:6:`,
		"[]}\n    - {name: ua, dates: []": `calendar "ua" is defined twice`,
	} {
		text := strings.Replace(calendarPolicy, `[--12-25, "2026-04-12", --01-01, --02-29]`, dates, 1)
		if _, err := parsedCalendar(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want %q", dates, err, want)
		}
	}
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for schedule, want := range map[string]string{
		`{}`:                                "needs cron or calendar, not both",
		`{cron: "0 9 * * *", calendar: ua}`: "needs cron or calendar, not both",
		`{cron: "0 9 * * *", at: "10:00"}`:  "at goes with calendar",
		`{calendar: ua, at: "25:00"}`:       `"25:00" is no time of day`,
	} {
		text := "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n  trigger: {schedule: " + schedule +
			"}\n  steps: [{id: x, exit: {}}]\n"
		if _, err := File(lang, "f.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want %q", schedule, err, want)
		}
	}
}

package machine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// dateStory is a customer whose clock runs: each identify call comes at its time, and
// timers fire at their instants, each time after a restart.
type dateStory struct {
	m     *Machine
	c     *customer.Customer
	now   int64
	fired []string // instants and offsets at which a chain was entered
	other []output.Reason
}

func newDateStory(t *testing.T, trigger string) *dateStory {
	t.Helper()
	return &dateStory{m: testMachine(t, campaignText("date", "trigger: {date: {"+trigger+"}}, "+
		"reentry: {key: 'event.properties.offset + event.properties.date'}"))}
}

func at(t *testing.T, text string) int64 {
	t.Helper()
	when, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return when.UnixMilli()
}

// until lets time pass, up to an instant and including it.
func (s *dateStory) until(t *testing.T, limit int64) {
	t.Helper()
	for s.c != nil {
		due := s.c.NextDue()
		if due == 0 || due > limit {
			break
		}
		s.now = max(due, s.now)
		s.fire(t)
	}
	s.now = limit
}

func (s *dateStory) fire(t *testing.T) {
	t.Helper()
	var out output.Output
	s.c = again(t, s.c)
	s.m.Fire(s.c, s.now, s.now, &out)
	s.note(&out)
}

func (s *dateStory) note(out *output.Output) {
	for _, d := range out.Decisions {
		switch d.Kind {
		case output.Entered:
			s.fired = append(s.fired, time.UnixMilli(d.At).UTC().Format("2006-01-02T15:04")+" "+d.Key)
		case output.Ended:
		default:
			s.other = append(s.other, d.Reason)
		}
	}
}

func (s *dateStory) identify(t *testing.T, when, traits string) {
	t.Helper()
	s.until(t, at(t, when))
	created := s.c == nil
	if created {
		s.c = customer.New("w", "ann", s.now, 2)
	}
	var out output.Output
	s.m.Apply(s.c, &event.Event{
		ID: strconv.FormatInt(s.now, 10), Type: event.Identify, Name: event.IdentifyName, Time: s.now, Traits: []byte(traits),
	}, s.now, created, &out)
	s.note(&out)
	s.c = again(t, s.c)
}

func TestDates(t *testing.T) {
	// shows: 22, 23, 27
	const birthday = `path: customer.traits.birthday, repeat: yearly, at: "10:00"`
	const expiry = `path: customer.traits.expires_at, offsets: [-7d, -3d], at: "11:00"`
	for _, c := range []struct{ name, trigger, story, until, want string }{
		// The oracle of the leap day.
		{
			"feb28", birthday, `2024-03-01T00:00 {"birthday":"2000-02-29"}`, "2028-03-02T00:00",
			"2025-02-28T10:00 2026-02-28T10:00 2027-02-28T10:00 2028-02-29T10:00",
		},
		{
			"mar1", birthday + `, feb29: mar1`, `2024-03-01T11:00 {"birthday":"2000-02-29"}`, "2028-03-02T00:00",
			"2025-03-01T10:00 2026-03-01T10:00 2027-03-01T10:00 2028-02-29T10:00",
		},
		{
			"leap only", birthday + `, feb29: leap_only`, `2024-03-01T00:00 {"birthday":"2000-02-29"}`, "2032-03-02T00:00",
			"2028-02-29T10:00 2032-02-29T10:00",
		},
		{
			"without a year", birthday, `2024-03-01T00:00 {"birthday":"--02-29"}`, "2026-03-02T00:00",
			"2025-02-28T10:00 2026-02-28T10:00",
		},
		{
			"a century", birthday + `, feb29: leap_only`, `2096-03-01T00:00 {"birthday":"2000-02-29"}`, "2105-03-02T00:00",
			"2104-02-29T10:00",
		},
		{"on the day before at", birthday, `2026-05-05T09:59 {"birthday":"1990-05-05"}`, "2026-12-31T00:00", "2026-05-05T10:00"},
		{"at the instant", birthday, `2026-05-05T10:00 {"birthday":"1990-05-05"}`, "2026-12-31T00:00", "2026-05-05T10:00"},
		{"on the day after at", birthday, `2026-05-05T10:01 {"birthday":"1990-05-05"}`, "2026-12-31T00:00", ""},
		{
			"in the customer's zone", birthday, `2026-01-01T00:00 {"birthday":"1990-03-29","timezone":"Europe/Kyiv"}`,
			"2026-12-31T00:00", "2026-03-29T07:00",
		},
		{
			"in a hole of the clock", `path: customer.traits.birthday, repeat: yearly, at: "03:30"`,
			`2026-01-01T00:00 {"birthday":"1990-03-29","timezone":"Europe/Kyiv"}`, "2026-12-31T00:00", "2026-03-29T01:00",
		},
		{
			"in a zone of the campaign", birthday + `, zone: Asia/Tokyo`,
			`2026-01-01T00:00 {"birthday":"1990-05-05","timezone":"Europe/Kyiv"}`, "2026-12-31T00:00", "2026-05-05T01:00",
		},
		// The day comes earlier in the new zone: it is over there, and fires at once.
		{"zone before the instant", birthday, `2026-01-01T00:00 {"birthday":"1990-05-05","timezone":"America/New_York"}
2026-05-05T10:30 {"timezone":"Asia/Tokyo"}`, "2026-12-31T00:00", "2026-05-05T10:30"},
		// It fired in Tokyo; New York is still to come to that hour, and does not fire again.
		{"zone after the instant", birthday, `2026-01-01T00:00 {"birthday":"1990-05-05","timezone":"Asia/Tokyo"}
2026-05-05T10:30 {"timezone":"America/New_York"}`, "2027-05-06T00:00", "2026-05-05T01:00 2027-05-05T14:00"},
		{"moved before it fired", birthday, `2026-01-01T00:00 {"birthday":"1990-05-05"}
2026-05-01T00:00 {"birthday":"1990-06-06"}`, "2026-12-31T00:00", "2026-06-06T10:00"},
		{"moved after it fired", birthday, `2026-01-01T00:00 {"birthday":"1990-05-05"}
2026-05-06T00:00 {"birthday":"1990-06-06"}`, "2027-12-31T00:00", "2026-05-05T10:00 2027-06-06T10:00"},
		{"taken away and given again", birthday, `2026-01-01T00:00 {"birthday":"1990-05-05"}
2026-05-05T11:00 {"birthday":null}
2026-05-05T12:00 {"birthday":"1990-05-05"}`, "2026-12-31T00:00", "2026-05-05T10:00"},
		{"no date", birthday, `2026-01-01T00:00 {"birthday":"soon"}
2026-01-01T00:01 {"birthday":"1900-01-01"}
2026-01-01T00:02 {"birthday":"1970-01-01T00:00:00Z"}
2026-01-01T00:03 {"birthday":"2001-02-30"}`, "2026-12-31T00:00", "! 4 bad_date"},
		// A sign-up has no anniversary on its own day; a renewal ahead is due on it.
		{"anniversary", birthday, `2026-05-05T08:00 {"birthday":"2026-05-05T08:00:00Z"}`, "2028-01-01T00:00", "2027-05-05T10:00"},
		{"renewal ahead", birthday, `2026-05-01T08:00 {"birthday":"2026-05-05"}
2026-05-05T08:00 {"other":1}`, "2028-01-01T00:00", "2026-05-05T10:00 2027-05-05T10:00"},
		{
			"created at", `path: customer.created_at, repeat: yearly`, `2024-02-29T08:00 {}`, "2026-12-31T00:00",
			"2025-02-28T08:00 2026-02-28T08:00",
		},
		{
			"monthly", `path: customer.traits.d, repeat: monthly, at: "09:00"`, `2026-01-31T08:00 {"d":"2025-12-31"}`,
			"2026-05-01T00:00", "2026-01-31T09:00 2026-02-28T09:00 2026-03-31T09:00 2026-04-30T09:00",
		},
		{
			"expiry", expiry, `2026-01-01T00:00 {"expires_at":"2026-02-10"}`, "2026-12-31T00:00",
			"2026-02-03T11:00/-7d 2026-02-07T11:00/-3d",
		},
		{"expiry known late", expiry, `2026-02-05T00:00 {"expires_at":"2026-02-10"}`, "2026-12-31T00:00", "2026-02-07T11:00/-3d"},
		{"bonus used", expiry, `2026-01-01T00:00 {"expires_at":"2026-02-10"}
2026-02-04T00:00 {"expires_at":null}`, "2026-12-31T00:00", "2026-02-03T11:00/-7d"},
		{
			"expiry moved", expiry, `2026-01-01T00:00 {"expires_at":"2026-02-10"}
2026-02-04T00:00 {"expires_at":"2026-03-10"}
2026-03-04T00:00 {"expires_at":"2026-03-10"}`, "2026-12-31T00:00",
			"2026-02-03T11:00/-7d 2026-03-03T11:00/-7d 2026-03-07T11:00/-3d",
		},
		{"expiry moved there and back", expiry, `2026-01-01T00:00 {"expires_at":"2026-02-10"}
2026-02-03T12:00 {"expires_at":"2026-03-10"}
2026-02-03T13:00 {"expires_at":"2026-02-10"}`, "2026-12-31T00:00", "2026-02-03T11:00/-7d 2026-02-07T11:00/-3d"},
		{
			"an instant", `path: customer.traits.due, offsets: [-15m, 1d]`,
			`2026-10-24T00:00 {"due":"2026-10-25T01:30:00Z","timezone":"Europe/Kyiv"}`, "2026-12-31T00:00",
			"2026-10-25T01:15/-15m 2026-10-26T01:30/1d",
		},
	} {
		s := newDateStory(t, c.trigger)
		for line := range strings.Lines(c.story) {
			when, traits, _ := strings.Cut(strings.TrimSpace(line), " ")
			s.identify(t, when, traits)
		}
		s.until(t, at(t, c.until))
		var got []string
		for _, f := range s.fired {
			when, key, _ := strings.Cut(f, " ")
			if offset := key[:len(key)-len("2006-01-02")]; offset != "0s" {
				when += "/" + offset
			}
			got = append(got, when)
		}
		if len(s.other) > 0 {
			got = append(got, "!")
		}
		for i, reason := range s.other {
			if i == 0 {
				got = append(got, strconv.Itoa(len(s.other)), string(reason))
			}
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, strings.Join(got, " "), c.want)
		}
	}
}

// After a downtime a date still fires while it is no later than catch_up.
func TestDateCatchUp(t *testing.T) {
	// shows: 26
	for late, want := range map[string]string{
		"2026-05-06T10:00": "fired", "2026-05-06T10:01": "missed",
	} {
		s := newDateStory(t, `path: customer.traits.birthday, repeat: yearly, at: "10:00"`)
		s.identify(t, "2026-01-01T00:00", `{"birthday":"1990-05-05"}`)
		s.now = at(t, late)
		s.fire(t)
		s.fire(t)
		if got := fmt.Sprint(len(s.fired), s.other); (want == "fired") != (got == "1 []") ||
			(want == "missed") != (got == "0 [missed]") {
			t.Errorf("%s: %s", late, got)
		}
		if next := s.c.NextDue(); next != at(t, "2027-05-05T10:00") {
			t.Errorf("%s: next %d", late, next)
		}
	}
}

// An instant is met to the millisecond, also some way off and as it comes round.
func TestDateInstantIsExact(t *testing.T) {
	const beyond = 12_345 // ms after the minute
	for _, c := range []struct{ rest, want string }{
		{"", "2026-03-20T10:11"},
		{", offsets: [-1d]", "2026-03-19T10:11"},
		{", offsets: [-36h]", "2026-03-18T22:11"},
		{", offsets: [2h]", "2026-03-20T12:11"},
		{", repeat: yearly", "2026-03-20T10:11"},
		{", repeat: monthly", "2026-03-20T10:11"},
	} {
		s := newDateStory(t, "path: customer.traits.d"+c.rest)
		s.identify(t, "2026-03-01T09:00", `{"d":"2026-03-20T10:11:12.345Z"}`)
		if got, want := s.c.NextDue(), at(t, c.want)+beyond; got != want {
			t.Errorf("%q: due at %s; want %s", c.rest, unit.FormatTime(got), unit.FormatTime(want))
		}
	}
}

package schedule

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// cronOracle lists the occurrences of a rule from one instant to another by looking at
// every minute in between: an independent and slow reading of what Cron promises.
func cronOracle(rule string, loc *time.Location, from, to time.Time) []string {
	fields := strings.Fields(rule)
	names := func(i, n, low, high int) bool {
		for part := range strings.SplitSeq(fields[i], ",") {
			span, step, _ := strings.Cut(part, "/")
			a, b, ranged := strings.Cut(span, "-")
			first, last, every := low, high, 1
			if a != "*" {
				first, _ = strconv.Atoi(a)
				if last = first; ranged {
					last, _ = strconv.Atoi(b)
				}
			}
			if step != "" {
				every, _ = strconv.Atoi(step)
			}
			if n >= first && n <= last && (n-first)%every == 0 {
				return true
			}
		}
		return false
	}
	matches := func(wall time.Time) bool {
		return names(0, wall.Minute(), 0, 59) && names(1, wall.Hour(), 0, 23) && names(2, wall.Day(), 1, 31) &&
			names(3, int(wall.Month()), 1, 12) && names(4, int(wall.Weekday()), 0, 6)
	}
	every := fields[1][0] == '*' || fields[1] == "0-23"
	var all []string
	seen := map[int64]bool{}
	before := from.In(loc)
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		local := at.In(loc)
		wall := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), 0, 0, time.UTC)
		fires := matches(wall) && (every || !seen[wall.Unix()])
		seen[wall.Unix()] = true
		_, now := local.Zone()
		_, then := before.Zone()
		for left := 1; !every && left <= (now-then)/60; left++ { // times that were left out just now
			fires = fires || matches(wall.Add(-time.Duration(left)*time.Minute))
		}
		if before = local; fires {
			all = append(all, at.UTC().Format(time.RFC3339))
		}
	}
	return all
}

// Around every change of the clocks of some years the occurrences are those that a look at
// every minute finds: changes of an hour, of half an hour (Lord Howe), at midnight
// (Havana, Beirut), of the winter as the exception (Dublin), for a month (Casablanca), and
// of a whole day (Apia, which left out 30 December 2011).
func TestCronWhereClocksChange(t *testing.T) {
	rules := []string{
		"*/15 * * * *", "0 * * * *", "30 0-23 * * *", "30 1 * * *", "30 2 * * *", "*/20 2 * * *", "0,30 1,2,3 * * *",
		"15 */2 * * *", "10 0-6/2 * * *", "0 0 * * *", "45 23 * * *", "59 */5 * * 0", "0 3 29 3 *",
	}
	r := rand.New(rand.NewPCG(8, 8))
	for _, name := range []string{
		"Europe/London", "Europe/Kyiv", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut",
		"Europe/Dublin", "Africa/Casablanca", "Pacific/Apia", "Asia/Kolkata", "America/St_Johns",
	} {
		loc, err := zone.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, year := range []int{2011, 2026} {
			at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
			for {
				_, change := at.In(loc).ZoneBounds()
				if change.IsZero() || change.Year() > year {
					break
				}
				at = change
				from, to := change.Add(-40*time.Hour).UTC(), change.Add(40*time.Hour).UTC()
				for _, rule := range rules {
					compareCron(t, rule, loc, from, to, from.Add(time.Duration(r.IntN(40*60))*time.Minute))
				}
			}
		}
	}
}

// compareCron compares the occurrences from one instant to another, and what comes after
// one between them.
func compareCron(t *testing.T, rule string, loc *time.Location, from, to, after time.Time) {
	t.Helper()
	cron, err := ParseCron(rule)
	if err != nil {
		t.Fatal(err)
	}
	want := cronOracle(rule, loc, from, to)
	if got := occurrences(t, cron, loc, from, to); !slices.Equal(got, want) {
		t.Errorf("%s in %s:\n%v\nwant\n%v", rule, loc, got, want)
	}
	want = slices.DeleteFunc(want, func(at string) bool { return at <= after.Format(time.RFC3339) })
	if got := occurrences(t, cron, loc, after.Add(time.Millisecond), to); !slices.Equal(got, want) {
		t.Errorf("%s in %s after %s:\n%v\nwant\n%v", rule, loc, after, got, want)
	}
}

// occurrences are those from one instant on and before another.
func occurrences(t *testing.T, cron Cron, loc *time.Location, from, to time.Time) (all []string) {
	t.Helper()
	for at := from.UnixMilli() - 1; ; {
		next, ok := cron.Next(loc, at)
		if !ok || next >= to.UnixMilli() {
			return all
		}
		if next <= at {
			t.Fatalf("in %s, after %d comes %d", loc, at, next)
		}
		all, at = append(all, time.UnixMilli(next).UTC().Format(time.RFC3339)), next
	}
}

// The clocks of London go back on 25 October 2026 at 01:00 UTC: from 02:00 to 01:00.
func TestCronWhenClocksGoBack(t *testing.T) {
	loc, err := zone.Load("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]string{
		"*/15 * * * *": "00:00 00:15 00:30 00:45 01:00 01:15 01:30 01:45 02:00 02:15 02:30",
		"0 * * * *":    "00:00 01:00 02:00",
		"30 1 * * *":   "00:30",
		"30 1,2 * * *": "00:30 02:30",
	} {
		cron, err := ParseCron(rule)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
		var got []string
		for _, at := range occurrences(t, cron, loc, from, from.Add(151*time.Minute)) {
			got = append(got, at[11:16])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v; want %s", rule, got, want)
		}
	}
}

package unit

import "testing"

func TestDuration(t *testing.T) {
	f := func(text string, want int64) {
		t.Helper()
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: unexpected %d, error %v; want %d", text, got, err, want)
		}
	}
	f("90s", 90_000)
	f("15m", 900_000)
	f("24h", 86_400_000)
	f("14d", 14*86_400_000)
	f("2w", 14*86_400_000)
	f("1h30m", 5_400_000)
	f("250ms", 250)
	for _, bad := range []string{"", "1", "h", "1.5h", "-1h", "1h ", "9999999999999w", "1month"} {
		if got, err := ParseDuration(bad); err == nil {
			t.Errorf("%q: unexpected %d; want an error", bad, got)
		}
	}
}

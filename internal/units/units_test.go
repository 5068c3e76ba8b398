package units

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	f := func(text string, want Size, shown string) {
		t.Helper()
		var got Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != shown {
			t.Errorf("%q is %d, shown as %s, error %v; want %d, %s", text, got, got, err, want, shown)
		}
	}
	f("0", 0, "0")
	f("4294967296", 4<<30, "4GiB")
	f("4GiB", 4<<30, "4GiB")
	f("4 gib", 4<<30, "4GiB")
	f("1.5GiB", 3<<29, "1536MiB")
	f("500MB", 500_000_000, "500000000")
	f("64KiB", 64<<10, "64KiB")
	f("2TiB", 2<<40, "2TiB")
	f("10b", 10, "10")
	f("9223372036854775807", 9223372036854775807, "9223372036854775807")
	for _, bad := range []string{"", "GiB", "-1", "-1GiB", "4G", "4GiBs", "1e3", "4,5GiB", "99999999TiB", "NaN", "0x10"} {
		var got Size
		if err := got.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("the size %q is taken as %d", bad, got)
		}
	}
}

func TestDuration(t *testing.T) {
	f := func(text string, want time.Duration) {
		t.Helper()
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %v, error %v; want %v", text, got, err, want)
		}
	}
	f("0s", 0)
	f("500ms", 500*time.Millisecond)
	f("24h", 24*time.Hour)
	f("1d", 24*time.Hour)
	f("7d", 7*24*time.Hour)
	f("2w", 14*24*time.Hour)
	f("1w2d3h", (9*24+3)*time.Hour)
	f("1.5d", 36*time.Hour)
	f("-1d", -24*time.Hour)
	for _, bad := range []string{"", "7", "d", "7days", "7 d", "1y", "99999999w"} {
		if got, err := ParseDuration(bad); err == nil {
			t.Errorf("the duration %q is taken as %v", bad, got)
		}
	}
}

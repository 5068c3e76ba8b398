// Package units reads sizes and durations as people write them in settings and flags: 4GiB,
// 500MB, 7d, 2w12h. The durations of the campaign language are another notation, which
// package campaign/unit reads.
package units

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Size is a number of bytes, never negative when it was read from text.
type Size int64

// sizes are the units of a size, the largest power of 1024 first.
var sizes = []struct { //nudge:constant a table that is only read
	name  string // in lower case
	bytes float64
}{
	{"tib", 1 << 40},
	{"gib", 1 << 30},
	{"mib", 1 << 20},
	{"kib", 1 << 10},
	{"tb", 1e12},
	{"gb", 1e9},
	{"mb", 1e6},
	{"kb", 1e3},
	{"b", 1},
}

// sizePattern is a number, perhaps with decimals, and a unit.
var sizePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)$`)

// UnmarshalText reads a number of bytes, or a number with a unit in any case; KiB is 1024
// bytes, kB 1000. It implements encoding.TextUnmarshaler, which the flags and settings use.
func (s *Size) UnmarshalText(text []byte) error {
	// Plain bytes are read as an integer: a float64 would round a large number.
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil && n >= 0 {
		*s = Size(n)
		return nil
	}
	m := sizePattern.FindStringSubmatch(strings.ToLower(strings.TrimSpace(string(text))))
	if m != nil {
		number, err := strconv.ParseFloat(m[1], 64)
		for _, unit := range sizes {
			if bytes := number * unit.bytes; err == nil && unit.name == m[2] && bytes < math.MaxInt64 {
				*s = Size(bytes)
				return nil
			}
		}
	}
	return fmt.Errorf("%q is no size; write bytes, or a number with KiB, MiB, GiB, TiB, kB, MB, GB or TB: 4GiB", text)
}

// String returns the size in the largest unit of 1024 in which it is a whole number, or in
// bytes.
func (s Size) String() string {
	// The first four of sizes.
	for i, name := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if unit := Size(sizes[i].bytes); s != 0 && s%unit == 0 {
			return strconv.FormatInt(int64(s/unit), 10) + name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// longUnits matches the parts of a duration that Go does not know: days and weeks.
var longUnits = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)([dw])`)

// ParseDuration reads a duration as Go does, and also days of 24 hours and weeks: 90s,
// 1h30m, 7d, 2w. It writes those as hours and leaves the rest to Go.
func ParseDuration(text string) (time.Duration, error) {
	hours := map[string]float64{"d": 24, "w": 7 * 24}
	asHours := longUnits.ReplaceAllStringFunc(text, func(part string) string {
		m := longUnits.FindStringSubmatch(part)
		number, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return part
		}
		return strconv.FormatFloat(number*hours[m[2]], 'f', -1, 64) + "h"
	})
	d, err := time.ParseDuration(asHours)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration; write for example 500ms, 90s, 1h30m, 7d or 2w", text)
	}
	return d, nil
}

// Durations returns the option by which the flags of a program that are a time.Duration are
// read by ParseDuration.
func Durations() kong.Option {
	return kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(
		func(ctx *kong.DecodeContext, target reflect.Value) error {
			var text string
			if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
				return err
			}
			d, err := ParseDuration(text)
			if err != nil {
				return err
			}
			target.SetInt(int64(d))
			return nil
		}))
}

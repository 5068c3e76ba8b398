// Package units reads sizes and durations as people write them in settings: 4GiB, 500MB,
// 7d, 2w12h.
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

// Size is a number of bytes.
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

var sizePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)$`)

// UnmarshalText reads a size: bytes, or a number with a unit.
func (s *Size) UnmarshalText(text []byte) error {
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

// String is the size in the largest unit of 1024 that gives a whole number.
func (s Size) String() string {
	for i, name := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if unit := Size(sizes[i].bytes); s != 0 && s%unit == 0 {
			return strconv.FormatInt(int64(s/unit), 10) + name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

var longUnits = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)([dw])`)

// ParseDuration reads a duration as Go writes it, and with days of 24 hours and weeks: 90s,
// 1h30m, 7d, 2w.
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

// Durations has the flags of a program that are a time.Duration read by ParseDuration.
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

// Package exposition writes metrics as the text that Prometheus reads, in the format 0.0.4.
// The metrics library writes samples only; this package adds HELP and TYPE, leaves out what
// [Families] does not list, and turns histograms into buckets that Prometheus knows.
package exposition

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// Write writes the metrics of a set, and those of the process, with HELP and TYPE, in the
// order of [Families]. Metrics that Families does not list are left out: the library reports
// far more about the process than operators need, and each series costs its reader. An error
// is the writer's.
func Write(w io.Writer, set *metrics.Set) error {
	var all bytes.Buffer
	// The library writes samples of all names mixed; they are sorted into families here.
	set.WritePrometheus(&all)
	metrics.WriteProcessMetrics(&all)
	metrics.WriteFDMetrics(&all)
	samples := map[string][]string{}
	for line := range strings.Lines(all.String()) {
		family := familyOf(line)
		samples[family] = append(samples[family], line)
	}
	for _, m := range families {
		if len(samples[m.Name]) == 0 {
			continue
		}
		lines := samples[m.Name]
		// Prometheus does not know the library's own buckets.
		if m.Type == "histogram" {
			lines = cumulative(m.Name, lines)
		}
		_, err := fmt.Fprintf(w, "# HELP %[1]s %[2]s\n# TYPE %[1]s %[3]s\n%[4]s", m.Name, m.Help, m.Type,
			strings.Join(lines, ""))
		if err != nil {
			return err
		}
	}
	return nil
}

// familyOf returns the name of the family that a line is a sample of: the name up to the
// labels, for histograms without _bucket, _sum or _count. A family that is not listed is its
// own name.
func familyOf(line string) string {
	name := line[:strings.IndexAny(line+" ", "{ ")]
	for _, m := range families {
		suffix, is := strings.CutPrefix(name, m.Name)
		part := m.Type == "histogram" && (suffix == "_bucket" || suffix == "_sum" || suffix == "_count")
		if is && (suffix == "" || part) {
			return m.Name
		}
	}
	return name
}

// cumulative turns a histogram without labels into the fixed, cumulative buckets that
// Prometheus expects: three a decade, from 100 us to 10 s. The library counts by ranges of its
// own (vmrange, 18 a decade), of which it writes only those that are not empty. Each bucket
// ends where one of these ranges does, so the counts are exact.
func cumulative(name string, lines []string) []string {
	// 5 decades from first: 100 us, 1 ms, 10 ms, 100 ms, 1 s, and 10 s as the last bound.
	const decades, perDecade, first = 5, 3, 1e-4
	var counts [decades*perDecade + 1]uint64
	var rest []string
	total := uint64(0)
	for _, line := range lines {
		var from, to float64
		var n uint64
		if _, err := fmt.Sscanf(line, name+"_bucket{vmrange=\"%e...%e\"} %d", &from, &to, &n); err != nil {
			if !strings.Contains(line, "_bucket{") {
				rest = append(rest, line)
			}
			if found, err := fmt.Sscanf(line, name+"_count %d", &n); err == nil && found == 1 {
				total = n
			}
			continue
		}
		for i := range counts {
			// The library writes bounds with four digits, so equal ones differ by less than a
			// thousandth; the next range ends more than a tenth higher.
			if to <= bound(first, i, perDecade)*1.001 {
				counts[i] += n
			}
		}
	}
	var all []string
	for i, n := range counts {
		all = append(all, fmt.Sprintf("%s_bucket{le=\"%.4g\"} %d\n", name, bound(first, i, perDecade), n))
	}
	return append(append(all, fmt.Sprintf("%s_bucket{le=\"+Inf\"} %d\n", name, total)), rest...)
}

// bound returns the upper end of bucket i in seconds.
func bound(first float64, i, perDecade int) float64 {
	return first * math.Pow(10, float64(i)/float64(perDecade))
}

// Package page writes the report of a benchmark as one HTML page that needs nothing
// else: no script, no font, no network. The plots are SVG.
package page

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Line is one line of a chart: points in the order of X.
type Line struct {
	Name string
	X, Y []float64
}

// Add adds a point.
func (l *Line) Add(x, y float64) { l.X, l.Y = append(l.X, x), append(l.Y, y) }

// Chart is a plot of lines over one axis. With Log both axes are logarithmic, and
// values must be positive.
type Chart struct {
	Title, XLabel, YLabel string
	Log                   bool
	Lines                 []Line
}

// Size of a chart and of its margins, in pixels.
const (
	width, height            = 560.0, 300.0
	left, right, top, bottom = 64.0, 12.0, 30.0, 42.0
	ticks                    = 5
)

// colors are told apart also without colour vision (Okabe and Ito, 2008).
//
//nudge:constant read only
var colors = []string{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"}

// SVG draws the chart.
func (c *Chart) SVG() template.HTML {
	x, y := c.axis(func(l *Line) []float64 { return l.X }), c.axis(func(l *Line) []float64 { return l.Y })
	if !c.Log {
		y.low = min(0, y.low)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, height, html.EscapeString(c.Title))
	text := func(at, up float64, anchor, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, at, up, anchor, html.EscapeString(s))
	}
	text(left, 16, "start", c.Title)
	text((left+width-right)/2, height-6, "middle", c.XLabel)
	text(4, top-2, "start", c.YLabel)
	for _, v := range y.marks() {
		at := y.place(v, height-bottom, top)
		fmt.Fprintf(&b, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, left, width-right, at, at)
		text(left-6, at+4, "end", short(v))
	}
	for _, v := range x.marks() {
		text(x.place(v, left, width-right), height-bottom+16, "middle", short(v))
	}
	for i, l := range c.Lines {
		color := colors[i%len(colors)]
		var points []string
		for n := range l.X {
			px, py := x.place(l.X[n], left, width-right), y.place(l.Y[n], height-bottom, top)
			points = append(points, fmt.Sprintf("%.1f,%.1f", px, py))
			if len(l.X) <= 12 {
				fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s: %s</title></circle>`,
					px, py, color, html.EscapeString(l.Name), short(l.Y[n]))
			}
		}
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>`,
			color, strings.Join(points, " "))
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="end" fill="%s">%s</text>`, width-right, top+14*float64(i),
			color, html.EscapeString(l.Name))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // every text in it is escaped above
}

// axis is the range of one axis.
type axis struct {
	low, high float64
	log       bool
}

func (c *Chart) axis(of func(*Line) []float64) axis {
	a := axis{low: math.Inf(1), high: math.Inf(-1), log: c.Log}
	for i := range c.Lines {
		for _, v := range of(&c.Lines[i]) {
			a.low, a.high = min(a.low, v), max(a.high, v)
		}
	}
	if a.low > a.high { // no points
		a.low, a.high = 0, 1
	}
	if a.low == a.high {
		a.high = a.low + max(1, math.Abs(a.low)/10)
	}
	if a.log {
		a.low = math.Pow(10, math.Floor(math.Log10(a.low)))
		a.high = math.Pow(10, math.Ceil(math.Log10(a.high)))
	}
	return a
}

func (a axis) place(v, from, to float64) float64 {
	if a.log {
		return from + (to-from)*(math.Log10(v)-math.Log10(a.low))/(math.Log10(a.high)-math.Log10(a.low))
	}
	return from + (to-from)*(v-a.low)/(a.high-a.low)
}

// marks are round values on the axis.
func (a axis) marks() []float64 {
	var all []float64
	if a.log {
		for v := a.low; v <= a.high*1.001; v *= 10 {
			all = append(all, v)
		}
		return all
	}
	step := math.Pow(10, math.Floor(math.Log10((a.high-a.low)/ticks)))
	for _, factor := range [...]float64{1, 2, 5, 10} {
		if (a.high-a.low)/(step*factor) <= ticks {
			step *= factor
			break
		}
	}
	for v := math.Ceil(a.low/step) * step; v <= a.high+step/1000; v += step {
		all = append(all, v)
	}
	return all
}

// short writes a number so that it fits beside an axis.
func short(v float64) string {
	for _, unit := range []struct {
		from float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.from {
			return strconv.FormatFloat(v/unit.from, 'g', 3, 64) + unit.name
		}
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

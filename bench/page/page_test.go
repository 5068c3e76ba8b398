package page

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// The page is well-formed, needs nothing from elsewhere, and shows every figure and point.
func TestPage(t *testing.T) {
	p := &Page{
		Title: "a <run>", About: []string{"here & now"}, Compared: true,
		Rows: []Row{{Scenario: "latency", Name: "p99", Value: "12 ms", Before: "10 ms", Change: "+20 %", Worse: true}},
		Charts: []Chart{
			{Title: "x<y", XLabel: "s", YLabel: "ms", Lines: []Line{{Name: "p50", X: []float64{0, 1, 2}, Y: []float64{3, 9, 5}}}},
			{Title: "log", Log: true, Lines: []Line{{Name: "a", X: []float64{10, 100}, Y: []float64{0.5, 20}}}},
			{Title: "empty", Lines: []Line{{Name: "none"}}},
		},
	}
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	circles := 0
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "<!doctype html>")))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
			circles++
		}
	}
	if circles != 5 {
		t.Errorf("%d points; want 5", circles)
	}
	for _, want := range []string{"a &lt;run&gt;", "here &amp; now", "x&lt;y", `class="n worse">&#43;20 %`, "NaN"} {
		if strings.Contains(text, want) == (want == "NaN") {
			t.Errorf("%q in the page: %v", want, strings.Contains(text, want))
		}
	}
	for _, foreign := range []string{"http://", "https://", "<script", "src="} {
		if strings.Contains(text, foreign) {
			t.Errorf("the page needs something from elsewhere: %q", foreign)
		}
	}
}

// A value is drawn between the ends of the axis, in the order of the values.
func TestPlaces(t *testing.T) {
	for _, a := range []axis{{low: 0, high: 40}, {low: 0.1, high: 1000, log: true}} {
		last := 100.0
		for _, v := range []float64{0.1, 1, 5, 40} {
			at := a.place(v, 100, 0)
			if at > last || at < 0 {
				t.Errorf("%+v: %g is drawn at %g after %g", a, v, at, last)
			}
			last = at
		}
		for _, m := range a.marks() {
			if m < a.low || m > a.high*1.001 {
				t.Errorf("%+v: a mark at %g", a, m)
			}
		}
	}
}

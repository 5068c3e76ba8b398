package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/nudge-engine/nudge/bench/page"
)

// noise is the change from run to run below which nothing is called worse.
const noise = 0.10

// ReadFigures reads the figures of an earlier run's JSON.
func ReadFigures(path string) ([]Figure, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the caller names it
	if err != nil {
		return nil, fmt.Errorf("bench: --compare: %w", err)
	}
	var earlier struct {
		Figures []Figure `json:"figures"`
	}
	if err := json.Unmarshal(text, &earlier); err != nil {
		return nil, fmt.Errorf("bench: --compare: %s: %w", path, err)
	}
	if len(earlier.Figures) == 0 {
		return nil, fmt.Errorf("bench: --compare: %s has no figures; it must come from `nudge-bench all --json`", path)
	}
	return earlier.Figures, nil
}

// WriteHTML writes the page; earlier are the figures of another run, or nil.
func (a *All) WriteHTML(path string, earlier []Figure) (err error) {
	p := page.Page{
		Title: "nudge: a benchmark run", About: []string{
			a.Machine,
			"Every figure is of a run whose result was checked: nothing lost, nothing doubled. " +
				"A limit is what the part that bounds the figure does alone, in the same run.",
		},
		Compared: earlier != nil, Rows: a.rows(earlier), Charts: a.charts(),
	}
	f, err := os.Create(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("bench: --html: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return p.Write(f)
}

// WriteComparison writes the figures beside those of an earlier run.
func (a *All) WriteComparison(w io.Writer, earlier []Figure) {
	fmt.Fprintf(w, "%-12s %-44s %14s %14s %8s\n", "", "compared with the earlier run", "now", "before", "change")
	for _, r := range a.rows(earlier) {
		mark := ""
		if r.Worse {
			mark = "  worse"
		}
		fmt.Fprintf(w, "%-12s %-44s %14s %14s %8s%s\n", r.Scenario, r.Name, r.Value, r.Before, r.Change, mark)
	}
}

func (a *All) rows(earlier []Figure) []page.Row {
	var rows []page.Row
	for _, f := range a.Figures {
		r := page.Row{Scenario: f.Scenario, Name: f.Name, Value: number(f.Value) + " " + f.Unit}
		if f.Limit > 0 {
			r.Limit, r.Share = number(f.Limit)+" "+f.Unit, strconv.FormatFloat(f.Share(), 'f', 2, 64)
		}
		for _, e := range earlier {
			if e.Scenario != f.Scenario || e.Name != f.Name || e.Value == 0 {
				continue
			}
			change := f.Value/e.Value - 1
			r.Before, r.Change = number(e.Value)+" "+e.Unit, fmt.Sprintf("%+.0f %%", 100*change)
			r.Worse = f.Less && change > noise || !f.Less && change < -noise
		}
		rows = append(rows, r)
	}
	return rows
}

func number(v float64) string {
	switch {
	case math.Abs(v) >= 1000:
		return thousands(int(v))
	case math.Abs(v) >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// charts are the curves of the scenarios that have some.
func (a *All) charts() []page.Chart {
	var charts []page.Chart
	if r, ok := a.Reports["latency"].(*Latency); ok {
		p50, p99 := page.Line{Name: "p50"}, page.Line{Name: "p99"}
		memory := page.Line{Name: "nudged"}
		house := page.Line{Name: "clickhoused"}
		for _, s := range r.Series {
			p50.Add(s.Second, s.P50)
			p99.Add(s.Second, s.P99)
			memory.Add(s.Second, float64(s.Memory.Nudged))
			house.Add(s.Second, float64(s.Memory.Clickhoused))
		}
		charts = append(charts, page.Chart{
			Title: "Accept to hand-off over the run", XLabel: "s", YLabel: "ms", Lines: []page.Line{p50, p99},
		}, page.Chart{
			Title: "Memory over the same run", XLabel: "s", YLabel: "MiB", Lines: []page.Line{memory, house},
		})
	}
	if r, ok := a.Reports["growth"].(*Growth); ok {
		for _, c := range r.Curves {
			l := page.Line{Name: c.Of}
			for _, p := range c.Points {
				l.Add(float64(p.Size), p.Microsecond)
			}
			charts = append(charts, page.Chart{
				Title: "Cost of an event by " + c.Of, XLabel: c.Of, YLabel: "us", Log: true, Lines: []page.Line{l},
			})
		}
	}
	return charts
}

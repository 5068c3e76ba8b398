package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/simulate"
	"github.com/nudge-engine/nudge/ops/backtest"
	"github.com/nudge-engine/nudge/ops/history"
)

// simulateCommand is `nudge simulate`: definitions run over calls of the past, by the same
// code as on a server, to see what they would do before they are in force.
type simulateCommand struct {
	Campaigns string `required:"" placeholder:"DIR" help:"Directory (or file) with the definitions."`
	Events    string `placeholder:"FILE" help:"Recorded calls, one JSON object a line, in time order."`
	FromLog   bool   `help:"Take the calls from the log of a server (--admin), or of a data directory (--data)."`
	Data      string `placeholder:"DIR" help:"With --from-log: data directory of a server that is not running."`
	Since     string `placeholder:"TIME" help:"With --from-log: leave out what came before this instant (RFC 3339)."`
	// Out is the directory of the report; files of an earlier run are replaced.
	Out     string `required:"" placeholder:"DIR" help:"Where deliveries.ndjson, chains.ndjson, decisions.ndjson and summary.json go."`
	Until   string `placeholder:"TIME" help:"Let the clock run to this instant (RFC 3339, inclusive). Default: on while a chain waits."`
	Sort    bool   `help:"Sort the calls by time first; else a call out of order is an error."`
	Against string `placeholder:"DIR" help:"Run other definitions over the same calls too and print the difference."`
	// Partitions is there to show that the result does not depend on it.
	Partitions int `default:"1" help:"Partitions to run with, 1 to 64; the result is the same."`
	explainOptions
	hitOptions

	adminAddress `embed:""`
}

func (s *simulateCommand) Help() string {
	return `Runs the same engine as the server over a file of recorded calls (the shape of
the tracking API). A call's "timestamp" is both when it happened and when it
came. Timers fire at their exact instants; sends succeed at once; channels need
no configuration. The same input gives the same bytes.

With --from-log the calls come from the log of a server, as far back as it is kept, each
at the time at which it came. With --against the difference is what another definition
would have done with the same history. --hits says how often triggers matched, before a
campaign is put in force.

Example:
  nudge simulate --campaigns examples/shop --events examples/shop/events.ndjson --out /tmp/result
  nudge simulate --campaigns campaigns --against campaigns-next --from-log --out /tmp/result`
}

// Run plays the calls and prints a table, or with --explain the trace of one customer. With
// --against it plays them once more with other definitions and prints the difference. Files go
// to --out, those of the other definitions to its directory "against".
func (s *simulateCommand) Run(out console) (err error) {
	until, err := s.validate()
	if err != nil {
		return err
	}
	lang, err := expr.NewLanguage()
	if err != nil {
		return err
	}
	past, closeLog, err := s.openLog(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	trace := s.trace(lang)
	result, err := s.play(out, lang, past, s.Campaigns, s.Out, until, trace)
	if err != nil {
		return err
	}
	// The trace takes the place of the table, so that its JSON can be piped.
	if trace != nil {
		return s.explain(out, trace, result.Summaries)
	}
	if err := table(out, result.Summaries); err != nil {
		return err
	}
	if result.Hits != nil {
		if err := printHits(out, result.Hits, result.Campaigns()); err != nil {
			return err
		}
	}
	if s.Against == "" {
		return nil
	}
	// The log is read once more, from its beginning.
	other, err := s.play(out, lang, past, s.Against, filepath.Join(s.Out, "against"), until, nil)
	if err != nil {
		return err
	}
	return difference(out, result.Summaries, other.Summaries)
}

// play runs the definitions of a directory over the calls, and writes the report into the
// directory to. Definitions are read loosely: what only the server knows, such as channels,
// may be missing.
func (s *simulateCommand) play(
	out console, lang *expr.Language, past history.Log, from, to string, until int64, trace *trace.Trace,
) (*backtest.Result, error) {
	// Loose: a channel or template may be known to the server alone.
	docs, err := load(lang, []string{from}, definition.Options{Loose: true})
	if err != nil {
		fmt.Fprintln(out.err, err)
		return nil, errors.New("the definitions have errors")
	}
	calls, total, err := s.calls(past, docs)
	if err != nil {
		return nil, err
	}
	bar := progress(out, total, "simulating")
	result, err := backtest.Run(backtest.Config{
		Language: lang, Documents: docs, Calls: calls, Dir: to, Partitions: s.Partitions, Until: until, Trace: trace,
		HitDays: s.Hits, HitValue: s.HitValue, Progress: func() { _ = bar.Add(1) },
	})
	if err == nil {
		_ = bar.Finish()
	}
	return result, err
}

// validate checks the flags together and returns --until in ms; 0 without it.
func (s *simulateCommand) validate() (until int64, err error) {
	if err := s.explainOptions.validate(s.Against); err != nil {
		return 0, err
	}
	if err := s.hitOptions.validate(); err != nil {
		return 0, err
	}
	if s.Partitions < 1 || s.Partitions > 64 {
		return 0, fmt.Errorf("--partitions %d: must be from 1 to 64", s.Partitions)
	}
	// Flags that would have no effect are errors: the result would not be what was asked for.
	switch {
	case (s.Events != "") == s.FromLog:
		return 0, errors.New("the calls come from --events FILE or --from-log: say one of them")
	case !s.FromLog && (s.Data != "" || s.Since != ""):
		return 0, errors.New("--data and --since go with --from-log")
	case s.FromLog && s.Sort:
		return 0, errors.New("--sort goes with --events: a log is in order")
	}
	if _, err := instantOf("--since", s.Since); err != nil {
		return 0, err
	}
	return instantOf("--until", s.Until)
}

// instantOf reads an RFC 3339 time as ms since 1970; 0 for an empty text.
func instantOf(flag, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, fmt.Errorf("%s %q is no time; write for example 2026-03-01T10:00:00Z", flag, text)
	}
	return t.UnixMilli(), nil
}

// progress returns a progress bar on the error output if that is a terminal, and one that
// shows nothing elsewhere, so that logs of scripts stay readable. total is -1 when nobody
// knows it.
func progress(out console, total int, what string) *progressbar.ProgressBar {
	// A bar in a file would be thousands of lines.
	visible, bar := false, raw(out.err)
	if f, ok := bar.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			visible = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(bar), progressbar.OptionSetDescription(what),
		progressbar.OptionSetVisibility(visible), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

// table prints a line for each campaign, and the lift of those with a holdout.
func table(out console, summaries []*simulate.Summary) error {
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "campaign\tentered\trefused\tsent\tgoals\tconverted\tconversion\trevenue")
	for _, s := range summaries {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%d\t%.1f %%\t%s\n", s.Campaign, s.Entered, counts(s.Refused),
			counts(s.Sent), counts(s.Goals), s.Converted, 100*s.Conversion, s.Money())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return lifts(out, summaries)
}

// counts writes "total (name n, name n)", sorted by name; "0" when there is nothing.
func counts(m map[string]int) string {
	names := make([]string, 0, len(m))
	total := 0
	for name, n := range m {
		names = append(names, name)
		total += n
	}
	if total == 0 {
		return "0"
	}
	sort.Strings(names)
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, m[name])
	}
	return fmt.Sprintf("%d (%s)", total, strings.Join(names, ", "))
}

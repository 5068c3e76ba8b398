package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/simulate"
)

type simulateCommand struct {
	Campaigns  string `required:"" placeholder:"DIR" help:"Directory (or file) with the definitions."`
	Events     string `required:"" placeholder:"FILE" help:"Recorded calls, one JSON object a line, in time order."`
	Out        string `required:"" placeholder:"DIR" help:"Where deliveries.ndjson, chains.ndjson, decisions.ndjson and summary.json go."`
	Until      string `placeholder:"TIME" help:"Let the clock run to this instant (RFC 3339, inclusive). Default: on while a chain waits."`
	Sort       bool   `help:"Sort the calls by time first; else a call out of order is an error."`
	Against    string `placeholder:"DIR" help:"Run other definitions over the same calls too and print the difference."`
	Partitions int    `default:"1" help:"Partitions to run with, 1 to 64; the result is the same."`
}

func (s *simulateCommand) Help() string {
	return `Runs the same engine as the server over a file of recorded calls (the shape of
the tracking API). A call's "timestamp" is both when it happened and when it
came. Timers fire at their exact instants; sends succeed at once; channels need
no configuration. The same input gives the same bytes.

Example:
  nudge simulate --campaigns examples/shop --events examples/shop/events.ndjson --out /tmp/result`
}

func (s *simulateCommand) Run(out console) error {
	until, err := s.validate()
	if err != nil {
		return err
	}
	lang, err := campaign.NewLanguage()
	if err != nil {
		return err
	}
	summaries, err := s.play(out, lang, s.Campaigns, s.Out, until)
	if err != nil {
		return err
	}
	if err := table(out, summaries); err != nil || s.Against == "" {
		return err
	}
	other, err := s.play(out, lang, s.Against, filepath.Join(s.Out, "against"), until)
	if err != nil {
		return err
	}
	return difference(out, summaries, other)
}

// play runs the definitions of a directory over the calls, and leaves the report in to.
func (s *simulateCommand) play(out console, lang *campaign.Language, from, to string, until int64) (
	[]*simulate.Summary, error,
) {
	docs, err := load(lang, []string{from}, definition.Options{Loose: true})
	if err != nil {
		fmt.Fprintln(out.err, err)
		return nil, errors.New("the definitions have errors")
	}
	calls, err := readCalls(s.Events, s.Sort, docs)
	if err != nil {
		return nil, err
	}
	report, err := simulate.NewReport(to, docs)
	if err != nil {
		return nil, err
	}
	bar := progress(out, len(calls), "simulating")
	start := until
	if len(calls) > 0 {
		start = calls[0].Time
	}
	run, err := simulate.New(simulate.Config{
		Lang: lang, Documents: docs, Partitions: s.Partitions, Until: until,
		Sink: report, Progress: func() { _ = bar.Add(1) },
	}, start)
	if err != nil {
		return nil, err
	}
	for i := range calls {
		if until != 0 && calls[i].Time > until {
			break
		}
		if err := run.Call(&calls[i]); err != nil {
			return nil, err
		}
	}
	if err := run.Finish(); err != nil {
		return nil, err
	}
	_ = bar.Finish()
	return report.Close()
}

func (s *simulateCommand) validate() (until int64, err error) {
	if s.Partitions < 1 || s.Partitions > 64 {
		return 0, fmt.Errorf("--partitions %d: must be from 1 to 64", s.Partitions)
	}
	if s.Until == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s.Until)
	if err != nil {
		return 0, fmt.Errorf("--until %q is no time; write for example 2026-03-01T10:00:00Z", s.Until)
	}
	return t.UnixMilli(), nil
}

// maxLine bounds a line of recorded calls; a call itself may have 32 KiB.
const maxLine = 1 << 20

// readCalls reads all calls of a file.
func readCalls(path string, sorted bool, docs []campaign.Parsed) ([]campaign.Event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var calls []campaign.Event
	reader := ingest.NewRecorded(simulate.Workspace)
	var programs []*campaign.Program
	for i := range docs {
		if docs[i].Campaign != nil {
			programs = append(programs, docs[i].Campaign)
		}
	}
	reader.Knows(programs)
	scanner := bufio.NewScanner(f)
	scanner.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; scanner.Scan(); n++ {
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		events, err := reader.Read(text, fmt.Sprintf("line-%d", n))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if k := len(calls); !sorted && k > 0 && events[0].Time < calls[k-1].Time {
			return nil, fmt.Errorf(
				"%s:%d: the call is older than the one before it; put the file in time order, or use --sort",
				path,
				n,
			)
		}
		for _, e := range events {
			e.Properties, e.Traits, e.Context = bytes.Clone(e.Properties), bytes.Clone(e.Traits), bytes.Clone(e.Context)
			calls = append(calls, e)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sort.SliceStable(calls, func(i, j int) bool { return calls[i].Time < calls[j].Time })
	return calls, nil
}

// progress is a bar on a terminal, silent elsewhere.
func progress(out console, total int, what string) *progressbar.ProgressBar {
	visible := false
	if f, ok := out.err.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			visible = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(out.err), progressbar.OptionSetDescription(what),
		progressbar.OptionSetVisibility(visible), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

func table(out console, summaries []*simulate.Summary) error {
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "campaign\tentered\trefused\tsent\tconverted\tconversion\trevenue")
	for _, s := range summaries {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%d\t%.1f %%\t%s\n", s.Campaign, s.Entered, counts(s.Refused), counts(s.Sent),
			s.Converted, 100*s.Conversion, s.Revenue)
	}
	return w.Flush()
}

// counts writes "total (name n, name n)", sorted by name.
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

// Package backtest runs definitions over the calls that customers made, and says what would
// have been sent, and how often triggers would have been hit. It is the core of `nudge
// simulate` on a log or a file: history gives the calls, internal/simulate runs the engine on
// them, and this package joins the two and counts hits.
package backtest

import (
	"errors"
	"io"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/simulate"
	"github.com/nudge-engine/nudge/ops/history"
)

// Config is what [Run] plays, and where the results go. Language, Documents, Calls and Dir are
// required.
type Config struct {
	Language  *expr.Language
	Documents []parse.Parsed
	Calls     history.Source
	// Dir gets the files deliveries, chains, decisions, the summary and the hits. It is
	// created.
	Dir string
	// Partitions is from 1 to 64; it makes no difference to the result.
	Partitions int
	// Until is the log time (ms) to which the clock runs, inclusive; 0: on while a chain
	// waits.
	Until int64
	// Trace notes what is decided about its customer; it may be nil.
	Trace *trace.Trace
	// HitDays is over how many days hits are counted, up to the last call; 0: none are.
	HitDays int
	// HitValue is a property of the events that hit, to be summed up; empty: none.
	HitValue string
	// Progress is called for each call; it may be nil.
	Progress func()
}

// Result is what a run has found. Hits is nil if Config.HitDays is 0.
type Result struct {
	// Summaries has one entry for each campaign.
	Summaries []*simulate.Summary
	Hits      *Hits
}

// Campaigns returns the names of the campaigns, in the order of the summaries.
func (r *Result) Campaigns() []string {
	names := make([]string, 0, len(r.Summaries))
	for _, s := range r.Summaries {
		names = append(names, s.Campaign)
	}
	return names
}

// Run plays the calls and writes the files. The same calls and documents give the same bytes.
// An error is about the definitions, a call that cannot be read, or a file that cannot be
// written; the files are incomplete then.
func Run(config Config) (*Result, error) {
	report, err := simulate.NewReport(config.Dir, config.Documents)
	if err != nil {
		return nil, err
	}
	// The clock starts at the first call, so that recurring triggers do not fire for the time
	// before.
	call, err := config.Calls.Next()
	start := call.At
	// Without any call the clock runs from the end to the end: nothing happens.
	if errors.Is(err, io.EOF) {
		start = config.Until
	}
	hits := &Hits{Sink: report, Days: config.HitDays, Property: config.HitValue}
	run, failed := simulate.New(simulate.Config{
		Lang: config.Language, Documents: config.Documents, Partitions: config.Partitions, Until: config.Until,
		Sink: hits, Progress: config.Progress, Trace: config.Trace, Reach: report.Reach,
	}, start)
	if failed != nil {
		return nil, failed
	}
	for ; err == nil && (config.Until == 0 || call.At <= config.Until); call, err = config.Calls.Next() {
		hits.Call(&call.Event, call.At)
		if err := run.CallAt(&call.Event, call.At); err != nil {
			return nil, err
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	// After the last call the clock runs on, and timers that were set still fire.
	if err := run.Finish(); err != nil {
		return nil, err
	}
	result := new(Result)
	if result.Summaries, err = report.Close(); err != nil || config.HitDays == 0 {
		return result, err
	}
	result.Hits = hits
	return result, hits.Write(config.Dir, result.Campaigns())
}

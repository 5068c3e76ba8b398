// Package backtest runs definitions over the calls that customers made: what would have been
// sent, and how often triggers would have been hit.
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

// Config is what [Run] plays, and where the results go.
type Config struct {
	Language   *expr.Language
	Documents  []parse.Parsed
	Calls      history.Source
	Dir        string       // gets deliveries, chains, decisions, the summary and the hits
	Partitions int          // 1 to 64; the result is the same
	Until      int64        // the clock runs to this log time (ms), inclusive; 0: on while a chain waits
	Trace      *trace.Trace // of a customer; may be nil
	HitDays    int          // count hits of so many days; 0: none
	HitValue   string       // property of the events that hit, to be summed up; empty: none
	Progress   func()       // is called for each call
}

// Result is what came of a run. Hits is nil where none are counted.
type Result struct {
	Summaries []*simulate.Summary // a campaign each
	Hits      *Hits
}

// Campaigns are the names of the campaigns, in the order of the summaries.
func (r *Result) Campaigns() []string {
	names := make([]string, 0, len(r.Summaries))
	for _, s := range r.Summaries {
		names = append(names, s.Campaign)
	}
	return names
}

// Run plays the calls; the same calls and documents give the same bytes.
func Run(config Config) (*Result, error) {
	report, err := simulate.NewReport(config.Dir, config.Documents)
	if err != nil {
		return nil, err
	}
	call, err := config.Calls.Next()
	start := call.At
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

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is the report of the scenario of that name. Times are in milliseconds
// from the instant at which a batch was to be sent, late or not, to the arrival
// of the deliveries that its events cause at a webhook.
type Latency struct {
	Scenario        string   `json:"scenario"`
	P50             float64  `json:"p50_ms"`
	P90             float64  `json:"p90_ms"`
	P99             float64  `json:"p99_ms"`
	P999            float64  `json:"p999_ms"`
	Max             float64  `json:"max_ms"`
	Accepted        Answers  `json:"accepted"`            // until the batch is acknowledged
	Limit           Answers  `json:"limit"`               // the same of the bare pipe at that rate, in the same run
	RatePerSecond   float64  `json:"rate_per_second"`     // that was asked for
	SentPerSecond   float64  `json:"sent_per_second"`     // that was reached
	EstimatedFull   float64  `json:"estimated_full_rate"` // of which the rate is a share; 0 with a given rate
	Correct         bool     `json:"correct"`
	Wrong           []string `json:"wrong,omitempty"`
	Deliveries      int      `json:"deliveries"` // in the figures
	WarmUp          int      `json:"warm_up_deliveries"`
	Repeated        int      `json:"repeated_deliveries"`
	Partitions      int      `json:"partitions"`
	Connections     int      `json:"connections"`
	Batch           int      `json:"batch"`
	Campaigns       int      `json:"campaigns"`
	DurationSeconds float64  `json:"duration_seconds"`
	Retries         int      `json:"retries"`
	Complaints      int      `json:"complaints"` // warnings and errors in the server's log
	Ledger          Ledger   `json:"ledger"`
	CPU             CPU      `json:"cpu_us_per_event"`
	// Series is the run in slices of equal length, a sixtieth of it but at least a second.
	Series []Slice `json:"series"`
}

// Slice is a part of a latency run.
type Slice struct {
	Second float64 `json:"second"` // its beginning, after the warm-up
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	Memory Memory  `json:"memory_mib"` // at its end
}

// Load says how much is sent in the latency scenario.
type Load struct {
	Share float64 // of a quick estimate of the throughput
	Rate  float64 // events a second; goes before Share
}

const (
	warmUp      = time.Second // its deliveries are not in the figures
	estimateFor = 3 * time.Second
	// pipeAnswersFor is how long the bare pipe is measured at most beside a long run.
	pipeAnswersFor = 30 * time.Second
	arrivalLimit   = time.Minute // after the last batch
)

// MeasureLatency sends at a fixed rate, whatever the server does.
func MeasureLatency(ctx context.Context, o Options, at Load) (*Latency, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if at.Rate < 0 || at.Rate == 0 && (at.Share <= 0 || at.Share > 1) {
		return nil, fmt.Errorf("--load %g, --rate %g: load must be above 0 and at most 1, a rate positive", at.Share,
			at.Rate)
	}
	ctx, cancel := o.limit(ctx)
	defer cancel()
	report, err := o.serverLatency(ctx, at)
	if err != nil {
		return nil, err
	}
	d := min(o.Duration, pipeAnswersFor)
	o.Progress.Stage("the bare pipe at the same rate, for %v", d)
	report.Limit, err = PipeAnswers(ctx, o, report.RatePerSecond, d)
	return report, err
}

func (o Options) serverLatency(ctx context.Context, at Load) (report *Latency, err error) {
	arrivals := newArrivals()
	receiver, err := startReceiver(ctx, arrivals.note)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, receiver.stop()) }()
	o.Progress.Stage("starting nudged with %d campaigns", o.Workload.Campaigns)
	server, err := StartServer(ctx, o.Server, o.Workload.Definitions(receiver.url))
	if err != nil {
		return nil, err
	}
	defer func() {
		o.Progress.Stage("stopping nudged")
		err = errors.Join(err, server.Stop())
	}()
	report = &Latency{
		Scenario: "latency", Partitions: o.partitions(), Connections: o.Connections, Batch: o.Batch,
		Campaigns: o.Workload.Campaigns, RatePerSecond: at.Rate, DurationSeconds: o.Duration.Seconds(),
	}
	var before totals
	if at.Rate == 0 {
		o.Progress.Stage("estimating the full rate for %v", estimateFor)
		if report.EstimatedFull, before, err = server.rate(ctx, o, estimateFor); err != nil {
			return nil, err
		}
		if err := arrivals.await(ctx, server, before.deliveries, o.Progress); err != nil {
			return nil, err
		}
		report.RatePerSecond = at.Share * report.EstimatedFull
	}
	o.Progress.Stage("sending %s events a second for %v", thousands(int(report.RatePerSecond)), o.Duration)
	return report, report.measure(ctx, o, server, arrivals, before)
}

func (r *Latency) measure(ctx context.Context, o Options, s *Server, a *arrivals, before totals) error {
	l := o.load(s.batchURL(), o.Connections)
	plan := o.schedule(l, r.RatePerSecond, o.Duration)
	answers := newAnswers(plan.start.Add(warmUp))
	l.answered = answers.note
	usedBefore := s.usage()
	profiled := s.profile(ctx, o.Profile, o.Duration)
	memory := s.watchMemory(plan.start.Add(warmUp), plan.slice())
	sum, err := l.run(ctx, plan.next)
	samples := memory()
	if err := errors.Join(err, <-profiled); err != nil {
		return s.explain(err)
	}
	r.CPU = s.usage().since(usedBefore, sum.events)
	r.SentPerSecond = float64(sum.events) / sum.last.Sub(plan.start).Seconds()
	r.Retries, r.Accepted = sum.retries, answers.sum()
	deliveries := before.deliveries + sum.deliveries
	if err := a.await(ctx, s, deliveries, o.Progress); err != nil {
		return err
	}
	r.figures(a, plan, samples)
	events := before.events + sum.events
	if _, err := s.awaitRows(ctx, rowsOfEvents, events, o.Progress); err != nil {
		return err
	}
	if _, err := s.awaitRows(ctx, rowsHandedOff, deliveries, o.Progress); err != nil {
		return err
	}
	if r.Ledger, err = s.Ledger(ctx); err != nil {
		return err
	}
	r.Complaints = s.log.Complaints()
	r.Wrong = append(r.Wrong, r.Ledger.check(events, deliveries)...)
	if got := len(a.first); got != deliveries {
		r.Wrong = append(r.Wrong, fmt.Sprintf("different deliveries that arrived: %d; want %d", got, deliveries))
	}
	r.Correct = len(r.Wrong) == 0
	return nil
}

// figures fills in the percentiles.
func (r *Latency) figures(a *arrivals, plan schedule, samples []Memory) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := newHistogram()
	slices := plan.slices()
	for _, arrival := range a.first {
		intended, ours, err := plan.intended(arrival.trigger)
		switch {
		case err != nil:
			r.Wrong = append(r.Wrong, err.Error())
		case !ours:
		case intended.Before(plan.start.Add(warmUp)):
			r.WarmUp++
		default:
			record(h, arrival.at.Sub(intended))
			record(slices[plan.sliceOf(intended)], arrival.at.Sub(intended))
		}
	}
	for i, part := range slices {
		slice := Slice{
			Second: float64(i) * plan.slice().Seconds(), P50: quantile(part, 50), P99: quantile(part, 99),
		}
		if i < len(samples) {
			slice.Memory = samples[i]
		}
		r.Series = append(r.Series, slice)
	}
	r.Repeated = a.repeated
	r.Deliveries = int(h.TotalCount())
	r.P50, r.P90, r.P99, r.P999 = quantile(h, 50), quantile(h, 90), quantile(h, 99), quantile(h, 99.9)
	r.Max = float64(h.Max()) / 1000
}

// newHistogram takes microseconds up to ten minutes at three significant digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 600_000_000, 3) }

func record(h *hdrhistogram.Histogram, d time.Duration) {
	// In range by the clamp, so that it cannot fail.
	_ = h.RecordValue(min(max(d.Microseconds(), 1), 600_000_000))
}

// quantile is in milliseconds.
func quantile(h *hdrhistogram.Histogram, q float64) float64 {
	return float64(h.ValueAtQuantile(q)) / 1000
}

package bench

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// Throughput is the report of the scenario of that name.
type Throughput struct {
	Scenario           string   `json:"scenario"`
	EventsPerSecond    float64  `json:"events_per_second"`
	LimitPerSecond     float64  `json:"limit_events_per_second"`
	ShareOfLimit       float64  `json:"share_of_limit"`
	Correct            bool     `json:"correct"`
	Wrong              []string `json:"wrong,omitempty"`
	Partitions         int      `json:"partitions"`
	Connections        int      `json:"connections"`
	Batch              int      `json:"batch"`
	Customers          int      `json:"customers"`
	Campaigns          int      `json:"campaigns"`
	Channel            string   `json:"channel"`
	Cores              int      `json:"cores"`
	Seed               uint64   `json:"seed"`
	Events             int      `json:"events"`
	ExpectedDeliveries int      `json:"expected_deliveries"`
	Retries            int      `json:"retries"`
	SendSeconds        float64  `json:"send_seconds"` // first request to last acknowledgement
	LagSeconds         float64  `json:"lag_seconds"`  // last acknowledgement to last row readable
	AcceptedPerSecond  float64  `json:"accepted_per_second"`
	Complaints         int      `json:"complaints"` // warnings and errors in the server's log
	Ledger             Ledger   `json:"ledger"`
	CPU                CPU      `json:"cpu_us_per_event"` // while events were sent and written
	Memory             Memory   `json:"memory_mib"`
}

// rowsOfEvents counts what is readable.
const rowsOfEvents = "SELECT count() FROM nudge.events"

// rowsHandedOff counts the deliveries that are readable.
const rowsHandedOff = "SELECT countIf(status = 'handed_off') FROM nudge.deliveries"

// MeasureThroughput measures the limit, then a server, and checks the tables.
func MeasureThroughput(ctx context.Context, o Options) (report *Throughput, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := o.limit(ctx)
	defer cancel()
	report = &Throughput{
		Scenario: "throughput", Partitions: o.partitions(), Connections: o.Connections, Batch: o.Batch,
		Customers: o.Workload.Customers, Campaigns: o.Workload.Campaigns, Channel: "console", Cores: runtime.NumCPU(),
		Seed: o.Workload.Seed,
	}
	o.Progress.Stage("the limit: a bare pipe for %v", o.Duration)
	if report.LimitPerSecond, err = Pipe(ctx, o, o.Duration); err != nil {
		return nil, err
	}
	url := ""
	if o.Webhook {
		receiver, err := startReceiver(ctx, nil)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, receiver.stop()) }()
		report.Channel, url = "webhook", receiver.url
	}
	o.Progress.Stage("starting nudged with %d campaigns", o.Workload.Campaigns)
	server, err := StartServer(ctx, o.Server, o.Workload.Definitions(url))
	if err != nil {
		return nil, err
	}
	defer func() {
		o.Progress.Stage("stopping nudged")
		err = errors.Join(err, server.Stop())
	}()
	o.Progress.Stage("sending batches of %d over %d connections for %v", o.Batch, o.Connections, o.Duration)
	return report, report.measure(ctx, o, server)
}

func (r *Throughput) measure(ctx context.Context, o Options, s *Server) error {
	before := s.usage()
	profiled := s.profile(ctx, o.Profile, o.Duration)
	l := o.load(s.batchURL(), 0)
	sum, err := l.closedLoop(ctx, o.Duration)
	if err != nil {
		return s.explain(err)
	}
	readable, err := s.awaitRows(ctx, rowsOfEvents, sum.events, o.Progress)
	if err := errors.Join(err, <-profiled); err != nil {
		return err
	}
	r.CPU = s.usage().since(before, sum.events)
	r.Memory = s.memory()
	r.Events, r.ExpectedDeliveries, r.Retries = sum.events, sum.deliveries, sum.retries
	r.SendSeconds = sum.last.Sub(sum.first).Seconds()
	r.LagSeconds = readable.Sub(sum.last).Seconds()
	r.AcceptedPerSecond = float64(sum.events) / r.SendSeconds
	r.EventsPerSecond = float64(sum.events) / readable.Sub(sum.first).Seconds()
	if r.LimitPerSecond > 0 { // it was measured
		r.ShareOfLimit = r.EventsPerSecond / r.LimitPerSecond
	}
	if _, err := s.awaitRows(ctx, rowsHandedOff, sum.deliveries, o.Progress); err != nil {
		return err
	}
	if r.Ledger, err = s.Ledger(ctx); err != nil {
		return err
	}
	r.Complaints = s.log.Complaints()
	r.Wrong = r.Ledger.check(sum.events, sum.deliveries)
	r.Correct = len(r.Wrong) == 0
	if r.Complaints > 0 {
		o.Progress.Stage("the server's log has %d warnings and errors; the end of it:\n%s", r.Complaints, s.log)
	}
	return nil
}

func (s *Server) batchURL() string { return "http://" + s.events + "/v1/batch" }

// rate is a quick estimate of what the server takes: events readable a second.
func (s *Server) rate(ctx context.Context, o Options, d time.Duration) (perSecond float64, sum totals, err error) {
	l := o.load(s.batchURL(), 0)
	if sum, err = l.closedLoop(ctx, d); err != nil {
		return 0, sum, s.explain(err)
	}
	readable, err := s.awaitRows(ctx, rowsOfEvents, sum.events, o.Progress)
	return float64(sum.events) / readable.Sub(sum.first).Seconds(), sum, err
}

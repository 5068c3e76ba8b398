package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"time"
)

// Campaigns is the report of the scenario of that name: what an event costs while few
// and while many campaigns are active, of which an event matches one at most. The lists
// have an item for each of Counts.
type Campaigns struct {
	Scenario        string    `json:"scenario"`
	Counts          []int     `json:"counts"`
	EventsPerSecond []float64 `json:"events_per_second"`
	// ServerCPU is the processor time of nudged and clickhoused, us an event.
	ServerCPU []float64 `json:"server_cpu_us_per_event"`
	// CostRatio is ServerCPU of the last count over that of the first.
	CostRatio float64 `json:"cost_ratio"`
	// BytesPerCampaign is the live heap that a campaign of the last count takes in the
	// shards of all partitions, compiled and indexed, folded in this process.
	BytesPerCampaign float64 `json:"bytes_per_campaign"`
	// ResidentBytes is how much more resident memory nudged has when the last count was
	// just applied than when the first was, a campaign: mostly what the collector and the
	// log will give back.
	ResidentBytes float64       `json:"resident_bytes_per_campaign"`
	ApplySeconds  []float64     `json:"apply_seconds"` // until every partition had them
	Correct       bool          `json:"correct"`
	Wrong         []string      `json:"wrong,omitempty"`
	Cores         int           `json:"cores"`
	Runs          []*Throughput `json:"runs"`
}

// Limits of the scenario "campaigns": how many numbers it compares, and the size of a
// request.
const (
	maxCounts    = 10
	maxApplyBody = 2 << 20 // bytes of definitions in a request
)

// MeasureCampaigns starts a server for each count, applies as many campaigns over its
// admin address, sends the workload and checks the tables.
func MeasureCampaigns(ctx context.Context, o Options, counts []int) (*Campaigns, error) {
	if len(counts) < 2 || len(counts) > maxCounts || slices.Min(counts) < 1 || slices.Max(counts) > 10_000 ||
		counts[0] >= counts[len(counts)-1] {
		return nil, fmt.Errorf("--counts %v: must be 2 to %d numbers from 1 to 10000, the last above the first", counts,
			maxCounts)
	}
	r := &Campaigns{Scenario: "campaigns", Counts: counts, Cores: runtime.NumCPU()}
	o.Progress.Stage("weighing %s campaigns", thousands(counts[len(counts)-1]))
	weight, err := weighCampaigns(counts[len(counts)-1], o.partitions())
	if err != nil {
		return nil, err
	}
	r.BytesPerCampaign = weight
	var resident []int
	for _, n := range counts {
		o.Workload.Campaigns = n
		if err := o.Validate(); err != nil {
			return nil, err
		}
		run, seconds, mib, err := measureCount(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("with %d campaigns: %w", n, err)
		}
		r.Runs, resident = append(r.Runs, run), append(resident, mib)
		r.ApplySeconds = append(r.ApplySeconds, seconds)
		r.EventsPerSecond = append(r.EventsPerSecond, run.EventsPerSecond)
		r.ServerCPU = append(r.ServerCPU, run.CPU.Nudged+run.CPU.Clickhoused)
		for _, w := range run.Wrong {
			r.Wrong = append(r.Wrong, fmt.Sprintf("with %d campaigns: %s", n, w))
		}
	}
	last := len(counts) - 1
	r.CostRatio = r.ServerCPU[last] / r.ServerCPU[0]
	r.ResidentBytes = float64(resident[last]-resident[0]) * (1 << 20) / float64(counts[last]-counts[0])
	r.Correct = len(r.Wrong) == 0
	return r, nil
}

// measureCount is one server with its campaigns: the run, how long they took to apply,
// and the resident memory then, MiB.
func measureCount(ctx context.Context, o Options) (run *Throughput, seconds float64, mib int, err error) {
	ctx, cancel := o.limit(ctx)
	defer cancel()
	run = &Throughput{
		Scenario: "throughput", Partitions: o.partitions(), Connections: o.Connections, Batch: o.Batch,
		Customers: o.Workload.Customers, Campaigns: o.Workload.Campaigns, Channel: "console", Cores: runtime.NumCPU(),
		Seed: o.Workload.Seed,
	}
	server, err := StartServer(ctx, o.Server, Workload{}.Definitions("")) // the channel alone
	if err != nil {
		return nil, 0, 0, err
	}
	defer func() {
		o.Progress.Stage("stopping nudged")
		err = errors.Join(err, server.Stop())
	}()
	o.Progress.Stage("applying %s campaigns", thousands(o.Workload.Campaigns))
	began := time.Now()
	if err := server.apply(ctx, o.Workload.Definitions("")); err != nil {
		return nil, 0, 0, server.explain(err)
	}
	seconds, mib = time.Since(began).Seconds(), server.memory().Nudged
	o.Progress.Stage("sending batches of %d over %d connections for %v", o.Batch, o.Connections, o.Duration)
	return run, seconds, mib, run.measure(ctx, o, server)
}

// apply puts definitions in force, as many in a request as the server takes.
func (s *Server) apply(ctx context.Context, files []string) error {
	type file struct {
		Name string `json:"name"`
		Text string `json:"text"`
	}
	var part []file
	size := 0
	post := func() error {
		body, err := json.Marshal(map[string]any{"files": part})
		if err != nil {
			return fmt.Errorf("bench: definitions: %w", err)
		}
		part, size = nil, 0
		return post(ctx, "http://"+s.admin+"/v1/definitions", body)
	}
	for i, text := range files {
		if size+len(text) > maxApplyBody && size > 0 {
			if err := post(); err != nil {
				return err
			}
		}
		part, size = append(part, file{fmt.Sprintf("bench-%d.yaml", i), text}), size+len(text)
	}
	return post()
}

func post(ctx context.Context, address string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+adminKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("bench: apply: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("bench: apply: %s: %s", response.Status, text)
	}
	return err
}

// Table implements Report.
func (r *Campaigns) Table(w io.Writer) {
	fmt.Fprintf(w, "campaigns: an event matches one at most; all look at its name\n")
	for i, n := range r.Counts {
		row(w, thousands(n)+" campaigns, events a second", "%s, server %.1f us of CPU an event, applied in %.1f s",
			thousands(int(r.EventsPerSecond[i])), r.ServerCPU[i], r.ApplySeconds[i])
	}
	row(w, "cost of an event, last over first", "%.2f", r.CostRatio)
	row(w, "bytes a campaign, all partitions", "%.0f", r.BytesPerCampaign)
	row(w, "resident, just applied", "%.0f", r.ResidentBytes)
	row(w, "cores that others kept busy", "%.1f", r.Runs[len(r.Runs)-1].CPU.OthersCores)
	row(w, "nothing lost, nothing doubled", "%s", verdict(r.Correct))
}

// Err implements Report.
func (r *Campaigns) Err() error { return wrongness(r.Wrong) }

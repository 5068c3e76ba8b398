package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrWrong means that a run lost or doubled something: its figures are none.
var ErrWrong = errors.New("the result is wrong")

// Report is what a scenario found.
type Report interface {
	// Table writes it for people.
	Table(w io.Writer)
	// Err is ErrWrong with the differences when the run was not correct.
	Err() error
}

// WriteJSON writes a report, or several, to a file, whole or not at all.
func WriteJSON(path string, report any) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("bench: report: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".nudge-bench-*")
	if err != nil {
		return fmt.Errorf("bench: --json: %w", err)
	}
	_, err = temporary.Write(append(text, '\n'))
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("bench: --json: %w", err), os.Remove(temporary.Name()))
	}
	return nil
}

func wrongness(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	errs := []error{ErrWrong}
	for _, w := range wrong {
		errs = append(errs, errors.New("  "+w))
	}
	return errors.Join(errs...)
}

// row writes one line of a table.
func row(w io.Writer, name, format string, args ...any) {
	fmt.Fprintf(w, "  %-34s %s\n", name, fmt.Sprintf(format, args...))
}

func verdict(correct bool) string {
	if correct {
		return "yes"
	}
	return "NO"
}

// Table implements Report.
func (r *Throughput) Table(w io.Writer) {
	fmt.Fprintf(w, "throughput: batches of %d, %d connections, %d partitions, %d campaigns, %s customers\n", r.Batch,
		r.Connections, r.Partitions, r.Campaigns, thousands(r.Customers))
	row(w, "events a second, readable", "%s", thousands(int(r.EventsPerSecond)))
	row(w, "bare pipe, events a second", "%s", thousands(int(r.LimitPerSecond)))
	row(w, "share of the bare pipe", "%.2f", r.ShareOfLimit)
	row(w, "accepted a second", "%s", thousands(int(r.AcceptedPerSecond)))
	row(w, "rows behind at the end", "%.1f s", r.LagSeconds)
	row(w, "CPU us an event", "nudged %.1f, clickhoused %.1f, bench %.1f", r.CPU.Nudged, r.CPU.Clickhoused, r.CPU.Bench)
	row(w, "cores that others kept busy", "%.1f", r.CPU.OthersCores)
	row(w, "events / deliveries", "%s / %s", thousands(r.Events), thousands(r.Ledger.HandedOff))
	row(w, "deliveries sent by then", "%s", thousands(r.Ledger.Sent))
	row(w, "memory MiB", "nudged %d, clickhoused %d", r.Memory.Nudged, r.Memory.Clickhoused)
	row(w, "nothing lost, nothing doubled", "%s", verdict(r.Correct))
}

// Err implements Report.
func (r *Throughput) Err() error { return wrongness(r.Wrong) }

// Table implements Report.
func (r *Latency) Table(w io.Writer) {
	fmt.Fprintf(w, "latency: %s events a second, batches of %d, %d campaigns\n", thousands(int(r.RatePerSecond)),
		r.Batch, r.Campaigns)
	row(w, "from accept to hand-off, p50", "%.1f ms", r.P50)
	row(w, "p90", "%.1f ms", r.P90)
	row(w, "p99", "%.1f ms", r.P99)
	row(w, "p99.9", "%.1f ms", r.P999)
	row(w, "longest", "%.1f ms", r.Max)
	row(w, "until acknowledged, p50 / p99", "%.1f / %.1f ms", r.Accepted.P50, r.Accepted.P99)
	row(w, "the bare pipe at that rate, p50 / p99", "%.1f / %.1f ms", r.Limit.P50, r.Limit.P99)
	row(w, "deliveries measured", "%s", thousands(r.Deliveries))
	row(w, "rate reached", "%s", thousands(int(r.SentPerSecond)))
	row(w, "cores that others kept busy", "%.1f", r.CPU.OthersCores)
	row(w, "nothing lost, nothing doubled", "%s", verdict(r.Correct))
}

// Err implements Report.
func (r *Latency) Err() error { return wrongness(r.Wrong) }

// Table implements Report.
func (r *Customers) Table(w io.Writer) {
	fmt.Fprintf(w, "customers: %s, each with one chain and one timer\n", thousands(r.Count))
	row(w, "bytes a customer in memory", "%.0f", r.BytesPerCustomer)
	row(w, "before the snapshot", "%.0f", r.DirtyBytes)
	row(w, "in the snapshot", "%.0f", r.StoredBytes)
	row(w, "folds a second, one core", "%s", thousands(int(r.FoldPerSec)))
	if r.Weights != nil {
		row(w, "bytes: idle customer", "%.0f", r.Weights.Idle)
		row(w, "  a further chain with its timer", "%.0f", r.Weights.Chain)
		row(w, "  a further counter", "%.0f", r.Weights.Counter)
		row(w, "  a further day of a window", "%.0f", r.Weights.Window)
		row(w, "us of an event after a rest", "%.2f more than without", r.Weights.ActivationMicroseconds)
	}
	row(w, "as expected", "%s", verdict(r.Correct))
}

// Err implements Report.
func (r *Customers) Err() error { return wrongness(r.Wrong) }

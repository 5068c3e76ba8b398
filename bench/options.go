package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// defaultPartitions is the server's default.
const defaultPartitions = 8

// Options are what the scenarios with a server have in common.
type Options struct {
	Server      ServerConfig
	Workload    Workload
	Batch       int
	Connections int
	Duration    time.Duration
	Webhook     bool   // deliveries go to a receiver in this process, else to the console, whose output is dropped
	Profile     string // directory for profiles of the server while it is loaded; "": none
	Progress    *Progress
}

func (o Options) partitions() int {
	if o.Server.Partitions > 0 {
		return o.Server.Partitions
	}
	return defaultPartitions
}

// maxBatch is the server's limit; at about 330 bytes an event its limit of bytes
// comes first.
const maxBatch = 1400

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	batch, d, w, p := o.Batch, o.Duration, o.Workload, o.Server.Partitions
	check(batch >= 1 && batch <= maxBatch, "--batch %d: must be from 1 to %d (500 KiB a request)", batch, maxBatch)
	check(o.Connections >= 1 && o.Connections <= 4096, "--connections %d: must be from 1 to 4096", o.Connections)
	check(d >= 100*time.Millisecond && d <= time.Hour, "--duration %v: must be from 100ms to 1h", d)
	check(w.Customers >= 1, "--customers %d: must be at least 1", w.Customers)
	check(w.Campaigns >= 1 && w.Campaigns <= 10_000, "--campaigns %d: must be from 1 to 10000", w.Campaigns)
	check(p >= 0 && p <= 64, "--partitions %d: must be from 1 to 64, or 0 for the default", p)
	return errors.Join(errs...)
}

// limit bounds a scenario: the longest that it may take when all is well, and
// some more.
func (o Options) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, 4*o.Duration+10*time.Minute,
		errors.New("bench: the scenario takes far too long"))
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}

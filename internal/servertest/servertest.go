// Package servertest has what tests that start the real programs have in common: building
// them, free addresses, keeping what they print, and waiting for what they do.
package servertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// ErrNotYet is for checks that have nothing to say but that their condition does not hold
// yet.
var ErrNotYet = errors.New("not yet")

// pollEvery is the time between two checks.
const pollEvery = 50 * time.Millisecond

// Build builds programs of the module, named by their folders such as cmd/nudged, into dir.
// What the compiler says goes to standard error. tags are build tags, separated by commas, or
// empty.
func Build(dir, tags string, folders ...string) error {
	args := []string{"build", "-tags", tags, "-o", dir + string(os.PathSeparator)}
	for _, folder := range folders {
		args = append(args, "github.com/nudge-engine/nudge/"+folder)
	}
	build := exec.CommandContext(context.Background(), "go", args...)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("the programs cannot be built: %w", err)
	}
	return nil
}

// FreePort returns an address of the loopback interface, host:port, on which nothing
// listened a moment ago. Another process may take it before the test does.
func FreePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// Output keeps what a process prints. It is safe for concurrent use, so it may be read
// while the process writes. The zero value is empty.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps p.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String returns everything that was printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Tail returns the end of what was printed, at most n bytes.
func (o *Output) Tail(n int) string {
	text := o.String()
	return text[max(0, len(text)-n):]
}

// Poll calls check every 50 ms until it returns nil. When limit is over, or ctx has ended,
// it returns the last error.
func Poll(ctx context.Context, limit time.Duration, check func() error) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-deadline.C:
			return err
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}

// Eventually calls check until it returns nil. When limit is over, the test fails with
// what, which says what was waited for, and the last error.
func Eventually(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	if err := Poll(t.Context(), limit, check); err != nil {
		t.Fatalf("%s: not in %v: %v", what, limit, err)
	}
}

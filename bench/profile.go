package bench

import (
	"context"
	"fmt"
	"os"
	"time"
)

// profile writes a CPU profile of the server over the next d into file; the channel
// yields one error or nil when it is written. Without a file it does nothing.
// A profile costs the server a few per cent: its run is no figure.
func (s *Server) profile(ctx context.Context, file string, d time.Duration) <-chan error {
	done := make(chan error, 1)
	if file == "" {
		done <- nil
		return done
	}
	go func() {
		address := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.admin, max(1, int(d.Seconds())+4))
		profile, err := get(ctx, address)
		if err == nil {
			err = os.WriteFile(file, []byte(profile), 0o600)
		}
		if err != nil {
			err = fmt.Errorf("bench: --profile: %w", err)
		}
		done <- err
	}()
	return done
}

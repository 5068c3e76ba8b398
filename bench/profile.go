package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// profile writes profiles of the server over the next d into dir; the channel yields one
// error or nil when they are written. Without a directory it does nothing. Profiles cost
// the server a few per cent: a run with them is no figure.
func (s *Server) profile(ctx context.Context, dir string, d time.Duration) <-chan error {
	done := make(chan error, 1)
	if dir == "" {
		done <- nil
		return done
	}
	seconds := max(1, int(d.Seconds())+4)
	asked := []struct {
		file, path string
		seconds    int
	}{
		{"cpu.pprof", "profile", seconds},
		{"allocs.pprof", "allocs", seconds},
		{"mutex.pprof", "mutex", seconds},
		{"trace.out", "trace", 1}, // it grows by some megabytes a second
	}
	failures := make([]error, len(asked))
	var all sync.WaitGroup
	for i, a := range asked {
		all.Go(func() {
			profile, err := s.look(ctx, fmt.Sprintf("/debug/pprof/%s?seconds=%d", a.path, a.seconds))
			if err == nil {
				file := filepath.Join(dir, a.file)
				err = errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(file, []byte(profile), 0o600))
			}
			if err != nil {
				failures[i] = fmt.Errorf("bench: --profile: %s: %w", a.file, err)
			}
		})
	}
	go func() {
		all.Wait()
		done <- errors.Join(failures...)
	}()
	return done
}

package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// maxSlices is in how many slices a run is shown over time.
const maxSlices = 60

// slice is how long a slice of the run is, after the warm-up.
func (p schedule) slice() time.Duration {
	return max(time.Second, (p.end.Sub(p.start)-warmUp)/maxSlices)
}

// slices are histograms, one a slice.
func (p schedule) slices() []*hdrhistogram.Histogram {
	all := make([]*hdrhistogram.Histogram, p.sliceOf(p.end.Add(-1))+1)
	for i := range all {
		all[i] = newHistogram()
	}
	return all
}

// sliceOf is the slice that an instant after the warm-up belongs to.
func (p schedule) sliceOf(at time.Time) int {
	return max(0, int(at.Sub(p.start.Add(warmUp))/p.slice()))
}

// watchMemory looks at the memory at the end of each slice until the function that it
// returns is called, which gives what was seen.
func (s *Server) watchMemory(from time.Time, every time.Duration) (stop func() []Memory) {
	ended, seen := make(chan struct{}), make(chan []Memory, 1)
	go func() {
		var samples []Memory
		timer := time.NewTimer(time.Until(from.Add(every)))
		defer timer.Stop()
		for {
			select {
			case <-ended:
				seen <- append(samples, s.memory())
				return
			case <-timer.C:
				samples = append(samples, s.memory())
				timer.Reset(time.Until(from.Add(time.Duration(len(samples)+1) * every)))
			}
		}
	}()
	return func() []Memory {
		close(ended)
		return <-seen
	}
}

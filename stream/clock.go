package stream

import (
	"errors"
	"sync/atomic"
	"time"
)

// ErrClock reports that the wall clock jumped against the monotonic one. Nothing is
// stamped with it until a person accepts the new time: log time never goes back, so after
// one frame with a time years ahead every timer would fire at once, and log time would
// stand still for years.
var ErrClock = errors.New("stream: the clock jumped; check it and accept the new time")

// maxClockStep is how far the wall clock may move against the monotonic one since it was
// accepted. Time synchronisation slews by far less; a person or a broken server moves it
// by more.
const maxClockStep = 5 * time.Second

// Clock is the clock of a writer of frames. It is safe for concurrent use.
type Clock struct {
	offset time.Duration             // added to the time; tests set it
	start  atomic.Pointer[time.Time] // when the clock was last accepted, with a monotonic reading
}

// NewClock returns the clock of the machine, moved by offset (0 but in tests), and
// accepts it.
func NewClock(offset time.Duration) *Clock {
	c := &Clock{offset: offset}
	c.Accept()
	return c
}

// Now returns the time, ms since the epoch. After a jump of the wall clock it returns
// ErrClock until Accept is called.
func (c *Clock) Now() (int64, error) {
	now, start := time.Now(), *c.start.Load()
	// Round(0) strips the monotonic reading, so this is the wall clock's progress minus
	// the monotonic clock's.
	step := now.Round(0).Sub(start.Round(0)) - now.Sub(start)
	if step.Abs() > maxClockStep {
		return 0, ErrClock
	}
	return now.Add(c.offset).UnixMilli(), nil
}

// Accept takes the present wall clock as right.
func (c *Clock) Accept() {
	now := time.Now()
	c.start.Store(&now)
}

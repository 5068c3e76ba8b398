package stream

import (
	"errors"
	"sync/atomic"
	"time"
)

// ErrClock means that the wall clock jumped against the monotonic one: nothing
// is stamped with it until an operator accepts the new time (design R8).
var ErrClock = errors.New("stream: the clock jumped; check it and accept the new time")

// maxClockStep is how far the wall clock may move against the monotonic one.
const maxClockStep = 5 * time.Second

// Clock is the clock of a writer of frames. It is safe for concurrent use.
type Clock struct {
	offset time.Duration
	start  atomic.Pointer[time.Time] // when the clock was last accepted; has a monotonic reading
}

// NewClock is the machine's clock, moved by offset (for tests).
func NewClock(offset time.Duration) *Clock {
	c := &Clock{offset: offset}
	c.Accept()
	return c
}

// Now is the time in ms since the epoch. After a jump of the wall clock it
// returns ErrClock until Accept.
func (c *Clock) Now() (int64, error) {
	now, start := time.Now(), *c.start.Load()
	step := now.Round(0).Sub(start.Round(0)) - now.Sub(start) // Round strips the monotonic reading
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

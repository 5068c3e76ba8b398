package bench

import (
	"context"
	"sync"
	"time"
)

// schedule is an open loop: batch n of a connection has its instant, which does not
// move when the server is slow.
type schedule struct {
	start, end      time.Time
	interval        time.Duration // between batches of all connections
	connections     int
	firstConnection int
	batch           int
}

// schedule sends rate events a second with l, for d after the warm-up.
func (o Options) schedule(l *load, rate float64, d time.Duration) schedule {
	start := time.Now().Add(50 * time.Millisecond)
	return schedule{
		start: start, end: start.Add(warmUp + d), connections: o.Connections, batch: o.Batch,
		firstConnection: l.firstConnection,
		interval:        time.Duration(float64(o.Batch) / rate * float64(time.Second)),
	}
}

func (p schedule) at(connection, n int) time.Time {
	return p.start.Add(time.Duration(n*p.connections+connection) * p.interval)
}

func (p schedule) next(connection, n int) (time.Time, bool) {
	at := p.at(connection, n)
	return at, at.Before(p.end)
}

// intended is when the event of that message id was to be sent; ours is false for
// events of an earlier load.
func (p schedule) intended(id string) (at time.Time, ours bool, err error) {
	connection, n, err := parseMessageID(id)
	if err != nil || connection < p.firstConnection {
		return time.Time{}, false, err
	}
	return p.at(connection-p.firstConnection, n/p.batch), true, nil
}

// arrivals are the deliveries that came, each once.
type arrivals struct {
	mu       sync.Mutex
	first    map[string]arrival // by delivery
	repeated int
}

func newArrivals() *arrivals { return &arrivals{first: map[string]arrival{}} }

func (a *arrivals) note(x arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, twice := a.first[x.delivery]; twice {
		a.repeated++
		return
	}
	a.first[x.delivery] = x
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.first)
}

// await waits until as many deliveries came, or none comes any more.
func (a *arrivals) await(ctx context.Context, s *Server, want int, p *Progress) error {
	grown, last := time.Now(), -1
	for {
		got := a.count()
		if got >= want {
			return nil
		}
		if got != last {
			grown, last = time.Now(), got
		}
		if time.Since(grown) > arrivalLimit {
			return nil // the check of the ledger says what is missing
		}
		p.Note("%s of %s deliveries arrived", thousands(got), thousands(want))
		if err := s.wait(ctx, rowPoll); err != nil {
			return s.explain(err)
		}
	}
}

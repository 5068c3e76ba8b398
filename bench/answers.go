package bench

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Answers is how long a batch takes from the instant at which it was to be sent, late or
// not, until it is acknowledged, in milliseconds.
type Answers struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
}

// answers measures Answers. It is safe for concurrent use.
type answers struct {
	from time.Time // batches that were to be sent before it are left out

	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

func newAnswers(from time.Time) *answers { return &answers{from: from, h: newHistogram()} }

func (a *answers) note(intended time.Time, took time.Duration) {
	if intended.Before(a.from) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	record(a.h, took)
}

func (a *answers) sum() Answers {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Answers{quantile(a.h, 50), quantile(a.h, 99)}
}

// PipeAnswers measures how soon the bare pipe acknowledges batches that come at rate
// events a second, for d. Nothing that keeps events can be sooner.
func PipeAnswers(ctx context.Context, o Options, rate float64, d time.Duration) (r Answers, err error) {
	dir, err := temporary(o.Server.Dir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, remove(dir)) }()
	p, err := openPipe(ctx, dir, o)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	l := o.load(p.url, 0)
	plan := o.schedule(l, rate, d)
	a := newAnswers(plan.start.Add(warmUp))
	l.answered = a.note
	sum, err := l.run(ctx, plan.next)
	if err != nil {
		return r, err
	}
	_, err = p.rate(ctx, sum.events, sum.first)
	return a.sum(), err
}

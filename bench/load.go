package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// load sends batches over keep-alive connections.
type load struct {
	url             string
	workload        Workload
	batch           int
	connections     int
	firstConnection int // connections below it were used by an earlier load on the same server
	progress        *Progress
	// source makes the batches of a connection; nil: the workload does.
	source func(connection int) source
	// answered is told how long it took from the instant at which a batch was to be sent
	// until it was acknowledged; nil: nobody wants to know. It is called by all connections.
	answered func(intended time.Time, took time.Duration)
}

// source makes the bodies of a connection's requests. It belongs to one goroutine.
type source interface {
	// Batch appends a body with n calls that happen at now, and says how many
	// deliveries they cause.
	Batch(b []byte, n int, now time.Time) (body []byte, deliveries int)
}

// load sends to url; connections below firstConnection were used by an earlier one.
func (o Options) load(url string, firstConnection int) *load {
	return &load{
		url: url, workload: o.Workload, batch: o.Batch, connections: o.Connections, firstConnection: firstConnection,
		progress: o.Progress,
	}
}

// totals is what a load did. Everything counted was acknowledged.
type totals struct {
	events     int
	deliveries int // that the model expects
	retries    int // requests that were sent again
	first      time.Time
	last       time.Time // last acknowledgement
}

const (
	requestLimit = 30 * time.Second
	retryPause   = 50 * time.Millisecond
	retryLimit   = 600 // of one batch
)

// pace says when batch n of a connection is to be sent; ok is false after the last.
type pace func(connection, n int) (at time.Time, ok bool)

// closedLoop sends the next batch when the last was answered, for d.
func (l *load) closedLoop(ctx context.Context, d time.Duration) (totals, error) {
	end := time.Now().Add(d)
	return l.run(ctx, func(int, int) (time.Time, bool) {
		now := time.Now()
		return now, now.Before(end)
	})
}

func (l *load) run(ctx context.Context, p pace) (totals, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &fasthttp.Client{
		MaxConnsPerHost: l.connections, ReadTimeout: requestLimit, WriteTimeout: requestLimit,
		MaxIdleConnDuration: time.Minute, MaxIdemponentCallAttempts: 1,
	}
	defer client.CloseIdleConnections()
	all := totals{first: time.Now()}
	var mu sync.Mutex
	var done atomic.Int64
	var connections sync.WaitGroup
	for i := range l.connections {
		connections.Go(func() {
			connection := &connection{
				l:      l,
				client: client,
				number: i,
				source: l.sourceOf(l.firstConnection + i),
				done:   &done,
			}
			err := connection.run(ctx, p)
			mu.Lock()
			defer mu.Unlock()
			all.events += connection.sum.events
			all.deliveries += connection.sum.deliveries
			all.retries += connection.sum.retries
			if connection.sum.last.After(all.last) {
				all.last = connection.sum.last
			}
			if err != nil {
				cancel(err)
			}
		})
	}
	connections.Wait()
	return all, context.Cause(ctx)
}

// connection is one connection with its generator.
type connection struct {
	l      *load
	client *fasthttp.Client
	number int
	source source
	body   []byte
	sum    totals
	done   *atomic.Int64 // events of all connections, for the progress
}

func (l *load) sourceOf(connection int) source {
	if l.source != nil {
		return l.source(connection)
	}
	return NewGenerator(l.workload, connection)
}

func (c *connection) run(ctx context.Context, p pace) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(c.l.url)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/json")
	request.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(writeKey+":")))
	want := []byte(fmt.Sprintf(`"accepted":%d,`, c.l.batch))
	for n := 0; ; n++ {
		at, ok := p(c.number, n)
		if !ok {
			return nil
		}
		if err := pauseUntil(ctx, at); err != nil {
			return err
		}
		var deliveries int
		c.body, deliveries = c.source.Batch(c.body[:0], c.l.batch, time.Now())
		request.SetBodyRaw(c.body)
		if err := c.send(ctx, request, response, want); err != nil {
			return err
		}
		c.sum.events += c.l.batch
		c.sum.deliveries += deliveries
		c.sum.last = time.Now()
		if c.l.answered != nil {
			c.l.answered(at, c.sum.last.Sub(at))
		}
		c.l.progress.Note("%s events acknowledged", thousands(int(c.done.Add(int64(c.l.batch)))))
	}
}

// send sends a batch until it is acknowledged as a whole. A batch that is sent
// again has the same message ids, so that it counts once.
func (c *connection) send(
	ctx context.Context,
	request *fasthttp.Request,
	response *fasthttp.Response,
	want []byte,
) error {
	var last error
	for range retryLimit {
		if err := context.Cause(ctx); err != nil {
			return errors.Join(err, last)
		}
		err := c.client.DoTimeout(request, response, requestLimit)
		switch status := response.StatusCode(); {
		case err != nil:
			last = fmt.Errorf("bench: request: %w", err)
		case status == fasthttp.StatusOK && bytes.Contains(response.Body(), want):
			return nil
		case status == fasthttp.StatusServiceUnavailable || status == fasthttp.StatusTooManyRequests:
			last = fmt.Errorf("bench: HTTP %d: %s", status, response.Body())
		default:
			return fmt.Errorf("bench: HTTP %d: %s", status, response.Body())
		}
		c.sum.retries++
		if err := pauseUntil(ctx, time.Now().Add(retryPause)); err != nil {
			return errors.Join(err, last)
		}
	}
	return fmt.Errorf("bench: given up after %d attempts: %w", retryLimit, last)
}

func pauseUntil(ctx context.Context, at time.Time) error {
	d := time.Until(at)
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

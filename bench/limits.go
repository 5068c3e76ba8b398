package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/storage"
)

// Limits is what each part of the way can do alone, on this machine, in this run.
type Limits struct {
	Scenario  string  `json:"scenario"`
	Pipe      float64 `json:"pipe_events_per_second"`     // HTTP batch, JSON check, fsynced frame, read back
	Log       float64 `json:"log_events_per_second"`      // fsynced frames of the same bytes, read back
	Store     float64 `json:"store_customers_per_second"` // Pebble, synced batches of customers
	Warehouse float64 `json:"warehouse_rows_per_second"`  // blocks of event rows, fsynced
	JSON      float64 `json:"json_events_per_second"`     // checked and parsed, one core
	Fold      float64 `json:"fold_events_per_second"`     // a shard's step and its effects, one core
	Batch     int     `json:"batch"`                      // events a request, and a record of the log's part
	Seconds   float64 `json:"seconds"`                    // each part
}

// How much the parts write or hold: bytes of a stored customer, customers of a batch of the
// store, rows of an insert, customers of the shard.
const (
	storedCustomer  = 220 // bytes; what a customer with a chain weighs
	customersBatch  = 10_000
	rowsBlock       = 50_000
	foldedCustomers = 200_000
)

// MeasureLimits measures each part for o.Duration.
func MeasureLimits(ctx context.Context, o Options) (*Limits, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := o.limit(ctx)
	defer cancel()
	r := &Limits{Scenario: "limits", Batch: o.Batch, Seconds: o.Duration.Seconds()}
	for _, part := range []struct {
		name    string
		into    *float64
		measure func(context.Context, Options) (float64, error)
	}{
		{"JSON alone", &r.JSON, limitJSON},
		{"a shard alone", &r.Fold, limitFold},
		{"Pebble alone", &r.Store, limitStore},
		{"the log alone", &r.Log, limitLog},
		{"the bare pipe", &r.Pipe, func(ctx context.Context, o Options) (float64, error) {
			return Pipe(ctx, o, o.Duration)
		}},
		{"ClickHouse alone", &r.Warehouse, limitWarehouse},
	} {
		o.Progress.Stage("%s, for %v", part.name, o.Duration)
		perSecond, err := part.measure(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		*part.into = perSecond
	}
	return r, nil
}

// limitJSON checks and parses the bodies of the workload.
func limitJSON(ctx context.Context, o Options) (float64, error) {
	generator := NewGenerator(o.Workload, 0)
	var bodies [][]byte
	for range 64 {
		body, _ := generator.Batch(nil, o.Batch, time.Now())
		bodies = append(bodies, body)
	}
	var parser fastjson.Parser
	began, events := time.Now(), 0
	for time.Since(began) < o.Duration && ctx.Err() == nil {
		for _, body := range bodies {
			if err := fastjson.ValidateBytes(body); err != nil {
				return 0, err
			}
			v, err := parser.ParseBytes(body)
			if err != nil {
				return 0, err
			}
			events += len(v.GetArray("batch"))
		}
	}
	return float64(events) / time.Since(began).Seconds(), ctx.Err()
}

// limitFold folds one event a customer through a shard.
func limitFold(ctx context.Context, o Options) (float64, error) {
	c, err := MeasureCustomers(ctx, foldedCustomers, nil)
	if err != nil {
		return 0, err
	}
	return c.FoldPerSec, c.Err()
}

// limitStore commits synced batches of customers.
func limitStore(ctx context.Context, o Options) (perSecond float64, err error) {
	dir, err := temporary(o.Server.Dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, remove(dir)) }()
	store, err := storage.OpenPebble(storage.PebbleConfig{Dir: filepath.Join(dir, "state"), Logger: quiet()})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	value := make([]byte, storedCustomer)
	began, customers := time.Now(), 0
	for time.Since(began) < o.Duration && ctx.Err() == nil {
		b := new(storage.Batch)
		for range customersBatch {
			value[0], value[1], value[2] = byte(customers), byte(customers>>8), byte(customers>>16)
			id := customerID(customers % o.Workload.Customers)
			b.Set(storage.CustomerKey(0, "default", id), bytes.Clone(value))
			customers++
		}
		if err := store.Commit(b); err != nil {
			return 0, err
		}
	}
	return float64(customers) / time.Since(began).Seconds(), ctx.Err()
}

// limitLog publishes the bytes of batches as fsynced frames and reads them back.
func limitLog(ctx context.Context, o Options) (perSecond float64, err error) {
	dir, err := temporary(o.Server.Dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, remove(dir)) }()
	p, err := openPipe(ctx, dir, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	body, _ := NewGenerator(o.Workload, 0).Batch(nil, o.Batch, time.Now())
	var published atomic.Int64
	var failure atomic.Pointer[error]
	var connections sync.WaitGroup
	began := time.Now()
	for range o.Connections {
		connections.Go(func() {
			for time.Since(began) < o.Duration && ctx.Err() == nil && failure.Load() == nil {
				if err := p.append(body); err != nil {
					failure.Store(&err)
					return
				}
				published.Add(int64(o.Batch))
			}
		})
	}
	connections.Wait()
	if err := failure.Load(); err != nil {
		return 0, *err
	}
	return p.rate(ctx, int(published.Load()), began)
}

// limitWarehouse inserts blocks of event rows into the tables of a ClickHouse without a
// server.
func limitWarehouse(ctx context.Context, o Options) (perSecond float64, err error) {
	house, err := startClickHouse(ctx, o.Server)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, house.stop()) }()
	table := eventRows(rowsBlock)
	began, rows := time.Now(), 0
	for n := 0; time.Since(began) < o.Duration; n++ {
		if err := house.Insert(ctx, fmt.Sprintf("limit-%d", n), table); err != nil {
			return 0, err
		}
		rows += rowsBlock
	}
	took := time.Since(began)
	got, err := house.Rows(ctx, "events")
	if err == nil && got != uint64(rows) {
		err = fmt.Errorf("%w: %d rows; want %d", ErrWrong, got, rows)
	}
	return float64(rows) / took.Seconds(), err
}

// eventRows are n rows as the workload makes them.
func eventRows(n int) *warehouse.Table {
	text := func(f func(i int) string) []string {
		column := make([]string, n)
		for i := range column {
			column[i] = f(i)
		}
		return column
	}
	now := time.Now().UTC()
	at := make([]time.Time, n)
	for i := range at {
		at[i] = now.Add(time.Duration(i) * time.Microsecond)
	}
	same := func(s string) func(int) string { return func(int) string { return s } }
	const when = "DateTime64(3, 'UTC')"
	return &warehouse.Table{Name: "events", Rows: n, Columns: []warehouse.Column{
		{Name: "workspace", Type: "String", Values: text(same("default"))},
		{Name: "customer", Type: "String", Values: text(customerID)},
		{Name: "event", Type: "String", Values: text(same(productViewed))},
		{Name: "message_id", Type: "String", Values: text(func(i int) string { return fmt.Sprintf("bench-0-%d", i) })},
		{Name: "event_time", Type: when, Values: at},
		{Name: "received_at", Type: when, Values: at},
		{Name: "type", Type: "String", Values: text(same("track"))},
		{Name: "properties", Type: "String", Values: text(func(i int) string {
			const properties = `{"score":%d,"value":%d.95,"currency":"EUR","product":"product-%d","category":"kitchen"}`
			return fmt.Sprintf(properties, i*7919%scores, i%300, i%5000)
		})},
		{Name: "traits", Type: "String", Values: text(same(""))},
		{Name: "context", Type: "String", Values: text(same(
			`{"ip":"198.51.100.7","library":{"name":"analytics.js","version":"2.1.0"},"locale":"de-DE"}`))},
	}}
}

func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

// Table implements Report.
func (r *Limits) Table(w io.Writer) {
	fmt.Fprintf(w, "limits: each part alone, %.0f s each\n", r.Seconds)
	row(w, "bare pipe, events a second", "%s", thousands(int(r.Pipe)))
	row(w, "the log alone, events a second", "%s", thousands(int(r.Log)))
	row(w, "JSON alone, events a second and core", "%s", thousands(int(r.JSON)))
	row(w, "a shard alone, events a second and core", "%s", thousands(int(r.Fold)))
	row(w, "Pebble alone, customers a second", "%s", thousands(int(r.Store)))
	row(w, "ClickHouse alone, event rows a second", "%s", thousands(int(r.Warehouse)))
}

// Err implements Report.
func (r *Limits) Err() error { return nil }

package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/stream"
)

// pipeRecord is how many bytes of a batch go into one record, below the 64 KiB
// that the publisher takes.
const pipeRecord = 60 << 10

// pipeBytes bounds each stream of the pipe.
const pipeBytes = 8 << 30

// pipe is the limit: HTTP batch, JSON check, fsynced frame, read back; no
// customers, campaigns or tables. It is built of the same HTTP server, the same
// log and the same group commit as nudged, in the process of the generator.
type pipe struct {
	log       *stream.JetStream
	publisher *stream.Publisher
	server    *fasthttp.Server
	url       string
	batch     int
	turn      atomic.Uint64 // batches so far; they go round the partitions

	stopReading context.CancelFunc
	readers     sync.WaitGroup
	read        atomic.Int64 // events read back
	lastRead    atomic.Int64 // ns since the epoch
}

// Pipe measures the limit: events read back a second, for d.
func Pipe(ctx context.Context, o Options, d time.Duration) (perSecond float64, err error) {
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
	l := o.load(p.url, 0)
	sum, err := l.closedLoop(ctx, d)
	if err != nil {
		return 0, err
	}
	return p.rate(ctx, sum.events, sum.first)
}

// rate waits until so many events are read back and says how many that were a second.
func (p *pipe) rate(ctx context.Context, events int, first time.Time) (float64, error) {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for p.read.Load() < int64(events) {
		if err := pauseUntil(limited, time.Now().Add(time.Millisecond)); err != nil {
			return 0, fmt.Errorf("bench: bare pipe: %d of %d events were read back: %w", p.read.Load(), events, err)
		}
	}
	return float64(events) / time.Unix(0, p.lastRead.Load()).Sub(first).Seconds(), nil
}

func openPipe(ctx context.Context, dir string, o Options) (*pipe, error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	log, err := stream.OpenEmbedded(stream.EmbeddedConfig{Dir: dir, Logger: logger})
	if err != nil {
		return nil, err
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &pipe{log: log, batch: o.Batch, stopReading: stop}
	var streams []stream.Stream
	for i := range o.partitions() {
		s, err := log.Open(ctx, stream.EventStream(i), stream.Options{MaxBytes: pipeBytes})
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		reader, err := s.Read(reading, 1)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		streams = append(streams, s)
		p.readers.Go(func() { p.readBack(reading, reader) })
	}
	p.publisher = stream.NewPublisher(streams, func() (int64, error) { return time.Now().UnixMilli(), nil }, logger)
	address, err := freePorts(1)
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.url = "http://" + address[0] + "/v1/batch"
	l, err := listen(ctx, address[0])
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.server = &fasthttp.Server{Handler: p.handle, Logger: silent{}, CloseOnShutdown: true}
	go p.server.Serve(l) //nolint:errcheck // ended by Shutdown
	return p, nil
}

// handle stores one batch. The first bytes of a record say how many events it
// stands for.
func (p *pipe) handle(ctx *fasthttp.RequestCtx) {
	body := ctx.PostBody()
	if err := fastjson.ValidateBytes(body); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	if err := p.append(body); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(ctx, `{"success":true,"accepted":%d,"rejected":[]}`, p.batch)
}

// append stores a batch and waits until it is durable.
func (p *pipe) append(body []byte) error {
	var records []stream.Record
	events := p.batch
	for len(body) > 0 {
		n := min(len(body), pipeRecord)
		data := binary.LittleEndian.AppendUint32(make([]byte, 0, n+4), uint32(events))
		records = append(records, stream.Record{Kind: stream.KindEvent, Data: append(data, body[:n]...)})
		body, events = body[n:], 0
	}
	ended := make(chan error, 1)
	partition := int(p.turn.Add(1) % uint64(p.publisher.Partitions()))
	err := p.publisher.Add(partition, records, func(err error) { ended <- err })
	if err == nil {
		err = <-ended
	}
	return err
}

func (p *pipe) readBack(ctx context.Context, r stream.Reader) {
	defer r.Close()
	for {
		m, err := r.Next(ctx)
		if err != nil {
			return // closed; what is missing is noticed by its number
		}
		f, err := stream.DecodeFrame(m.Data)
		if err != nil {
			return
		}
		for i := range f.Records {
			p.read.Add(int64(binary.LittleEndian.Uint32(f.Records[i].Data)))
		}
		p.lastRead.Store(time.Now().UnixNano())
	}
}

func (p *pipe) close() error {
	var errs []error
	if p.server != nil {
		errs = append(errs, p.server.Shutdown())
	}
	if p.publisher != nil {
		p.publisher.Close(context.Background())
	}
	p.stopReading()
	p.readers.Wait()
	return errors.Join(append(errs, p.log.Close())...)
}

// silent drops fasthttp's own log.
type silent struct{}

func (silent) Printf(string, ...any) {}

package bench

import (
	"context"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"
)

// arrival is a delivery that came.
type arrival struct {
	delivery string
	trigger  string // message id of the event
	at       time.Time
}

// receiver is a webhook that takes everything at once.
type receiver struct {
	url     string
	server  *fasthttp.Server
	parsers fastjson.ParserPool
	note    func(arrival) // nil: deliveries are not looked at

	mu     sync.Mutex
	strays int // requests that are no delivery
}

// startReceiver listens on a free port.
func startReceiver(ctx context.Context, note func(arrival)) (*receiver, error) {
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/", note: note}
	r.server = &fasthttp.Server{Handler: r.handle, Logger: silent{}, CloseOnShutdown: true}
	go r.server.Serve(l) //nolint:errcheck // ended by stop
	return r, nil
}

func (r *receiver) handle(ctx *fasthttp.RequestCtx) {
	at := time.Now()
	if r.note == nil {
		return
	}
	p := r.parsers.Get()
	defer r.parsers.Put(p)
	v, err := p.ParseBytes(ctx.PostBody())
	if err != nil {
		r.mu.Lock()
		r.strays++
		r.mu.Unlock()
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}
	r.note(arrival{
		delivery: string(v.GetStringBytes("delivery_id")), trigger: string(v.GetStringBytes("trigger_id")), at: at,
	})
}

func (r *receiver) stop() error { return r.server.Shutdown() }

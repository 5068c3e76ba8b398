package main

import (
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"
)

// maxBody is the limit of nudge's own batches.
const maxBody = 500 << 10

// event is one call of a batch.
type event struct {
	id       string
	customer string
	name     string // of a track call; else its type
	at       string
	data     string // properties or traits, as JSON
}

// front takes batches over HTTP.
type front struct {
	store   *store
	parsers fastjson.ParserPool
}

func (f *front) handle(ctx *fasthttp.RequestCtx) {
	switch string(ctx.Path()) {
	case "/readyz":
		ctx.SetBodyString("ready\n")
	case "/v1/batch":
		f.batch(ctx)
	default:
		ctx.Error("use /v1/batch", fasthttp.StatusNotFound)
	}
}

// batch answers when the events and their jobs are committed.
func (f *front) batch(ctx *fasthttp.RequestCtx) {
	events, err := f.parse(ctx.PostBody())
	if err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	if err := f.store.add(events); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusServiceUnavailable)
		return
	}
	ctx.SetContentType("application/json")
	fmt.Fprintf(ctx, `{"success":true,"accepted":%d,"rejected":[]}`, len(events))
}

func (f *front) parse(body []byte) ([]event, error) {
	p := f.parsers.Get()
	defer f.parsers.Put(p)
	v, err := p.ParseBytes(body)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	calls := v.GetArray("batch")
	events := make([]event, len(calls))
	for i, call := range calls {
		kind, data := string(call.GetStringBytes("type")), call.Get("properties")
		if data == nil {
			data = call.Get("traits")
		}
		e := event{
			id: string(call.GetStringBytes("messageId")), customer: string(call.GetStringBytes("userId")), name: kind,
			at: string(call.GetStringBytes("timestamp")), data: "{}",
		}
		if kind == "track" {
			e.name = string(call.GetStringBytes("event"))
		}
		if data != nil {
			e.data = string(data.MarshalTo(nil))
		}
		if e.id == "" || e.customer == "" || e.name == "" {
			return nil, fmt.Errorf("batch: call %d: %w", i, errors.New("needs messageId, userId and a name"))
		}
		events[i] = e
	}
	return events, nil
}

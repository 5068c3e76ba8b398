package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/stream"
)

// Config is what the server needs.
type Config struct {
	// Keys maps write keys to workspaces.
	Keys map[string]string
	// Sources have keys of their own. Once there is one, context.source is what the server
	// says, for all keys.
	Sources   []Source
	Publisher *stream.Publisher
	Clock     func() (int64, error)
	// Admit says why a partition takes no events now; nil when it does.
	Admit func(partition int) error
	// Ready says why the engine is not ready; nil when it is.
	Ready func() error
	// Customer shows a customer as JSON; nil when there is none.
	Customer func(ctx context.Context, workspace, id string) ([]byte, error)
	// Hook is the webhook trigger of an active campaign; nil when it has none. The
	// function may be nil.
	Hook func(workspace, campaign string) *campaign.WebhookTrigger
	// Broadcasts says whether an event without a customer is for all; it may be nil.
	Broadcasts func(workspace, event string) bool
	// Known says whether there is a customer of that id; nil: nobody can tell. It may
	// take a while.
	Known   func(workspace, id string) (bool, error)
	Metrics *metrics.Set
	Logger  *slog.Logger

	RatePerKey  float64       // events a second and key; 0: no limit
	ReadTimeout time.Duration // of a whole request; default 10 s
	MaxConns    int           // a client address; 0: no limit
}

// Server answers the tracking API. Start it once with Serve.
type Server struct {
	config   Config
	http     *fasthttp.Server
	keys     keyring
	decoders sync.Pool
	encoders sync.Pool
	counters counters
}

// New is a server that is not listening.
func New(c Config) *Server {
	if c.ReadTimeout == 0 {
		c.ReadTimeout = 10 * time.Second
	}
	s := &Server{
		config:   c,
		keys:     newKeyring(&c),
		counters: newCounters(c.Metrics),
	}
	s.decoders.New = func() any { return &decoder{newID: uuid.NewString} }
	s.encoders.New = func() any { return newEncoded(c.Publisher.Partitions()) }
	s.http = &fasthttp.Server{
		Handler:                      s.handle,
		ErrorHandler:                 s.failed,
		Name:                         "nudge",
		NoDefaultServerHeader:        true,
		SecureErrorLogMessage:        true,
		ReadTimeout:                  c.ReadTimeout,
		WriteTimeout:                 30 * time.Second,
		IdleTimeout:                  time.Minute,
		MaxRequestBodySize:           MaxBody,
		ReadBufferSize:               8 << 10,
		MaxConnsPerIP:                c.MaxConns,
		CloseOnShutdown:              true,
		Logger:                       silent{},
		DisablePreParseMultipartForm: true,
	}
	return s
}

// silent drops fasthttp's own log: what clients do wrong is answered and counted.
type silent struct{}

func (silent) Printf(string, ...any) {}

// Serve answers requests until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); err != nil {
		return fmt.Errorf("ingest: serve: %w", err)
	}
	return nil
}

// Shutdown takes no more requests and waits for those in hand.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.ShutdownWithContext(ctx) }

// failed answers requests that fasthttp could not read.
func (s *Server) failed(ctx *fasthttp.RequestCtx, err error) {
	p := newProblem(fasthttp.StatusBadRequest, "bad_request", "the request cannot be read: "+clip(err.Error(), 200))
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p = tooLarge()
	case errors.As(err, &small):
		p = newProblem(fasthttp.StatusRequestHeaderFieldsTooLarge, "headers_too_large", "the headers are over 8 KiB")
	case errors.As(err, &network) && network.Timeout():
		p = newProblem(fasthttp.StatusRequestTimeout, "timeout", "the request came too slowly")
	}
	p.closeConn = true
	s.counters.request(p.Status)
	p.write(ctx, uuid.NewString())
}

func tooLarge() *problem {
	message := fmt.Sprintf("the body is over %d bytes", MaxBody)
	return newProblem(fasthttp.StatusRequestEntityTooLarge, codeTooLarge, message,
		FieldError{Path: "body", Code: codeTooLarge, Message: message})
}

func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	start := time.Now()
	id := requestID(ctx)
	ctx.Response.Header.Set("X-Request-Id", id)
	if p := s.route(ctx); p != nil {
		p.write(ctx, id)
	}
	s.counters.request(ctx.Response.StatusCode())
	s.counters.seconds.UpdateDuration(start)
}

// requestID is the client's own, when it is short and plain, else a new one.
func requestID(ctx *fasthttp.RequestCtx) string {
	given := string(ctx.Request.Header.Peek("X-Request-Id"))
	plain := strings.IndexFunc(given, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
	if given != "" && len(given) <= 128 && plain {
		return given
	}
	return uuid.NewString()
}

func (s *Server) route(ctx *fasthttp.RequestCtx) *problem {
	if refusal := smuggled(ctx.Request.Header.RawHeaders()); refusal != nil {
		return refusal
	}
	path := string(ctx.Path())
	switch path {
	case "/healthz":
		ctx.SetBodyString("ok\n")
		return nil
	case "/readyz":
		if err := s.config.Ready(); err != nil {
			return unavailable("not_ready", err.Error())
		}
		ctx.SetBodyString("ready\n")
		return nil
	case "/metrics":
		ctx.SetContentType("text/plain; version=0.0.4")
		s.config.Metrics.WritePrometheus(ctx)
		return nil
	}
	call, ok := strings.CutPrefix(path, "/v1/")
	if !ok {
		return notFound(path)
	}
	if id, ok := strings.CutPrefix(call, "customers/"); ok {
		return s.customer(ctx, id)
	}
	if name, ok := strings.CutPrefix(call, "hooks/"); ok {
		return s.hook(ctx, name)
	}
	switch call {
	case "track", "identify", "page", "screen", "group", aliasCall:
		return s.take(ctx, call)
	case "batch":
		return s.take(ctx, "")
	}
	return notFound(path)
}

func notFound(path string) *problem {
	return newProblem(fasthttp.StatusNotFound, "not_found", "there is nothing at "+clip(path, 100)+
		"; events go to /v1/track, /v1/identify, /v1/page, /v1/screen, /v1/group, /v1/alias or /v1/batch")
}

// take is the way of a tracking call.
func (s *Server) take(ctx *fasthttp.RequestCtx, kind string) *problem {
	return s.taking(ctx, func(d *decoder) *problem { return d.decode(kind, ctx.PostBody()) })
}

// taking is the way of a call whose body decode turns into events.
func (s *Server) taking(ctx *fasthttp.RequestCtx, decode func(*decoder) *problem) *problem {
	from, refusal := s.check(ctx)
	if refusal != nil {
		return refusal
	}
	now, err := s.config.Clock()
	if err != nil {
		return unavailable(codeOf(err), err.Error())
	}
	d, ok := s.decoders.Get().(*decoder)
	if !ok {
		panic("BUG: the pool of decoders holds something else")
	}
	defer s.decoders.Put(d)
	d.workspace, d.now, d.fallback, d.broadcasts = from.workspace, now, "", s.config.Broadcasts
	d.sender, d.sources, d.known = *from, len(s.config.Sources) > 0, s.config.Known
	if d.fallback, refusal = idempotencyKey(ctx); refusal != nil {
		return refusal
	}
	if p := decode(d); p != nil {
		s.counters.rejected.Inc()
		return p
	}
	if len(d.rejects) > 0 && ctx.QueryArgs().GetBool("strict") {
		return strictRefusal(d.rejects)
	}
	if from.limit != nil && !from.limit.AllowN(time.Now(), d.calls()) {
		p := newProblem(fasthttp.StatusTooManyRequests, "rate_limited",
			fmt.Sprintf("over %g events a second for this key", from.rate))
		p.retryAfter = 1
		return p
	}
	d.stamp()
	return s.store(ctx, d)
}

// idempotencyKey is the message id that the header gives to a single call without one.
func idempotencyKey(ctx *fasthttp.RequestCtx) (string, *problem) {
	key := string(ctx.Request.Header.Peek("Idempotency-Key"))
	if len(key) <= maxName && utf8.ValidString(key) && strings.IndexFunc(key, unprintable) < 0 {
		return key, nil
	}
	const message = "must be at most 255 bytes of printable UTF-8 text"
	return "", newProblem(fasthttp.StatusBadRequest, codeFormat, "Idempotency-Key: "+message,
		FieldError{Path: "Idempotency-Key", Code: codeFormat, Message: message})
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// store publishes what was decoded and answers.
func (s *Server) store(ctx *fasthttp.RequestCtx, d *decoder) *problem {
	r, ok := s.encoders.Get().(*encoded)
	if !ok {
		panic("BUG: the pool of encoders holds something else")
	}
	defer s.encoders.Put(r)
	if err := r.fill(d.events, d.rejects); err != nil {
		return newProblem(fasthttp.StatusInternalServerError, "internal", err.Error())
	}
	if p := s.publish(r); p != nil {
		s.counters.unavailable.Add(d.calls())
		return p
	}
	s.counters.accepted.Add(d.calls())
	s.counters.rejected.Add(len(d.rejects))
	if d.rejects == nil {
		d.rejects = []rejected{}
	}
	body, err := json.Marshal(struct {
		Success  bool       `json:"success"`
		Accepted int        `json:"accepted"`
		Rejected []rejected `json:"rejected"`
	}{true, d.calls(), d.rejects})
	if err != nil {
		return newProblem(fasthttp.StatusInternalServerError, "internal", err.Error())
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(body)
	return nil
}

func strictRefusal(rejects []rejected) *problem {
	errs := make([]FieldError, 0, len(rejects))
	for _, r := range rejects {
		e := r.FieldError
		e.Path = fmt.Sprintf("batch[%d].%s", r.Index, e.Path)
		errs = append(errs, e)
	}
	return newProblem(fasthttp.StatusUnprocessableEntity, "rejected",
		fmt.Sprintf("%d calls are wrong; with strict=1 nothing was taken", len(rejects)), errs...)
}

func (s *Server) customer(ctx *fasthttp.RequestCtx, id string) *problem {
	if !ctx.IsGet() {
		return newProblem(fasthttp.StatusMethodNotAllowed, "method", "use GET")
	}
	from, ok := s.keys.sender(ctx)
	if !ok {
		return unauthorized()
	}
	if refusal := ownKey(from); refusal != nil {
		return refusal
	}
	limited, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	view, err := s.config.Customer(limited, from.workspace, id)
	if err != nil {
		return unavailable("partition_unavailable", err.Error())
	}
	if view == nil {
		return newProblem(fasthttp.StatusNotFound, "no_such_customer", "no event of this customer was seen")
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(view)
	return nil
}

package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/pathid"
	"github.com/nudge-engine/nudge/stream"
)

// Config is what the server needs. The functions are called from many goroutines at a time.
// Fields are required unless they say otherwise.
type Config struct {
	// Keys maps write keys, of ScopeWrite, to workspaces.
	Keys map[string]string
	// Sources have keys of their own. Once there is one, context.source is what the server
	// says, for all keys.
	Sources   []Source
	Publisher *stream.Publisher
	// Clock is the time in ms since 1970; an error means that it has jumped, and that no event
	// is taken.
	Clock func() (int64, error)
	// Admit says why a partition takes no events now; nil when it does.
	Admit func(partition int) error
	// Ready says why the engine is not ready; nil when it is.
	Ready func() error
	// Customer shows a customer as JSON; nil when there is none.
	Customer func(ctx context.Context, workspace, id string) ([]byte, error)
	// Hook is the webhook trigger of an active campaign; nil when it has none. The
	// function may be nil.
	Hook func(workspace, campaign string) *program.WebhookTrigger
	// Broadcasts reports whether an event without a customer starts chains for all; it may be
	// nil, and then none does.
	Broadcasts func(workspace, event string) bool
	// Known reports whether there is a customer of that id; it may take seconds. It may be
	// nil: nobody can tell.
	Known   func(workspace, id string) (bool, error)
	Metrics *metrics.Set
	Logger  *slog.Logger
	// Origins are the web origins whose pages may send events; AnyOrigin: all.
	Origins []string

	// RatePerKey is how many events a second each key may send; 0: no limit.
	RatePerKey float64
	// ReadTimeout bounds the time in which a whole request must come; default 10 s.
	ReadTimeout time.Duration
}

// Server answers the tracking API. Start it once with [Server.Serve]; its other methods are
// safe for concurrent use.
type Server struct {
	config Config
	http   *fasthttp.Server
	keys   keyring
	// decoders and encoders keep the memory of requests for the next ones: most of what a
	// request needs is large and of the same size each time.
	decoders sync.Pool
	encoders sync.Pool
	counters counters
	zstd     *zstd.Decoder
	// sources is true when there are sources that send: then context.source is always what the
	// server says, so that no client can pass for a source.
	sources bool

	// What requests occupy: the bytes of their bodies, and what those become when they are
	// parsed, each with and without a key in the head.
	bodies, keyless *budget
	trees           *budget // bytes of parsed bodies
	keylessTrees    *budget
	strangers       *strangers
	// complained is when the log last said that events are refused, in s since 1970; see
	// quiet.
	complained atomic.Int64
}

// New returns a server that is not listening.
func New(c Config) *Server {
	// Long enough for 500 KiB over a slow line.
	if c.ReadTimeout == 0 {
		c.ReadTimeout = 10 * time.Second
	}
	s := &Server{
		config:   c,
		keys:     newKeyring(&c),
		counters: newCounters(c.Metrics),
		zstd:     newZstd(),
		sources:  slices.ContainsFunc(c.Sources, func(s Source) bool { return s.Scope != ScopeRead }),
		bodies:   newBudget(bodyBytes, bodyBytesPerAddress), keyless: newBudget(keylessBytes, keylessPerAddress),
		trees:        newBudget(treeBytes, treeBytesPerAddress),
		keylessTrees: newBudget(keylessTrees, keylessTreePerAddress),
		strangers:    newStrangers(),
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
		StreamRequestBody:            true, // so that a body is read when its head was looked at
		HeaderReceived:               s.withoutBody,
		ExpectHandler:                s.expected,
		CloseOnShutdown:              true,
		Logger:                       silent{},
		DisablePreParseMultipartForm: true,
	}
	return s
}

// silent drops fasthttp's own log: what clients do wrong is answered and counted, and would
// let them fill the log.
type silent struct{}

func (silent) Printf(string, ...any) {}

// Serve answers requests on l until Shutdown. It returns nil then, and an error when the
// listener fails.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); err != nil {
		return fmt.Errorf("ingest: serve: %w", err)
	}
	return nil
}

// Shutdown takes no more requests and waits for those that run, or until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.ShutdownWithContext(ctx) }

// failed answers requests that fasthttp could not read, and closes their connection: where the
// next request would begin is not known.
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

// handle answers one request: it refuses what the head shows, else routes it, and counts it.
// An address that tries many unknown keys gets 429 in place of 401.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	start := time.Now()
	id := requestID(ctx)
	ctx.Response.Header.Set("X-Request-Id", id)
	if hasBody(&ctx.Request.Header) {
		// A body that was not read to its end would be taken for the next request. Where it is
		// read to the end, this is taken back.
		ctx.SetConnectionClose()
	}
	p := s.refuse(&ctx.Request.Header)
	if p == nil {
		p = s.route(ctx)
	}
	if p != nil && p.Status == fasthttp.StatusUnauthorized && !s.strangers.refused(ctx.RemoteIP().String()) {
		p = newProblem(fasthttp.StatusTooManyRequests, "rate_limited", "too many requests without a known key")
		p.retryAfter = strangersBurst / strangersRate
	}
	if p != nil {
		p.write(ctx, id)
	}
	s.counters.request(ctx.Response.StatusCode())
	s.counters.seconds.UpdateDuration(start)
}

// requestID returns the id that a request and its answer are known by: the client's own, when
// it is short and printable ASCII, else a new one.
func requestID(ctx *fasthttp.RequestCtx) string {
	given := string(ctx.Request.Header.Peek("X-Request-Id"))
	plain := strings.IndexFunc(given, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
	if given != "" && len(given) <= 128 && plain {
		return given
	}
	return uuid.NewString()
}

// route answers a request by its path. It returns the problem to be answered, or nil when it
// has answered itself.
func (s *Server) route(ctx *fasthttp.RequestCtx) *problem {
	path := pathOf(&ctx.Request.Header)
	switch path {
	case "/healthz":
		ctx.SetBodyString("ok\n")
		return nil
	case "/readyz":
		// Why it is not ready is for the admin address to say: strangers need not know.
		if s.config.Ready() != nil {
			return unavailable("not_ready", "not ready; /readyz of the admin address says why")
		}
		ctx.SetBodyString("ready\n")
		return nil
	}
	c, ok := calledBy(path)
	switch {
	case !ok:
		return notFound(path)
	case !c.takes:
		return s.customer(ctx, c.customer)
	}
	// Also for refusals: a page should see why.
	s.share(ctx)
	if ctx.IsOptions() {
		ctx.SetStatusCode(fasthttp.StatusNoContent)
		return nil
	}
	return s.take(ctx, c)
}

// notFound returns the answer for a path that is nothing, a 404 with those that are.
func notFound(path string) *problem {
	return newProblem(fasthttp.StatusNotFound, "not_found", "there is nothing at "+clip(path, 100)+
		"; events go to /v1/track, /v1/identify, /v1/page, /v1/screen, /v1/group, /v1/alias or /v1/batch")
}

// badPath returns the answer for a path with an id that cannot be one, a 400.
func badPath(err error) *problem {
	return newProblem(fasthttp.StatusBadRequest, "bad_path", err.Error(),
		FieldError{Path: "path", Code: codeFormat, Message: err.Error()})
}

// customer answers GET /v1/customers/{id} for keys of scope read. Such a request counts as an
// event for the rate of its key.
func (s *Server) customer(ctx *fasthttp.RequestCtx, segment string) *problem {
	if !ctx.IsGet() {
		return newProblem(fasthttp.StatusMethodNotAllowed, "method", "use GET")
	}
	from, state := s.keys.sender(&ctx.Request.Header)
	switch {
	case state != keyKnown:
		return unauthorized()
	// A write key may be in a web page, where everybody can read it.
	case from.scope != ScopeRead:
		return newProblem(fasthttp.StatusForbidden, codeForbidden,
			"a write key only writes; reading customers needs a key with scope: read, from the file of sources",
			FieldError{
				Path: "Authorization", Code: codeForbidden, Message: "the key's scope is " + from.scope.String(),
			})
	}
	id, err := pathid.Unescape(segment)
	if err != nil {
		return badPath(err)
	}
	if p := from.charge(1); p != nil {
		return p
	}
	// The shard may be busy with its log; a client can ask again.
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

// Package admin is the HTTP interface for those who run the server: health, metrics,
// definitions, customers, campaigns, experiments, the log and profiles (docs/operating.md).
// The tool nudge talks to it.
//
// An [API] is there before the parts that it answers from, so that a start can be watched:
// until [API.Attach] it answers health, readiness, metrics and the schema. Reading order:
// api.go has the paths, access.go decides who may ask, and each other file answers one kind of
// question.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/internal/hostcheck"
	"github.com/nudge-engine/nudge/internal/pathid"
	"github.com/nudge-engine/nudge/internal/schema"
	"github.com/nudge-engine/nudge/server/catalog"
	"github.com/nudge-engine/nudge/server/deploy"
	"github.com/nudge-engine/nudge/server/erasure"
	"github.com/nudge-engine/nudge/server/exposition"
	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/stream"
)

const (
	// LongestAnswer is how long an answer may take, to set the limits of an [http.Server]. It
	// is longer than the limits inside: a dry run or an apply may take a minute.
	LongestAnswer = 2 * time.Minute

	// maxBody bounds the body of a request: definition files of a workspace are far smaller.
	maxBody = 4 << 20
	// schemaPath is where editors get the JSON Schema of definition files. It needs no key,
	// for editors cannot send one.
	schemaPath = "/v1/schema/campaign.json"
)

// Config is what an [API] needs from the start on. All fields but AllowedHosts are required.
// The functions are called from several goroutines.
type Config struct {
	Address      string   // where it listens, host:port
	AllowedHosts []string // names beside the loopback ones under which it may be asked
	Key          string   // the admin key
	Metrics      *metrics.Set
	Ready        func() Readiness
	Redact       func(text string) string // takes secrets out of the texts of errors
}

// Parts has what the handlers of an [API] use of a running server: those handlers are its
// methods. All fields are required and safe for concurrent use.
type Parts struct {
	Workspace string
	Control   *actors.Controller
	Engine    *actors.Engine
	Catalog   *catalog.Catalog
	Deployer  *deploy.Deployer
	Eraser    *erasure.Eraser
	Clock     *stream.Clock
	Events    []stream.Stream // by partition
	Warehouse *warehouse.ClickHouse
	// Customer returns a customer as JSON; nil when no event of theirs was seen.
	Customer func(ctx context.Context, workspace, id string) ([]byte, error)
}

// API answers the admin address. It is safe for concurrent use.
type API struct {
	config Config
	hosts  hostcheck.Check
	// parts is nil until the server is up.
	parts atomic.Pointer[Parts]
}

// New makes an API that answers "starting" until Attach. An error is about AllowedHosts.
func New(config Config) (*API, error) {
	hosts, err := hostcheck.New(config.Address, config.AllowedHosts)
	if err != nil {
		return nil, fmt.Errorf("allowed_hosts: %w", err)
	}
	return &API{config: config, hosts: hosts}, nil
}

// Attach makes the API answer everything, from parts that are up. Requests that are being
// answered are not affected.
func (a *API) Attach(parts *Parts) { a.parts.Store(parts) }

// Handler returns the handler of the admin address. Requests go through three layers: ids that
// look like relative paths are protected, then access decides, then the path chooses the
// answer.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.HandleFunc("GET /metrics", a.metrics)
	mux.HandleFunc("GET "+schemaPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/schema+json")
		_, _ = w.Write(schema.JSON())
	})
	for pattern, f := range map[string]handler{
		"GET /v1/customers/{id}":         (*Parts).customer,
		"GET /v1/customers/{id}/explain": (*Parts).explain,
		"GET /v1/campaigns/{name}":       (*Parts).campaign,
		"GET /v1/experiments":            (*Parts).experiments,
		"DELETE /v1/customers/{id}":      (*Parts).erase,
		"GET /v1/customers/{id}/erasure": (*Parts).erasure,
		"GET /v1/definitions":            (*Parts).definitions,
		"POST /v1/definitions":           (*Parts).apply,
		"GET /v1/log":                    (*Parts).log,
		"GET /v1/log/{partition}":        (*Parts).frames,
		"POST /v1/rollback":              (*Parts).rollback,
		"GET /v1/backfill":               (*Parts).backfillProgress,
		"POST /v1/clock/accept":          (*Parts).acceptClock,
	} {
		// All of them answer "starting" until the server is up.
		mux.HandleFunc(pattern, a.whenUp(f))
	}
	a.profiles(mux)
	return pathid.KeepDots(a.access(a.hosts, withProblems(mux)))
}

// metrics answers GET /metrics.
func (a *API) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	// It fails only when the client is gone.
	_ = exposition.Write(w, a.config.Metrics)
}

// acceptClock answers POST /v1/clock/accept: a jump of the clock, which the server refuses to
// follow by itself, becomes valid.
func (p *Parts) acceptClock(w http.ResponseWriter, _ *http.Request) error {
	p.Clock.Accept()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// answer is an error with the HTTP status that it becomes.
type answer struct {
	status int
	error
}

// handler answers a request from the parts of a running server. An error that is an [answer]
// has its status; one of an author is 422, others are 500. A handler that has begun to write
// returns nil.
type handler func(p *Parts, w http.ResponseWriter, r *http.Request) error

// whenUp makes an HTTP handler of f: it answers errors, without the secrets that may be in
// them, and everything before the server is up. Who may ask was decided before, by access.
func (a *API) whenUp(f handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var err error = answer{http.StatusServiceUnavailable, errors.New("starting")}
		if parts := a.parts.Load(); parts != nil {
			err = f(parts, w, r)
		}
		if err == nil {
			return
		}
		status := http.StatusInternalServerError
		var known answer
		var author *deploy.AuthorError
		switch {
		case errors.As(err, &known):
			status = known.status
		case errors.As(err, &author):
			status = http.StatusUnprocessableEntity
		}
		writeProblem(w, status, a.config.Redact(err.Error()))
	}
}

// writeJSON answers with v as JSON.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	// It fails only when the client is gone.
	_ = e.Encode(v)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/internal/chdb"
	"github.com/nudge-engine/nudge/internal/chproof"
	"github.com/nudge-engine/nudge/internal/hostcheck"
)

// writeLimit is for a client that reads slowly; a statement's own time does
// not count.
const writeLimit = 5 * time.Minute

type gatewayOptions struct {
	pool     chdb.PoolOptions // of each account
	accounts []account        // without their pools
	readTime time.Duration
	maxBody  int64
	hosts    hostcheck.Check
}

// gateway is the HTTP interface of ClickHouse over a pool of connections an account.
type gateway struct {
	accounts []*account
	limits   readerLimits
	policy   *policy
	sessions *sessions
	hosts    hostcheck.Check
	opt      gatewayOptions
	hello    hello
	log      *slog.Logger
}

// close ends what the gateway holds of the engine.
func (g *gateway) close() { g.sessions.close() }

// newGateway asks the engine who it is, which also proves that it answers.
func newGateway(ctx context.Context, engine *chdb.Engine, opt gatewayOptions, log *slog.Logger) (*gateway, error) {
	g := &gateway{
		opt: opt, log: log, limits: readerLimits{time: opt.readTime}, sessions: newSessions(), hosts: opt.hosts,
	}
	for _, a := range opt.accounts {
		pool := opt.pool
		pool.Role = string(a.role)
		if a.role == roleReader {
			pool.ReadLimits = g.limits.all()
		}
		a.pool = chdb.NewPool(engine, pool)
		g.accounts = append(g.accounts, &a)
	}
	conn, err := engine.Connect()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r, err := conn.Query(ctx, "SELECT displayName(), version(), timezone()", "TabSeparatedRaw")
	if err != nil {
		return nil, fmt.Errorf("the ClickHouse engine does not answer: %w", err)
	}
	fields := strings.Split(strings.TrimSpace(string(r.Data)), "\t")
	if len(fields) != 3 {
		return nil, fmt.Errorf("the engine says %q where displayName, version and timezone are expected", r.Data)
	}
	g.hello = hello{displayName: fields[0], version: fields[1], timezone: fields[2]}
	if g.policy, err = newPolicy(ctx, conn); err != nil {
		return nil, fmt.Errorf("the ClickHouse engine does not say what functions it has: %w", err)
	}
	return g, nil
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if text := g.foreign(r); text != "" {
		writeText(w, http.StatusForbidden, "Forbidden: "+text+"\n")
		return
	}
	switch r.URL.Path {
	case chproof.Path:
		g.serveChallenge(w, r)
	case "/ping", "/replicas_status":
		writeText(w, http.StatusOK, "Ok.\n")
	case "/", "":
		g.serveStatement(w, r)
	default:
		writeText(w, http.StatusNotFound, "There is no handle "+r.URL.Path+"\n\nUse / or /ping for health "+
			"checks.\nSend queries from your program with POST method or GET /?query=...\n")
	}
}

// foreign says why a request is not for this server: its Host is not ours, as when a page
// has its name turned to this address, or a page of another site makes a browser send it.
func (g *gateway) foreign(r *http.Request) string {
	switch {
	case !g.hosts.Host(r.Host):
		return fmt.Sprintf("the Host %q is not this server's: name it in NUDGE_ALLOWED_HOSTS (clickhoused: "+
			"--allowed-hosts), or use 127.0.0.1 or localhost", headerSafe(r.Host))
	case hostcheck.Foreign(r.Host, r.Header):
		return "a page of another site asks (Origin or Sec-Fetch-Site)"
	}
	return ""
}

func (g *gateway) serveStatement(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodPost:
	case http.MethodHead:
		writeText(w, http.StatusOK, "")
		return
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		writeText(w, http.StatusMethodNotAllowed, "Use GET to read and POST for everything.\n")
		return
	}
	if r.Method == http.MethodGet && r.URL.RawQuery == "" {
		writeText(w, http.StatusOK, "Ok.\n")
		return
	}
	req, result, err := g.answer(w, r)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeLimit))
	if err != nil {
		g.writeException(w, req, err)
		return
	}
	g.writeResult(w, r, req, result)
}

// answer is the request without its writing. req is nil if it could not be
// read.
func (g *gateway) answer(w http.ResponseWriter, r *http.Request) (*request, chdb.Result, error) {
	who, err := g.authenticate(r)
	if err != nil {
		return nil, chdb.Result{}, err
	}
	body, err := readBody(w, r, g.opt.maxBody)
	if err != nil {
		return nil, chdb.Result{}, err
	}
	req, err := readRequest(r, body)
	if err != nil {
		return req, chdb.Result{}, err
	}
	if isHello(req) {
		return req, chdb.Result{Data: g.hello.native()}, nil
	}
	result, err := g.run(r.Context(), who, req)
	return req, result, err
}

func (g *gateway) writeException(w http.ResponseWriter, req *request, err error) {
	e := asException(err)
	status := statusOf(e.Code)
	if errors.As(err, &refusal{}) {
		status = http.StatusForbidden
	}
	if status >= http.StatusInternalServerError && !expected(e.Code) {
		g.log.Warn("statement failed", slog.String("error", e.Text))
	}
	g.header(w, req, "")
	w.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.Code))
	text := strings.TrimRight(e.Text, "\n")
	if !strings.Contains(text, "(version ") { // some of the engine's texts have it
		text += " (version " + g.hello.version + ")"
	}
	writeText(w, status, text+"\n")
}

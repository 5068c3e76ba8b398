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

// writeLimit bounds writing an answer, for a client that reads slowly. It is set when the
// statement is done, so the statement's own time does not count.
const writeLimit = 5 * time.Minute

// gatewayOptions is what a gateway is made with.
type gatewayOptions struct {
	// pool has the options for the connections of each account.
	pool chdb.PoolOptions
	// accounts are who may log in, still without their pools.
	accounts []account
	// readTime limits a statement that reads; maxBody limits a request's body, in bytes.
	readTime time.Duration
	maxBody  int64
	hosts    hostcheck.Check
}

// gateway is the HTTP interface of ClickHouse in front of the engine, with a pool of
// connections for each account. It is safe for concurrent use; close it when no request runs.
type gateway struct {
	accounts []*account
	// limits bound the statements of readers.
	limits   readerLimits
	policy   *policy
	sessions *sessions
	hosts    hostcheck.Check
	opt      gatewayOptions
	// hello is what the engine says of itself; it stays the same while the process runs.
	hello hello
	log   *slog.Logger
}

// close closes the connections that sessions hold.
func (g *gateway) close() { g.sessions.close() }

// newGateway makes the pools, asks the engine who it is, which also proves that it answers,
// and asks for its functions, of which the policy must know.
func newGateway(ctx context.Context, engine *chdb.Engine, opt gatewayOptions, log *slog.Logger) (*gateway, error) {
	g := &gateway{
		opt: opt, log: log, limits: readerLimits{time: opt.readTime}, sessions: newSessions(), hosts: opt.hosts,
	}
	// Each account has connections of its own, with its role: the engine checks grants by
	// connection.
	for _, a := range opt.accounts {
		pool := opt.pool
		pool.Role = string(a.role)
		if a.role == roleReader {
			pool.ReadLimits = g.limits.all()
		}
		a.pool = chdb.NewPool(engine, pool)
		g.accounts = append(g.accounts, &a)
	}
	// This connection is for the questions below, and has no role.
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

// ServeHTTP answers a request. Everything but the health checks of load balancers and the
// challenge of nudged is a statement.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if text := g.foreign(r); text != "" {
		writeText(w, http.StatusForbidden, "Forbidden: "+text+"\n")
		return
	}
	switch r.URL.Path {
	case chproof.Path:
		g.serveChallenge(w, r)
	// Health checks have no account.
	case "/ping", "/replicas_status":
		writeText(w, http.StatusOK, "Ok.\n")
	case "/", "":
		g.serveStatement(w, r)
	default:
		writeText(w, http.StatusNotFound, "There is no handle "+r.URL.Path+"\n\nUse / or /ping for health "+
			"checks.\nSend queries from your program with POST method or GET /?query=...\n")
	}
}

// foreign returns why a request is not for this server; empty when it is. Two kinds of
// requests from web pages are refused: those with a Host that is not ours, which a page sends
// whose name was made to resolve to this address (DNS rebinding), and those that a browser
// marks as sent by a page of another site.
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

// serveStatement answers a request to "/" with the result of a statement, or with "Ok." for a
// GET without one, as ClickHouse does.
func (g *gateway) serveStatement(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodPost:
	// Drivers send HEAD to see whether the server is there.
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

// answer does all of a request but the writing: it finds the account, reads body and
// statement, and runs it. The account comes first, so that a stranger cannot make this process
// read 256 MiB. req is nil if the request could not be read.
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
	// clickhouse-go asks this first, in a form that the engine as a library does not write.
	if isHello(req) {
		return req, chdb.Result{Data: g.hello.native()}, nil
	}
	result, err := g.run(r.Context(), who, req)
	return req, result, err
}

// writeException answers an error in the form of ClickHouse: code in a header, text in the
// body. Failures of the engine itself are logged, those of clients are theirs.
func (g *gateway) writeException(w http.ResponseWriter, req *request, err error) {
	e := asException(err)
	// A code that ClickHouse answers as a fault of the server is one here too, except for
	// refusals.
	status := statusOf(e.Code)
	// What an account must not do is 403, whatever status its code stands for otherwise.
	if errors.As(err, &refusal{}) {
		status = http.StatusForbidden
	}
	if status >= http.StatusInternalServerError && !expected(e.Code) {
		g.log.Warn("statement failed", slog.String("error", e.Text))
	}
	g.header(w, req, "")
	w.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.Code))
	text := strings.TrimRight(e.Text, "\n")
	// Clients recognise an error of ClickHouse by this; some of the engine's texts have it
	// already.
	if !strings.Contains(text, "(version ") {
		text += " (version " + g.hello.version + ")"
	}
	writeText(w, status, text+"\n")
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// writeLimit is for a client that reads slowly; a statement's own time does
// not count.
const writeLimit = 5 * time.Minute

type gatewayOptions struct {
	pool     chdb.PoolOptions
	password string
	maxBody  int64
}

// gateway is the HTTP interface of ClickHouse over a pool of connections.
type gateway struct {
	pool  *chdb.Pool
	opt   gatewayOptions
	hello hello
	log   *slog.Logger
}

// newGateway asks the engine who it is, which also proves that it answers.
func newGateway(ctx context.Context, engine *chdb.Engine, opt gatewayOptions, log *slog.Logger) (*gateway, error) {
	g := &gateway{pool: chdb.NewPool(engine, opt.pool), opt: opt, log: log}
	err := g.pool.Read(ctx, nil, func(conn *chdb.Conn) error {
		r, err := conn.Query(ctx, "SELECT displayName(), version(), timezone()", "TabSeparatedRaw")
		if err != nil {
			return err
		}
		fields := strings.Split(strings.TrimSpace(string(r.Data)), "\t")
		if len(fields) != 3 {
			return fmt.Errorf("the engine says %q where displayName, version and timezone are expected", r.Data)
		}
		g.hello = hello{displayName: fields[0], version: fields[1], timezone: fields[2]}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the ClickHouse engine does not answer: %w", err)
	}
	return g, nil
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ping", "/replicas_status":
		writeText(w, http.StatusOK, "Ok.\n")
	case "/", "":
		g.serveStatement(w, r)
	default:
		writeText(w, http.StatusNotFound, "There is no handle "+r.URL.Path+"\n\nUse / or /ping for health "+
			"checks.\nSend queries from your program with POST method or GET /?query=...\n")
	}
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
	g.writeResult(w, req, result)
}

// answer is the request without its writing. req is nil if it could not be
// read.
func (g *gateway) answer(w http.ResponseWriter, r *http.Request) (*request, chdb.Result, error) {
	if err := authenticate(r, g.opt.password); err != nil {
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
	result, err := g.run(r.Context(), req)
	return req, result, err
}

func (g *gateway) writeException(w http.ResponseWriter, req *request, err error) {
	e := asException(err)
	status := statusOf(e.Code)
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

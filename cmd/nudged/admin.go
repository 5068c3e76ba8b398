package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/hostcheck"
	"github.com/nudge-engine/nudge/internal/listen"
	"github.com/nudge-engine/nudge/internal/pathid"
	"github.com/nudge-engine/nudge/internal/schema"
)

const (
	maxAdminBody = 4 << 20
	schemaPath   = "/v1/schema/campaign.json"
)

// openAdmin starts the admin address before all else, so that a start that takes
// long can be watched.
func (n *node) openAdmin(context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", n.serveReady)
	mux.HandleFunc("GET /metrics", n.serveMetrics)
	mux.HandleFunc("GET "+schemaPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/schema+json")
		_, _ = w.Write(schema.JSON())
	})
	mux.HandleFunc("GET /v1/customers/{id}", n.guarded(n.adminCustomer))
	mux.HandleFunc("GET /v1/customers/{id}/explain", n.guarded(n.adminExplain))
	mux.HandleFunc("GET /v1/campaigns/{name}", n.guarded(n.adminStatus))
	mux.HandleFunc("GET /v1/experiments", n.guarded(n.adminExperiments))
	mux.HandleFunc("DELETE /v1/customers/{id}", n.guarded(n.adminErase))
	mux.HandleFunc("GET /v1/customers/{id}/erasure", n.guarded(n.adminErasure))
	mux.HandleFunc("GET /v1/definitions", n.guarded(n.adminList))
	mux.HandleFunc("POST /v1/definitions", n.guarded(n.adminApply))
	mux.HandleFunc("GET /v1/log", n.guarded(n.adminLog))
	mux.HandleFunc("GET /v1/log/{partition}", n.guarded(n.adminFrames))
	mux.HandleFunc("POST /v1/rollback", n.guarded(n.adminRollback))
	mux.HandleFunc("GET /v1/backfill", n.guarded(n.adminBackfillProgress))
	mux.HandleFunc("POST /v1/clock/accept", n.guarded(func(w http.ResponseWriter, _ *http.Request) error {
		n.clock.Accept()
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
	n.profiles(mux)
	check, err := hostcheck.New(n.config.AdminListen, n.config.AllowedHosts)
	if err != nil {
		return fmt.Errorf("allowed_hosts: %w", err)
	}
	n.admin = &http.Server{
		Handler:        n.access(check, mux),
		ReadTimeout:    30 * time.Second,
		WriteTimeout:   2 * applyLimit,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	l, err := n.listenForAdmin()
	if err != nil {
		return err
	}
	n.admin.Handler = pathid.KeepDots(n.admin.Handler)
	listen.Bind(n.admin)
	go func() {
		if err := n.admin.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.failed <- fmt.Errorf("admin: %w", err)
		}
	}()
	return nil
}

// adminError is an answer other than success.
type adminError struct {
	status int
	error
}

// guarded answers errors, and everything before the server is up. Who may ask is looked
// at before, see access.
func (n *node) guarded(f func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var err error = adminError{http.StatusServiceUnavailable, errors.New("starting")}
		if n.up.Load() {
			err = f(w, r)
		}
		if err == nil {
			return
		}
		status := http.StatusInternalServerError
		var answer adminError
		var author *definitionError
		switch {
		case errors.As(err, &answer):
			status = answer.status
		case errors.As(err, &author):
			status = http.StatusUnprocessableEntity
		}
		writeProblem(w, status, n.config.filter().Text(err.Error()))
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the client is gone when it fails
}

func (n *node) adminCustomer(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	view, err := n.customer(r.Context(), workspaceName, id)
	if err != nil {
		return adminError{http.StatusServiceUnavailable, err}
	}
	if view == nil {
		return adminError{http.StatusNotFound, errors.New("no event of this customer was seen")}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(view, '\n'))
	return nil
}

// customerID is the customer whom the path names.
func customerID(r *http.Request) (string, error) {
	id := r.PathValue("id") // decoded once
	if err := pathid.Check(id); err != nil {
		return "", adminError{http.StatusBadRequest, err}
	}
	return id, nil
}

// listed is one document in force.
type listed struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version uint32 `json:"version"`
	Source  string `json:"source"`
}

func (n *node) adminList(w http.ResponseWriter, _ *http.Request) error {
	all := []listed{}
	for _, d := range n.control.Documents(workspaceName) {
		all = append(all, listed{d.Kind, d.Name, d.Version, d.Source})
	}
	slices.SortFunc(all, func(a, b listed) int {
		return strings.Compare(a.Kind+"/"+a.Name, b.Kind+"/"+b.Name)
	})
	writeJSON(w, http.StatusOK, all)
	return nil
}

// adminApply takes files as {"files": [{"name": ..., "text": ...}]}; with ?dry_run=true it
// only says what would happen, with ?backfill=true the counters are filled first.
func (n *node) adminApply(w http.ResponseWriter, r *http.Request) error {
	files, err := readFiles(w, r)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("dry_run") == "true" {
		return n.adminPreview(w, r, files)
	}
	if r.URL.Query().Get("backfill") == "true" {
		return n.adminBackfill(w, r, files)
	}
	before, err := n.counting()
	if err != nil {
		return err
	}
	applied, err := n.applyAsked(r.Context(), files)
	if err != nil {
		return conflict(err)
	}
	set, err := n.counting()
	if err != nil {
		return err
	}
	begun := []string{}
	for _, a := range set.NewAsks(before) {
		begun = append(begun, a.String())
	}
	writeJSON(w, http.StatusOK, map[string]any{"applied": applied, "counters": set.Asks(), "from_now": begun})
	return nil
}

// conflict marks what a backfill that is under way forbids.
func conflict(err error) error {
	if errors.Is(err, actors.ErrBackfill) {
		return adminError{http.StatusConflict, err}
	}
	return err
}

// readFiles reads the definition files of a request.
func readFiles(w http.ResponseWriter, r *http.Request) ([]definition.File, error) {
	var body struct {
		Files []struct {
			Name string `json:"name"`
			Text string `json:"text"`
		} `json:"files"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdminBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return nil, adminError{
			http.StatusBadRequest,
			fmt.Errorf("the body is not {\"files\": [{\"name\", \"text\"}]}: %w", err),
		}
	}
	var files []definition.File
	for _, f := range body.Files {
		files = append(files, definition.File{Name: f.Name, Text: []byte(f.Text)})
	}
	return files, nil
}

// counting says what the campaigns in force count, because counting begins when it is
// asked for.
func (n *node) counting() (*campaign.Set, error) {
	var programs []*campaign.Program
	for _, d := range n.control.Documents(workspaceName) {
		p, err := n.catalog.compile(workspaceName, &d)
		if err != nil {
			return nil, err
		}
		if p.Campaign != nil {
			programs = append(programs, p.Campaign)
		}
	}
	return campaign.NewSet(programs, map[string]uint64{}, 0), nil
}

package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
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
	"github.com/nudge-engine/nudge/internal/listen"
	"github.com/nudge-engine/nudge/internal/schema"
)

const maxAdminBody = 4 << 20

// openAdmin starts the admin address before all else, so that a start that takes
// long can be watched.
func (n *node) openAdmin(context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := n.ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		n.metrics.WritePrometheus(w)
	})
	mux.HandleFunc("GET /v1/schema/campaign.json", func(w http.ResponseWriter, _ *http.Request) {
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
	n.admin = &http.Server{
		Handler:        mux,
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

// guarded asks for the admin key and waits for the start.
func (n *node) guarded(f func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	want := sha256.Sum256([]byte(n.keys.admin))
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(token))
		var err error
		switch {
		case subtle.ConstantTimeCompare(got[:], want[:]) != 1:
			err = adminError{http.StatusUnauthorized, errors.New("the admin key is needed: send Authorization: Bearer KEY with what `nudge key admin` prints")}
		case !n.up.Load():
			err = adminError{http.StatusServiceUnavailable, errors.New("starting")}
		default:
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
		writeJSON(w, status, map[string]any{"title": http.StatusText(status), "status": status, "detail": err.Error()})
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
	view, err := n.customer(r.Context(), workspaceName, r.PathValue("id"))
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
	applied, err := n.apply(r.Context(), files)
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

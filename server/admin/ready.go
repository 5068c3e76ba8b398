package admin

import (
	"errors"
	"io"
	"net/http"
)

// Remark is something to know about the server's readiness.
type Remark struct {
	// Short names nobody and nothing: everybody may read it.
	Short string
	// Detail is for those who have the admin key; it may be empty.
	Detail string
}

// Readiness says whether the server should get traffic, and what is not as it should be.
type Readiness struct {
	// Missing keeps the server from being ready; it is ready when there is none.
	Missing []Remark
	// Warnings are wrong although the server is ready.
	Warnings []Remark
}

// Reason returns the first thing that is missing, in words for everybody; nil when the server
// is ready.
func (r Readiness) Reason() error {
	if len(r.Missing) == 0 {
		return nil
	}
	return errors.New(r.Missing[0].Short)
}

// ready answers GET /readyz with 200 or 503: for everybody in a few words, with ?verbose and
// the admin key with all that is known.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	is := a.config.Ready()
	verbose := r.URL.Query().Has("verbose")
	status, text := http.StatusOK, "ready\n"
	if is.Reason() != nil {
		status, text = http.StatusServiceUnavailable, ""
	}
	// One line for each remark: probes show the first, people read all.
	line := func(kind string, m Remark) {
		text += kind + ": " + m.Short
		if verbose && m.Detail != "" {
			text += ": " + m.Detail
		}
		text += "\n"
	}
	for _, m := range is.Missing {
		line("not ready", m)
	}
	for _, m := range is.Warnings {
		line("warning", m)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// It fails only when the client is gone.
	_, _ = io.WriteString(w, text)
}

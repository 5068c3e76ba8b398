package admin

import (
	"errors"
	"io"
	"net/http"
)

// Remark is something to know about the server's readiness.
type Remark struct {
	Short  string // names nobody and nothing: everybody may read it
	Detail string // for who has the admin key; may be empty
}

// Readiness is whether the server should get traffic, and what is not as it should be.
type Readiness struct {
	Missing  []Remark // empty: it is ready
	Warnings []Remark // it is ready all the same
}

// Reason is the first thing that is missing, in words for everybody; nil when the server is
// ready.
func (r Readiness) Reason() error {
	if len(r.Missing) == 0 {
		return nil
	}
	return errors.New(r.Missing[0].Short)
}

// ready answers /readyz: for everybody in a few words, with ?verbose and the admin key
// with all that is known.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	is := a.config.Ready()
	verbose := r.URL.Query().Has("verbose")
	status, text := http.StatusOK, "ready\n"
	if is.Reason() != nil {
		status, text = http.StatusServiceUnavailable, ""
	}
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
	_, _ = io.WriteString(w, text) // the client is gone when it fails
}

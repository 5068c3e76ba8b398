package admin

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/explain"
	"github.com/nudge-engine/nudge/internal/pathid"
	"github.com/nudge-engine/nudge/server/erasure"
)

func (p *Parts) customer(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	view, err := p.Customer(r.Context(), p.Workspace, id)
	if err != nil {
		return answer{http.StatusServiceUnavailable, err}
	}
	if view == nil {
		return answer{http.StatusNotFound, errors.New("no event of this customer was seen")}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(view, '\n'))
	return nil
}

// customerID is the customer whom the path names.
func customerID(r *http.Request) (string, error) {
	id := r.PathValue("id") // decoded once
	if err := pathid.Check(id); err != nil {
		return "", answer{http.StatusBadRequest, err}
	}
	return id, nil
}

// explain says how a customer stands: what campaigns would answer, what chains wait
// for, and what was last decided.
func (p *Parts) explain(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("campaign")
	id, err := customerID(r)
	if err != nil {
		return err
	}
	trace := trace.NewTrace(p.Catalog.Language(), p.Workspace, id, name)
	x, err := p.Engine.Explain(r.Context(), trace)
	switch {
	case err != nil:
		return answer{http.StatusServiceUnavailable, err}
	case x == nil:
		return answer{http.StatusNotFound, errors.New("no event of this customer was seen")}
	case x.Unknown:
		return answer{http.StatusNotFound, fmt.Errorf("campaign %s is not in force", name)}
	}
	shown := explain.Of(trace, 0, 0)
	shown.Recent(x.Decisions)
	w.Header().Set("Content-Type", "application/json")
	return shown.JSON(w)
}

func (p *Parts) erase(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	receipt, err := p.Eraser.Request(r.Context(), id)
	var merged *erasure.MergedError
	switch {
	case errors.As(err, &merged):
		return answer{http.StatusConflict, err}
	case err != nil:
		return answer{http.StatusServiceUnavailable, err}
	}
	writeJSON(w, http.StatusAccepted, receipt)
	return nil
}

func (p *Parts) erasure(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	receipt, err := p.Eraser.Receipt(id)
	if err != nil {
		return answer{http.StatusServiceUnavailable, err}
	}
	if receipt == nil {
		return answer{http.StatusNotFound, errors.New("nobody asked to erase this customer")}
	}
	writeJSON(w, http.StatusOK, receipt)
	return nil
}

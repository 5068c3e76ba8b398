package admin

import (
	"errors"
	"net/http"

	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/explain"
	"github.com/nudge-engine/nudge/internal/pathid"
	"github.com/nudge-engine/nudge/server/erasure"
)

// customer answers GET /v1/customers/{id}: what is known of a customer, as view.Customer in
// JSON. 404 means that no event of theirs was seen, 503 that their shard gives no answer.
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

// customerID returns the customer whom the path names. An id that cannot be one is an answer
// 400.
func customerID(r *http.Request) (string, error) {
	// PathValue has decoded it once, and ids may hold what looks encoded.
	id := r.PathValue("id")
	if err := pathid.Check(id); err != nil {
		return "", answer{http.StatusBadRequest, err}
	}
	return id, nil
}

// explain answers GET /v1/customers/{id}/explain: what campaigns would decide for a customer
// now, what chains wait for, and what was decided last, as explain.Explanation in JSON. With
// ?campaign=NAME it is about that one only. 404 means an unknown customer or campaign.
func (p *Parts) explain(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("campaign")
	id, err := customerID(r)
	if err != nil {
		return err
	}
	// The shard fills the trace in; a customer of whom no event was seen has none.
	trace := trace.NewTrace(p.Catalog.Language(), p.Workspace, id, name)
	x, err := p.Engine.Explain(r.Context(), trace)
	switch {
	case err != nil:
		return answer{http.StatusServiceUnavailable, err}
	case x == nil:
		return answer{http.StatusNotFound, errors.New("no event of this customer was seen")}
	case x.Unknown:
		return p.noCampaign(name)
	}
	shown := explain.Of(trace, 0, 0)
	shown.Recent(x.Decisions)
	w.Header().Set("Content-Type", "application/json")
	return shown.JSON(w)
}

// erase answers DELETE /v1/customers/{id} with 202 and the receipt of an erasure that has
// begun, or that was begun before. 409 is for a customer who merged into another one, whom it
// names; 503 means that the request may be repeated.
func (p *Parts) erase(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	receipt, err := p.Eraser.Request(r.Context(), id)
	var merged *erasure.MergedError
	switch {
	// Both ids are in the text; the client has to ask again with the other one.
	case errors.As(err, &merged):
		return answer{http.StatusConflict, err}
	case err != nil:
		return answer{http.StatusServiceUnavailable, err}
	}
	writeJSON(w, http.StatusAccepted, receipt)
	return nil
}

// erasure answers GET /v1/customers/{id}/erasure with the receipt: how far an erasure is. 404
// means that nobody asked for one.
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

package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/explain"
)

// adminExplain says how a customer stands: what campaigns would answer, what chains wait
// for, and what was last decided.
func (n *node) adminExplain(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("campaign")
	id, err := customerID(r)
	if err != nil {
		return err
	}
	trace := campaign.NewTrace(n.catalog.lang, workspaceName, id, name)
	x, err := n.engine.Explain(r.Context(), trace)
	switch {
	case err != nil:
		return adminError{http.StatusServiceUnavailable, err}
	case x == nil:
		return adminError{http.StatusNotFound, errors.New("no event of this customer was seen")}
	case x.Unknown:
		return adminError{http.StatusNotFound, fmt.Errorf("campaign %s is not in force", name)}
	}
	shown := explain.Of(trace, 0, 0)
	shown.Recent(x.Decisions)
	w.Header().Set("Content-Type", "application/json")
	return shown.JSON(w)
}

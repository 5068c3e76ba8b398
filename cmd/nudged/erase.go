package main

import (
	"errors"
	"net/http"

	"github.com/nudge-engine/nudge/server/erasure"
)

func (n *node) adminErase(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	receipt, err := n.eraser.Request(r.Context(), id)
	var merged *erasure.MergedError
	switch {
	case errors.As(err, &merged):
		return adminError{http.StatusConflict, err}
	case err != nil:
		return adminError{http.StatusServiceUnavailable, err}
	}
	writeJSON(w, http.StatusAccepted, receipt)
	return nil
}

func (n *node) adminErasure(w http.ResponseWriter, r *http.Request) error {
	id, err := customerID(r)
	if err != nil {
		return err
	}
	receipt, err := n.eraser.Receipt(id)
	if err != nil {
		return adminError{http.StatusServiceUnavailable, err}
	}
	if receipt == nil {
		return adminError{http.StatusNotFound, errors.New("nobody asked to erase this customer")}
	}
	writeJSON(w, http.StatusOK, receipt)
	return nil
}

package main

import (
	"encoding/hex"
	"net/http"

	"github.com/nudge-engine/nudge/internal/chproof"
)

// serveChallenge proves to nudged that this process is the child that it gave the writer's
// secret to, before nudged sends the secret or a row.
func (g *gateway) serveChallenge(w http.ResponseWriter, r *http.Request) {
	nonce, err := hex.DecodeString(r.URL.Query().Get("nonce"))
	for _, a := range g.accounts {
		if a.role == roleWriter && err == nil && len(nonce) == chproof.NonceBytes {
			writeText(w, http.StatusOK, hex.EncodeToString(chproof.Answer(a.secret, nonce)))
			return
		}
	}
	writeText(w, http.StatusNotFound, "There is no challenge to answer here.\n")
}

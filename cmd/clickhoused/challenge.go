package main

import (
	"encoding/hex"
	"net/http"

	"github.com/nudge-engine/nudge/internal/chproof"
)

// serveChallenge proves to nudged that this process is the child to which it gave the writer's
// secret, before nudged sends the secret or a row: it answers a nonce with a code that only
// someone who has the secret can compute. Without it, another program on the port would get
// both.
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
